import { expect, test } from '../fixtures';
import { cookieOf, setCookies } from '../fixtures/http';
import type { APIResponse } from '@playwright/test';

const functions = ['/login', '/login/code', '/login/code/resend', '/login/code/cancel', '/login/code/status', '/logout', '/language'];

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
        if (!['/login', '/login/code'].includes(path)) expect(answer.status(), `${method} ${path}`).toBe(405);
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
    for (const path of ['/agent', '/admin']) {
      expect((await http.get(path)).status()).toBe(303);
      expect((await http.get(path, { headers: { Cookie: `session=${pending}` } })).status()).toBe(303);
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
    expect(await waiting.json()).toEqual({ code: 'wrong_credentials' });
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
    expect((await http.post('/login/code', { code })).status()).toBe(200);
    expect(await mail.count(account.email)).toBe(2);
  });

  test('odd codes never sign in, and only well-formed wrong ones count', async ({ http, account, mail }) => {
    const { company, account: name, password } = account;
    await http.post('/login', { company, account: name, password });
    const code = await mail.nextCode(account.email);
    for (const odd of ['', 'null', '[]', '["123456"]', '１２３４５６', '1234567', '12345', `${code}0`, `0${code}`, '1'.repeat(10_240), `\0${code}`, 'true', '1e5', '+12345', '-12345', '0x1234']) {
      await expectRefused(await http.post('/login/code', { code: odd }), odd);
    }
    expect((await http.post('/login/code', { code })).status()).toBe(200);
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
