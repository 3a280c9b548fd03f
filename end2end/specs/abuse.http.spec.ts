import { appOf, expect, test, type Account } from '../fixtures';
import { cookieOf, setCookies, type Form, type Http } from '../fixtures/http';
import type { Mails } from '../fixtures/mails';
import type { APIResponse } from '@playwright/test';

/** An identifier of nothing. */
const nothing = '00000000-0000-4000-8000-000000000000';

/** The functions of somebody who is signed in, each with a form that its page could send. */
const ownFunctions: Record<string, Form> = {
  '/profile': { first_name: 'Rita', last_name: '', alias: '', phone: '', title: '', time_format: '24', language: '' },
  '/profile/password': { old_password: 'a', new_password: 'orchard marble thunder', confirm_password: 'orchard marble thunder' },
  '/profile/password/check': { new_password: 'orchard marble thunder' },
  '/profile/confirm': { password: 'a', next: '/profile/security' },
  '/profile/security/email': {},
  '/profile/security/email/code': { set_up: nothing, code: '123456' },
  '/profile/security/email/resend': {},
  '/profile/security/email/off': {},
  '/profile/security/app': {},
  '/profile/security/app/code': { set_up: nothing, code: '123456' },
  '/profile/security/app/off': {},
  '/profile/security/backup-codes': {},
  '/profile/security/backup-codes/new': { next: '/profile/security' },
  '/profile/security/trusted/remove': { id: nothing },
  '/profile/security/trusted/remove-all': {},
  '/profile/security/sessions/end': { id: nothing },
  '/profile/security/sessions/end-others': {},
};

const functions = ['/login', '/login/code', '/login/code/resend', '/login/code/cancel', '/login/code/status', '/login/code/method', '/logout', '/language', ...Object.keys(ownFunctions)];

/** Pages of somebody who is signed in. */
const ownPages = ['/agent', '/admin', '/profile', '/profile/confirm', '/profile/security', '/profile/security/set-up', '/profile/security/email', '/profile/security/app', '/profile/security/app/code', '/profile/security/backup-codes', '/profile/security/backup-codes/new'];

/** Functions whose address is a page too. */
const alsoPages = ['/login', '/login/code', ...ownPages];

/** Functions whose address leads to the page that holds their form: a refused form leaves it in the address bar. */
const leadsToPage = /^\/profile\/(password$|security\/(email\/|app\/off|trusted\/|sessions\/))/;

/** Words that only a stack trace or a library's own message would have. */
const insides = /panicked|backtrace|sqlx|sqlite|postgres|leptos(?!-island)|serde|hyper|tower|\.rs\b|\bunwrap\b|SELECT .* FROM|RUST_/i;

async function expectRefused(response: APIResponse, what: string): Promise<void> {
  expect(response.status(), what).toBeGreaterThanOrEqual(400);
  expect(response.status(), what).toBeLessThan(500);
  expect(await response.text(), what).not.toMatch(insides);
  expect(cookieOf(response, 'session') ?? '', what).toBe('');
}

test.describe('requests from elsewhere', { tag: '@journey' }, () => {
  for (const path of functions) {
    test(`${path} takes them from nobody else`, async ({ http, account, server }) => {
      const form = { company: account.company, account: account.account, password: account.password, code: '123456', language: 'de', return_to: '/' };
      for (const headers of [
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { Origin: `${server.url}.evil.example` },
        { Origin: server.url.replace('http:', 'https:') },
        { Origin: server.url.replace(/\d+$/, '1') },
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { Origin: undefined, Referer: 'https://evil.example/', 'Sec-Fetch-Site': 'cross-site' },
      ]) {
        for (const answer of [await http.post(path, form, { headers }), await http.postForPage(path, form, { headers })]) {
          expect(answer.status(), JSON.stringify(headers)).toBe(403);
          expect(setCookies(answer), JSON.stringify(headers)).toEqual([]);
        }
      }
      const program = await http.post(path, form, { headers: { Origin: 'https://evil.example' } });
      expect(await program.json()).toEqual({ code: 'cross_site' });
    });
  }

  test('do not sign anybody out', async ({ http, createAccount }) => {
    const { company, account, password } = await createAccount({ second_factor: 'none' });
    await http.post('/login', { company, account, password });
    await http.post('/logout', {}, { headers: { Origin: 'https://evil.example' } });
    expect((await http.get('/agent')).status()).toBe(200);
  });
});

test.describe('other methods', () => {
  test('GET and HEAD change nothing', async ({ http, createAccount }) => {
    const { company, account, password } = await createAccount({ second_factor: 'none' });
    await http.post('/login', { company, account, password });
    for (const path of functions) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await http.send(method, `${path}?_method=POST&language=de&return_to=/&code=123456&company=${encodeURIComponent(company)}&account=${account}&password=${encodeURIComponent(password)}`, undefined, {
          headers: { 'X-HTTP-Method-Override': 'POST' },
        });
        expect(answer.status(), `${method} ${path}`).toBeLessThan(500);
        if (!alsoPages.includes(path)) expect(answer.status(), `${method} ${path}`).toBe(leadsToPage.test(path) ? 303 : 405);
        expect(setCookies(answer).filter((cookie) => /^(session|language|trusted)=/.test(cookie)), `${method} ${path}`).toEqual([]);
      }
    }
    expect((await http.get('/agent')).status()).toBe(200);
  });

  test('unknown ones are refused', async ({ http }) => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'OPTIONS']) {
      for (const path of ['/login', '/agent', '/logout', '/nowhere']) {
        await expectRefused(await http.send(method, path, undefined, { headers: { Origin: 'https://evil.example' } }), `${method} ${path}`);
      }
    }
  });

  test('nothing lies around', async ({ http }) => {
    for (const path of ['/.git/config', '/.env', '/pkg/', '/assets/', '/assets/../Cargo.toml', '/assets/%2e%2e/Cargo.toml', '/metrics', '/debug', '/server-status', '/vestibule.db', '/vestibule.key', '/api/sign_in', '/robots.txt.bak']) {
      expect((await http.get(path)).status(), path).toBe(404);
    }
  });
});

test.describe('forms that our pages never send', () => {
  const good = { company: 'Acme', account: 'alice', password: 'secret' };

  for (const { what, path, form } of [
    { what: 'a missing field', path: '/login', form: { company: 'Acme', account: 'alice' } },
    { what: 'no field at all', path: '/login', form: {} },
    { what: 'a doubled field', path: '/login', form: { ...good, account: ['alice', 'bob'] } },
    { what: 'a list', path: '/login', form: { company: 'Acme', account: 'alice', 'password[]': 'secret' } },
    { what: 'a nested field', path: '/login', form: { ...good, 'company[name]': 'Acme' } },
    { what: 'unknown fields', path: '/login', form: { ...good, role: 'admin', is_admin: 'true', company_id: '1' } },
    { what: 'a NUL', path: '/login', form: { ...good, company: 'Ac\0me' } },
    { what: 'a line break', path: '/login', form: { ...good, account: 'alice\r\nBcc: x@evil.example' } },
    { what: 'a long company', path: '/login', form: { ...good, company: 'c'.repeat(65) } },
    { what: 'a long account', path: '/login', form: { ...good, account: 'a'.repeat(65) } },
    { what: 'a long address', path: '/login', form: { ...good, account: `${'a'.repeat(250)}@b.test` } },
    { what: 'a long password', path: '/login', form: { ...good, password: 'p'.repeat(129) } },
    { what: 'a password of 60 KiB', path: '/login', form: { ...good, password: 'p'.repeat(60_000) } },
    { what: 'a missing code', path: '/login/code', form: {} },
    { what: 'two codes', path: '/login/code', form: { code: ['123456', '654321'] } },
    { what: 'no language', path: '/language', form: { return_to: '/login' } },
    { what: 'no return address', path: '/language', form: { language: 'de' } },
    { what: 'a code and a method', path: '/login/code', form: { code: '123456', method: 'email' } },
    { what: 'days of trust', path: '/login/code', form: { code: '123456', trust: 'yes', trusted_days: '3650' } },
  ] satisfies { what: string; path: string; form: Record<string, string | string[]> }[]) {
    test(`are refused: ${what}`, async ({ http }) => {
      await expectRefused(await http.post(path, form), `${what}, by a program`);
      await expectRefused(await http.postForPage(path, form), `${what}, by a form`);
    });
  }

  test('change nothing: languages that we do not have', async ({ http }) => {
    for (const language of ['xx', 'EN-', '../../etc/passwd', 'en\r\nSet-Cookie: a=b', '<script>', 'e'.repeat(10_240)]) {
      const answer = await http.postForPage('/language', { language, return_to: '/login' });
      expect(answer.status(), language).toBeLessThan(500);
      expect(setCookies(answer), language).toEqual([]);
    }
  });

  test('are refused: broken encodings', async ({ http }) => {
    for (const body of ['company=%ff%fe&account=a&password=b', 'company=%C0%AE&account=a&password=b', 'company=%ED%A0%80&account=a&password=b', 'company=%00&account=a&password=b', Buffer.from('company=\xff\xfe&account=a&password=b', 'latin1'), Buffer.from([0, 1, 2, 3]), '&&&===', '{"company":']) {
      await expectRefused(await http.postRaw('/login', body), JSON.stringify(body));
      await expectRefused(await http.postRaw('/login', body, { headers: { Accept: 'text/html' } }), JSON.stringify(body));
    }
  });

  test('are refused: other content types', async ({ http, account }) => {
    const body = `company=${encodeURIComponent(account.company)}&account=${account.account}&password=${encodeURIComponent(account.password)}`;
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'application/cbor', 'application/octet-stream', 'nonsense']) {
      const answer = await http.postRaw('/login', body, { headers: { 'Content-Type': type } });
      await expectRefused(answer, type);
      expect(cookieOf(answer, 'pending') ?? '', type).toBe('');
    }
  });

  test('are refused: too many bytes', async ({ http }) => {
    for (const size of [65 * 1024, 1024 * 1024]) {
      for (const path of functions) {
        const answer = await http.postRaw(path, `company=${'a'.repeat(size)}`).catch((error: Error) => error);
        if (answer instanceof Error) expect(answer.message, path).toMatch(/ECONNRESET|EPIPE|socket hang up/);
        else expect(answer.status(), path).toBe(413);
      }
    }
  });

  test('lead nowhere else, whatever the return address', async ({ http, createAccount, server }) => {
    const { company, account, password } = await createAccount({ second_factor: 'none' });
    for (const next of ['//evil.example', '/\\evil.example', '\\\\evil.example', 'https:evil.example', 'https://evil.example', '/%09/evil.example', '/\t/evil.example', '/@evil.example', 'javascript:alert(1)', '/a\r\nSet-Cookie: x=1', '/%0d%0aSet-Cookie:x=1', '/%2f/evil.example', '/%5Cevil.example', `/${'a'.repeat(5000)}`, `https://${new URL(server.url).host}@evil.example`]) {
      const signedIn = await http.post('/login', { company, account, password, next });
      expect(signedIn.status(), next).toBeLessThan(500);
      if (signedIn.ok()) expect(await signedIn.json(), next).toEqual({ to: '/agent' });
      for (const answer of [await http.postForPage('/login', { company, account, password, next }), await http.postForPage('/language', { language: 'en', return_to: next })]) {
        expect(answer.status(), next).toBeLessThan(500);
        expect(answer.headers()['location'] ?? '/', next).toMatch(/^\/(?!\/|\\)/);
        expect(answer.headers()['location'] ?? '/', next).not.toContain('evil');
        expect(cookieOf(answer, 'x'), next).toBeUndefined();
      }
    }
  });
});

test.describe('cookies that we never set', () => {
  test('are as good as none', async ({ http }) => {
    const values = ['', 'x', '"quoted"', '%00', 'ü', 'a'.repeat(43), 'A'.repeat(4000), '../x', '1', '00000000-0000-0000-0000-000000000000', 'eyJhbGciOiJub25lIn0.e30.'];
    for (const value of values) {
      const headers = { Cookie: ['session', 'pending', 'trusted', 'browser', 'company', 'language'].map((name) => `${name}=${encodeURIComponent(value) === value || value.includes('%') ? value : encodeURIComponent(value)}`).join('; ') };
      expect((await http.get('/login', { headers })).status(), value).toBe(200);
      expect((await http.get('/agent', { headers })).status(), value).toBe(303);
      await expectRefused(await http.post('/login/code', { code: '123456' }, { headers }), value);
      expect((await http.post('/logout', {}, { headers })).status(), value).toBeLessThan(500);
    }
    const many = Array.from({ length: 100 }, (_, number) => `cookie${number}=x`).join('; ');
    expect((await http.get('/login', { headers: { Cookie: many } })).status()).toBe(200);
  });

  test('a pending sign-in is no session', { tag: '@journey' }, async ({ http, account }) => {
    const { company, account: name, password } = account;
    const passed = await http.post('/login', { company, account: name, password });
    expect(await passed.json()).toEqual({ to: '/login/code' });
    expect(cookieOf(passed, 'session') ?? '').toBe('');
    const pending = cookieOf(passed, 'pending') ?? '';
    expect(pending).not.toBe('');
    for (const path of ownPages) {
      expect((await http.get(path)).status(), path).toBe(303);
      expect((await http.get(path, { headers: { Cookie: `session=${pending}` } })).status(), path).toBe(303);
    }
    for (const [path, form] of Object.entries(ownFunctions)) {
      for (const headers of [{}, { Cookie: `session=${pending}` }, { Cookie: `session=${pending}; pending=${pending}` }]) {
        const answer = await http.post(path, form, { headers });
        expect(answer.status(), path).toBe(401);
        expect(await answer.json(), path).toEqual({ code: 'not_signed_in' });
        expect(cookieOf(answer, 'session') ?? '', path).toBe('');
      }
    }
  });

  test('a session planted before the sign-in is not the one after it', async ({ http, createAccount }) => {
    const { company, account, password } = await createAccount({ second_factor: 'none' });
    const first = cookieOf(await http.post('/login', { company, account, password }), 'session') ?? '';
    const second = cookieOf(await http.post('/login', { company, account, password }, { headers: { Cookie: `session=${first}; pending=${first}` } }), 'session') ?? '';
    expect(second).not.toBe('');
    expect(second).not.toBe(first);
  });
});

test.describe('guessing', { tag: '@journey' }, () => {
  test('all wrong sign-ins look the same', async ({ http, account, createAccount, server }) => {
    const inactive = await createAccount();
    await server.kit.setAccountActive(inactive.company, inactive.account, false);
    const password = 'wrong';
    const told = new Set<string>();
    for (const [company, name] of [['No such company', 'x'], [account.company, 'nobody'], [account.company, account.account], [inactive.company, inactive.account], [account.company, account.email]] as const) {
      const answer = await http.post('/login', { company, account: name, password });
      told.add(JSON.stringify([answer.status(), await answer.json(), Object.keys(answer.headers()).sort(), setCookies(answer).map((cookie) => cookie.split('=')[0]).sort()]));
    }
    expect([...told].map((text) => JSON.parse(text)[1])).toEqual([{ code: 'wrong_credentials' }]);
    expect(told.size).toBe(1);
  });

  test('wildcards and quotes match nothing', async ({ http, account }) => {
    for (const odd of ["' OR 1=1--", '";', '$(id)', '{{7*7}}', '%', '_', '*', '\\']) {
      expect((await http.post('/login', { company: odd, account: account.account, password: account.password })).status(), odd).toBe(401);
    }
    for (const odd of ["' OR 1=1--", '%']) {
      expect((await http.post('/login', { company: account.company, account: odd, password: account.password })).status(), odd).toBe(401);
    }
  });

  test('one source gets ten wrong passwords a minute', async ({ http, account, clock, source }) => {
    const { company, password } = account;
    const guess = (number: number, forged: string) =>
      // What a client writes itself stands before what our proxy adds.
      http.post('/login', { company, account: `nobody${number}`, password: 'wrong' }, { headers: { 'X-Forwarded-For': `${forged}, ${source}` } });
    for (let number = 1; number <= 10; number += 1) expect((await guess(number, `192.0.2.${number}`)).status()).toBe(401);
    const refused = await guess(11, '192.0.2.11');
    expect(refused.status()).toBe(429);
    expect(Number(refused.headers()['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers()['retry-after'])).toBeLessThanOrEqual(60);
    const others = await http.post('/login', { company, account: account.account, password }, { headers: { 'X-Forwarded-For': '10.99.99.99' } });
    expect(others.status(), 'other sources go on').toBe(200);
    await clock.advance({ seconds: 61 });
    expect((await guess(12, '192.0.2.12')).status()).toBe(401);
  });

  test('one account gets four wrong passwords, then waits', async ({ http, account, clock }) => {
    const { company, account: name, password } = account;
    for (let number = 1; number <= 5; number += 1) {
      const answer = await http.post('/login', { company, account: name, password: 'wrong' }, { headers: { 'X-Forwarded-For': `10.98.1.${number}` } });
      expect(answer.status()).toBe(401);
    }
    const waiting = await http.post('/login', { company, account: name, password });
    expect(waiting.status(), 'the right one is refused too').toBe(401);
    expect(await waiting.json()).toEqual({ code: 'wrong_too_often', retry_after: 30 });
    await clock.advance({ seconds: 120 });
    expect((await http.post('/login', { company, account: name, password })).status()).toBe(200);
  });

  test('twenty wrong codes at once: four are told, the fifth locks, no more are compared', async ({ http, account, mail }) => {
    const { company, account: name, password } = account;
    await http.post('/login', { company, account: name, password });
    const code = await mail.nextCode(account.email);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => http.post('/login/code', { code: String((Number(code) + 1 + number) % 1_000_000).padStart(6, '0') })));
    const statuses = answers.map((answer) => answer.status());
    expect(statuses.filter((status) => status === 401)).toHaveLength(4);
    expect(statuses.filter((status) => ![401, 403, 410].includes(status))).toEqual([]);
    await expectRefused(await http.post('/login/code', { code }), 'the right code comes too late');
    expect((await mail.next(account.email)).code).toBeNull();
    expect(await mail.count(account.email), 'one mail about the lock').toBe(2);
  });

  test('twenty resends at once send one mail', async ({ http, account, mail, clock }) => {
    const { company, account: name, password } = account;
    await http.post('/login', { company, account: name, password });
    await mail.nextCode(account.email);
    await clock.advance({ seconds: 61 });
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await http.post('/login/code/resend')).status()));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 429)).toHaveLength(19);
    const code = await mail.nextCode(account.email);
    expect(await mail.count(account.email)).toBe(2);
    expect((await http.post('/login/code', { code })).status()).toBe(200);
  });

  test('odd codes never sign in, and only well-formed wrong ones count', async ({ http, account, mail }) => {
    const { company, account: name, password } = account;
    await http.post('/login', { company, account: name, password });
    const code = await mail.nextCode(account.email);
    for (const odd of ['', 'null', '[]', '["123456"]', '一二三四五六', '1234567', '12345', `${code}0`, `0${code}`, '1'.repeat(10_240), `\0${code}`, 'true', '1e5', '+12345', '-12345', '0x1234']) {
      await expectRefused(await http.post('/login/code', { code: odd }), odd);
    }
    expect((await http.post('/login/code', { code })).status()).toBe(200);
  });
});

/** A browser of its own that somebody has signed in with. */
interface Person {
  account: Account;
  /** Its cookies, for every request. */
  headers: { Cookie: string };
}

/** Signs somebody in, with a browser that is nobody else's, and has it trusted where that is offered. */
async function signIn(http: Http, mail: Mails, account: Account): Promise<Person> {
  const { company, account: name, password } = account;
  let answer = await http.post('/login', { company, account: name, password }, { headers: { Cookie: 'none=none' } });
  expect(answer.status()).toBe(200);
  if (account.second_factor !== 'none') {
    const code = account.app ? await account.app.code() : await mail.nextCode(account.email);
    answer = await http.post('/login/code', { code, trust: 'yes' }, { headers: { Cookie: `pending=${cookieOf(answer, 'pending')}` } });
    expect(answer.status()).toBe(200);
  }
  const cookies = ['session', 'trusted', 'browser'].flatMap((name) => {
    const value = cookieOf(answer, name);
    return value ? [`${name}=${value}`] : [];
  });
  return { account, headers: { Cookie: cookies.join('; ') } };
}

/** The identifiers in the forms that a page posts to `action`. */
async function idsIn(http: Http, { headers }: Person, page: string, action: string, field = 'id'): Promise<string[]> {
  const html = await (await http.get(page, { headers })).text();
  const forms = html.matchAll(new RegExp(`<form\\b[^>]*action="${action}"[^>]*>(.*?)</form>`, 'gs'));
  return [...forms].map(([, form = '']) => new RegExp(`name="${field}"[^>]*value="([^"]+)"`).exec(form)?.[1] ?? '').filter((id) => id !== '');
}

test.describe('what is not signed in changes nothing', { tag: '@journey' }, () => {
  for (const [path, form] of Object.entries(ownFunctions)) {
    test(path, async ({ http }) => {
      const program = await http.post(path, form);
      expect(program.status()).toBe(401);
      expect(program.headers()['content-type']).toContain('application/json');
      expect(await program.json()).toEqual({ code: 'not_signed_in' });
      const page = await http.postForPage(path, form);
      expect([303, 401]).toContain(page.status());
      if (page.status() === 303) expect(page.headers()['location']).toMatch(/^\/login\?next=/);
      for (const answer of [program, page]) expect(cookieOf(answer, 'session') ?? '').toBe('');
    });
  }
});

test.describe('fields that a page of the profile never sends', () => {
  for (const [path, form] of Object.entries(ownFunctions)) {
    test(`are refused: ${path}`, async ({ http, createAccount, mail }) => {
      const { headers } = await signIn(http, mail, await createAccount({ second_factor: 'none' }));
      for (const extra of ['role', 'is_admin', 'company_id', 'company', 'account', 'account_id', 'locked', 'failed_codes', 'email', 'second_factor', 'trusted_days', 'created_at', 'secret']) {
        const answer = await http.post(path, { ...form, [extra]: '1' }, { headers });
        expect(answer.status(), extra).toBe(400);
        expect(await answer.json(), extra).toEqual({ code: 'malformed' });
      }
      for (const [name, value] of Object.entries(form)) {
        expect((await http.post(path, { ...form, [name]: [value, value].flat() }, { headers })).status(), `${name} twice`).toBe(400);
        const { [name]: _, ...others } = form;
        expect((await http.post(path, others, { headers })).status(), `no ${name}`).toBe(400);
      }
      expect((await http.get('/profile', { headers })).status()).toBe(200);
    });
  }

  test('no identifier but one of ours is read', async ({ http, createAccount, mail }) => {
    const { headers } = await signIn(http, mail, await createAccount({ second_factor: 'none' }));
    for (const path of ['/profile/security/trusted/remove', '/profile/security/sessions/end']) {
      for (const id of ['', '1', "' OR 1=1--", '../x', '*', '%', 'null', `${nothing}\r\nx`, 'x'.repeat(10_000)]) {
        await expectRefused(await http.post(path, { id }, { headers }), `${path} ${id}`);
      }
      expect((await http.post(path, { id: nothing }, { headers })).status(), 'what is gone already is fine').toBe(200);
    }
    for (const path of ['/profile/security/email/code', '/profile/security/app/code']) {
      for (const set_up of ['', '1', '*', "' OR 1=1--", nothing]) {
        const answer = await http.post(path, { set_up, code: '123456' }, { headers });
        expect(answer.status(), `${path} ${set_up}`).toBe(410);
      }
    }
    expect((await http.get('/agent', { headers })).status()).toBe(200);
  });

  test('a language or a time format that is not offered is refused', async ({ http, createAccount, mail }) => {
    const { headers } = await signIn(http, mail, await createAccount({ second_factor: 'none' }));
    const form = ownFunctions['/profile'] ?? {};
    for (const odd of [{ language: 'xx' }, { language: '../../etc/passwd' }, { language: '<script>' }, { time_format: '13' }, { time_format: '' }, { time_format: '24h' }]) {
      await expectRefused(await http.post('/profile', { ...form, ...odd }, { headers }), JSON.stringify(odd));
      await expectRefused(await http.postForPage('/profile', { ...form, ...odd }, { headers }), JSON.stringify(odd));
    }
  });
});

test.describe('what belongs to somebody else', { tag: '@journey' }, () => {
  test.use({ twoFactorPolicy: 30 });

  test('sessions and trusted browsers cannot be ended, neither by a colleague nor from another company', async ({ http, createCompany, createAccount, mail }) => {
    const victim = await signIn(http, mail, await createAccount());
    const elsewhere = await createCompany();
    const attackers = [
      await signIn(http, mail, await createAccount({ roles: ['admin'] })),
      await signIn(http, mail, await createAccount({ company: elsewhere.name, roles: ['admin'] })),
    ];
    const [session = ''] = await idsIn(http, victim, '/profile/security', '/profile/security/sessions/end');
    const [trusted = ''] = await idsIn(http, victim, '/profile/security', '/profile/security/trusted/remove');
    for (const id of [session, trusted]) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    for (const { headers } of attackers) {
      for (const path of ['/profile/security/trusted/remove', '/profile/security/sessions/end']) {
        for (const id of [session, trusted]) {
          const known = await http.post(path, { id }, { headers });
          const unknown = await http.post(path, { id: nothing }, { headers });
          expect([known.status(), await known.json()], 'nobody learns what there is').toEqual([unknown.status(), await unknown.json()]);
        }
      }
      await http.post('/profile/security/trusted/remove-all', {}, { headers });
      await http.post('/profile/security/sessions/end-others', {}, { headers });
      expect(await idsIn(http, victim, '/profile/security', '/profile/security/sessions/end')).toEqual([session]);
      expect(await idsIn(http, victim, '/profile/security', '/profile/security/trusted/remove')).toEqual([trusted]);
    }
  });

  test('a set-up cannot be finished, not even with its right code', async ({ http, createCompany, createAccount, createApp, mail }) => {
    const nora = await createAccount({ second_factor: 'none' });
    const victim = await signIn(http, mail, nora);
    const elsewhere = await createCompany();
    const attackers = [
      await signIn(http, mail, nora),
      await signIn(http, mail, await createAccount({ second_factor: 'none' })),
      await signIn(http, mail, await createAccount({ company: elsewhere.name, second_factor: 'none' })),
    ];
    expect((await http.post('/profile/security/app', {}, { headers: victim.headers })).status()).toBe(200);
    const page = await (await http.get('/profile/security/app', { headers: victim.headers })).text();
    const app = createApp(/<code\b[^>]*>([A-Z2-7 ]{39})</.exec(page)?.[1] ?? '');
    const [set_up = ''] = await idsIn(http, victim, '/profile/security/app/code', '/profile/security/app/code', 'set_up');
    expect(set_up).not.toBe('');
    for (const { headers } of attackers) {
      const answer = await http.post('/profile/security/app/code', { set_up, code: await app.code() }, { headers });
      expect(answer.status()).toBe(410);
      const other = await (await http.get('/profile/security/app', { headers })).text();
      expect(other).not.toContain('<svg');
    }
    const done = await http.post('/profile/security/app/code', { set_up, code: await app.code() }, { headers: victim.headers });
    expect(done.status()).toBe(200);
    expect(((await done.json()) as { backup_codes: string[] }).backup_codes).toHaveLength(10);
  });

  test('a step-up is no sign-in, and of no use to another session', async ({ http, createAccount, mail, clock }) => {
    const account = await createAccount({ second_factor: 'app' });
    const mine = await signIn(http, mail, account);
    const other = await signIn(http, mail, account);
    await clock.advance({ minutes: 6 });
    const asked = await http.post('/profile/confirm', { password: account.password, next: '/profile/security' }, { headers: mine.headers });
    expect(await asked.json()).toEqual({ to: '/login/code' });
    const pending = `pending=${cookieOf(asked, 'pending')}`;
    const code = await appOf(account).code();
    const alone = await http.post('/login/code', { code }, { headers: { Cookie: pending } });
    await expectRefused(alone, 'without a session');
    const stolen = await http.post('/login/code', { code }, { headers: { Cookie: `${other.headers.Cookie}; ${pending}` } });
    expect(await stolen.json(), 'another session has to begin its own').toEqual({ to: '/profile/confirm?expired' });
    expect(cookieOf(stolen, 'session') ?? '').toBe('');
    expect((await http.post('/profile/security/app/off', {}, { headers: mine.headers })).status()).toBe(403);
    const proved = await http.post('/login/code', { code }, { headers: { Cookie: `${mine.headers.Cookie}; ${pending}` } });
    expect(proved.status()).toBe(200);
    expect((await http.post('/profile/security/app/off', {}, { headers: other.headers })).status(), 'the other session has proved nothing').toBe(403);
  });

  test('the code of a set-up or of a step-up signs nobody in', async ({ http, account, mail, clock }) => {
    const mine = await signIn(http, mail, account);
    expect((await http.post('/profile/security/email', {}, { headers: mine.headers })).status()).toBe(200);
    const setUpCode = await mail.nextCode(account.email);
    await clock.advance({ minutes: 6 });
    const asked = await http.post('/profile/confirm', { password: account.password, next: '/profile/security' }, { headers: mine.headers });
    expect(asked.status()).toBe(200);
    const stepUpCode = await mail.nextCode(account.email);
    const { company, account: name, password } = account;
    const passed = await http.post('/login', { company, account: name, password }, { headers: { Cookie: 'none=none' } });
    const headers = { Cookie: `pending=${cookieOf(passed, 'pending')}` };
    const code = await mail.nextCode(account.email);
    for (const foreign of [setUpCode, stepUpCode]) {
      if (foreign !== code) await expectRefused(await http.post('/login/code', { code: foreign }, { headers }), foreign);
    }
    expect((await http.post('/login/code', { code }, { headers })).status()).toBe(200);
  });

  test('a cookie of trust opens nothing by itself', async ({ http, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'app' });
    const { headers } = await signIn(http, mail, account);
    const trusted = /trusted=([^;]+)/.exec(headers.Cookie)?.[1] ?? '';
    expect(trusted).not.toBe('');
    for (const Cookie of [`trusted=${trusted}`, `session=${trusted}`, `pending=${trusted}`]) {
      for (const path of ownPages) expect((await http.get(path, { headers: { Cookie } })).status(), `${path} ${Cookie}`).toBe(303);
      for (const [path, form] of Object.entries(ownFunctions)) expect((await http.post(path, form, { headers: { Cookie } })).status(), path).toBe(401);
    }
  });
});

test.describe('guessing the second factor in parallel', { tag: '@journey' }, () => {
  test('one backup code sent from four browsers at once signs in once', async ({ http, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    const [code = ''] = account.backupCodes;
    const { company, account: name, password } = account;
    const pendings: string[] = [];
    for (let number = 0; number < 4; number += 1) {
      const passed = await http.post('/login', { company, account: name, password }, { headers: { Cookie: 'none=none' } });
      pendings.push(cookieOf(passed, 'pending') ?? '');
    }
    const answers = await Promise.all(pendings.map((pending) => http.post('/login/code', { code }, { headers: { Cookie: `pending=${pending}` } })));
    expect(answers.filter((answer) => answer.status() === 200)).toHaveLength(1);
    await mail.next(account.email, labels.mail.backup_used_subject);
    expect(await mail.count(account.email, labels.mail.backup_used_subject)).toBe(1);
  });

  test('one code of an app sent from four browsers at once signs in once', async ({ http, createAccount }) => {
    const account = await createAccount({ second_factor: 'app' });
    const { company, account: name, password } = account;
    const pendings: string[] = [];
    for (let number = 0; number < 4; number += 1) {
      const passed = await http.post('/login', { company, account: name, password }, { headers: { Cookie: 'none=none' } });
      pendings.push(cookieOf(passed, 'pending') ?? '');
    }
    const code = await appOf(account).code();
    const answers = await Promise.all(pendings.map((pending) => http.post('/login/code', { code }, { headers: { Cookie: `pending=${pending}` } })));
    expect(answers.filter((answer) => answer.status() === 200)).toHaveLength(1);
  });

  test('twenty wrong codes of a set-up at once: four are told, the fifth locks', async ({ http, createAccount, createApp, mail }) => {
    const account = await createAccount({ second_factor: 'none' });
    const { headers } = await signIn(http, mail, account);
    await http.post('/profile/security/app', {}, { headers });
    const person = { account, headers };
    const [set_up = ''] = await idsIn(http, person, '/profile/security/app/code', '/profile/security/app/code', 'set_up');
    const page = await (await http.get('/profile/security/app', { headers })).text();
    const app = createApp(/<code\b[^>]*>([A-Z2-7 ]{39})</.exec(page)?.[1] ?? '');
    const codes: string[] = [];
    for (let number = 0; number < 20; number += 1) codes.push(await app.wrongCode(number));
    const statuses = (await Promise.all(codes.map((code) => http.post('/profile/security/app/code', { set_up, code }, { headers })))).map((answer) => answer.status());
    expect(statuses.filter((status) => status === 401)).toHaveLength(4);
    expect(statuses.filter((status) => ![401, 403, 410].includes(status))).toEqual([]);
    await expectRefused(await http.post('/profile/security/app/code', { set_up, code: await app.code() }, { headers }), 'the right code comes too late');
  });
});

test('another host name is reflected nowhere', async ({ http }) => {
  for (const headers of [{ Host: 'evil.example' }, { 'X-Forwarded-Host': 'evil.example' }, { Forwarded: 'host=evil.example' }, { 'X-Original-URL': '/admin' }] as Record<string, string>[]) {
    const answer = await http.get('/login', { headers });
    expect(answer.status()).toBeLessThan(500);
    expect(await answer.text()).not.toContain('evil.example');
    expect(JSON.stringify(answer.headers())).not.toContain('evil.example');
  }
});

test('the language form comes back to its page and sets the cookie', async ({ http }) => {
  const answer = await http.postForPage('/language', { language: 'de', return_to: '/login?company=Acme' });
  expect(answer.status()).toBe(303);
  expect(answer.headers()['location']).toBe('/login?company=Acme');
  expect(cookieOf(answer, 'language')).toBe('de');
});
