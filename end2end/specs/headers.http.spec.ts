import { expect, test } from '../fixtures';
import { cookieOf, Http, setCookies } from '../fixtures/http';
import { Server } from '../fixtures/server';
import { unique } from '../fixtures';
import type { APIResponse } from '@playwright/test';

/** The parts of a Content-Security-Policy by name. */
function policyOf(response: APIResponse): Map<string, string> {
  const header = response.headers()['content-security-policy'] ?? '';
  return new Map(header.split(';').map((part) => part.trim()).filter(Boolean).map((part) => {
    const [name = '', ...values] = part.split(/\s+/);
    return [name, values.join(' ')] as const;
  }));
}

/** What every answer that is no hashed asset carries. */
function expectSafeHeaders(response: APIResponse, what: string, referrerPolicy = 'same-origin'): void {
  const headers = response.headers();
  expect(headers['cache-control'], what).toContain('no-store');
  expect(headers['x-content-type-options'], what).toBe('nosniff');
  expect(headers['referrer-policy'], what).toBe(referrerPolicy);
  expect(headers['cross-origin-opener-policy'], what).toBe('same-origin');
  expect(headers['cross-origin-resource-policy'], what).toBe('same-origin');
  expect(headers['server'], what).toBeUndefined();
  expect(headers['x-powered-by'], what).toBeUndefined();
  const policy = policyOf(response);
  expect(policy.get('frame-ancestors'), what).toBe("'none'");
  expect(policy.get('base-uri'), what).toBe("'none'");
  expect(policy.get('object-src') ?? policy.get('default-src'), what).toBe("'none'");
  expect(policy.get('form-action'), what).toBe("'self'");
  expect(policy.get('script-src') ?? '', what).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:/);
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control-')), what).toEqual([]);
}

test('every answer carries the security headers', async ({ http, account }) => {
  const answers: [string, Promise<APIResponse>][] = [
    ['start page', http.get('/')],
    ['sign-in page', http.get('/login')],
    ['terms', http.get('/terms')],
    ['unknown address', http.get('/nowhere')],
    ['redirect to sign-in', http.get('/agent')],
    ['refused program', http.post('/login', { company: 'a', account: 'b', password: 'c' })],
    ['refused form', http.postForPage('/login', { company: 'a', account: 'b', password: 'c' })],
    ['bad input', http.postForPage('/login', { company: '', account: '', password: '' })],
    ['foreign origin', http.post('/login', {}, { headers: { Origin: 'https://evil.example' } })],
    ['too large', http.postRaw('/login', `company=${'a'.repeat(70_000)}`)],
    ['wrong method', http.send('PUT', '/login', undefined)],
    ['right password', http.postForPage('/login', { company: account.company, account: account.account, password: account.password })],
  ];
  for (const [what, answer] of answers) expectSafeHeaders(await answer, what);
});

test('so does every answer of the profile, those with secrets above all', async ({ http, createAccount }) => {
  const account = await createAccount({ second_factor: 'app' });
  const { company, account: name, password, backupCodes: [code = ''] } = account;
  await http.post('/login', { company, account: name, password });
  expect((await http.post('/login/code', { code })).status()).toBe(200);
  const begun = await http.postForPage('/profile/security/app');
  const answers: [string, APIResponse][] = [
    ['begun set-up', begun],
    ['profile', await http.get('/profile')],
    ['settings', await http.get('/profile/security')],
    ['QR code', await http.get('/profile/security/app')],
    ['first code', await http.get('/profile/security/app/code')],
    ['backup codes', await http.get('/profile/security/backup-codes')],
    ['new backup codes', await http.postForPage('/profile/security/backup-codes')],
    ['new backup codes for a program', await http.post('/profile/security/backup-codes')],
    ['confirm', await http.get('/profile/confirm')],
    ['refused profile', await http.postForPage('/profile', { first_name: '', last_name: '', alias: '', phone: '', title: '', time_format: '24', language: '' })],
    ['refused password', await http.postForPage('/profile/password', { old_password: '', new_password: '', confirm_password: '' })],
  ];
  for (const [what, answer] of answers) {
    expectSafeHeaders(answer, what);
    expect(answer.status(), what).toBeLessThan(500);
  }
  expect(await answers[3]?.[1].text()).toContain('<svg');
});

test('so does every answer of the console, links and files included', async ({ http, createAccount }) => {
  const agent = await createAccount();
  const admin = await createAccount({ roles: ['admin'], second_factor: 'none' });
  await http.post('/login', { company: admin.company, account: admin.account, password: admin.password });
  const { id } = agent;
  const answers: [string, Promise<APIResponse>, string?][] = [
    ...['', '/agents', '/agents/new', '/agents/import', '/agents/export', '/company', '/security', '/audit', '/audit/export'].map((path): [string, Promise<APIResponse>] => [path, http.get(`/admin${path}`)]),
    ...['', '/view', '/delete', '/password', '/backup-code', '/unlock', '/end-sessions', '/send-details'].map((path): [string, Promise<APIResponse>] => [path, http.get(`/admin/agents/${id}${path}`)]),
    ['issued backup code', http.postForPage('/admin/agents/backup-code', { id, reason: 'Lost phone' })],
    ['issued backup code for a program', http.post('/admin/agents/backup-code', { id, reason: 'Lost phone' })],
    ['refused deletion', http.postForPage('/admin/agents/delete', { id, confirm_name: 'nobody' })],
    ['unknown agent', http.get('/admin/agents/nobody/view')],
    // The token stands in the address of a link: nobody is told where the visitor came from, not even ourselves.
    ['link', http.get(`/activate/${'a'.repeat(43)}`), 'no-referrer'],
    ['link that is over', http.get('/choose-password')],
  ];
  for (const [what, answer, referrerPolicy] of answers) {
    expectSafeHeaders(await answer, what, referrerPolicy);
    expect((await answer).status(), what).toBeLessThan(500);
  }
});

test('the nonce is new each time and scripts need it', async ({ http }) => {
  const nonces = new Set<string>();
  for (let visit = 0; visit < 3; visit += 1) {
    const response = await http.get('/login');
    const script = policyOf(response).get('script-src') ?? '';
    const nonce = /'nonce-([^']+)'/.exec(script)?.[1] ?? '';
    expect(nonce.length).toBeGreaterThanOrEqual(16);
    expect(script).toContain("'wasm-unsafe-eval'");
    nonces.add(nonce);
    const page = await response.text();
    for (const [tag] of page.matchAll(/<script\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`);
  }
  expect(nonces.size).toBe(3);
});

test('assets are hashed, immutable and packed', async ({ http }) => {
  const page = await (await http.get('/login')).text();
  const assets = new Set([...page.matchAll(/\/assets\/[\w.-]+/g)].map(([path]) => path));
  expect(assets.size).toBeGreaterThan(2);
  for (const path of assets) {
    const response = await http.get(path, { headers: { 'Accept-Encoding': 'br' } });
    expect(response.status(), path).toBe(200);
    expect(response.headers()['cache-control'], path).toContain('immutable');
    expect(response.headers()['x-content-type-options'], path).toBe('nosniff');
    if (/\.(css|js|wasm)$/.test(path)) expect(response.headers()['content-encoding'], path).toBe('br');
    if (path.endsWith('.wasm')) expect(response.headers()['content-type']).toBe('application/wasm');
    expect(setCookies(response), path).toEqual([]);
  }
});

/** The attributes of a cookie that an answer sets, in lower case. */
function attributesOf(response: APIResponse, name: string): string[] {
  const header = setCookies(response).find((cookie) => cookie.startsWith(`${name}=`));
  expect(header, `cookie ${name}`).toBeDefined();
  return (header ?? '').split(';').slice(1).map((attribute) => attribute.trim().toLowerCase());
}

test.describe('cookies', { tag: '@journey' }, () => {
  test.use({ twoFactorPolicy: 30 });

  test('have the attributes that keep them safe', async ({ http, account, mail }) => {
    const { company, account: name, password } = account;
    const passed = await http.post('/login', { company, account: name, password });
    expect(passed.status()).toBe(200);
    const verified = await http.post('/login/code', { code: await mail.nextCode(account.email), trust: 'yes' });
    expect(verified.status()).toBe(200);
    const language = await http.post('/language', { language: 'de', return_to: '/agent' });
    expect(language.status()).toBe(200);

    for (const [answer, cookie, sameSite] of [
      [passed, 'pending', 'lax'],
      [passed, 'company', 'lax'],
      [verified, 'session', 'lax'],
      [verified, 'trusted', 'strict'],
    ] as const) {
      const attributes = attributesOf(answer, cookie);
      expect(attributes, cookie).toContain('httponly');
      expect(attributes, cookie).toContain('path=/');
      expect(attributes, cookie).toContain(`samesite=${sameSite}`);
      expect(attributes.filter((attribute) => attribute.startsWith('domain')), cookie).toEqual([]);
    }
    const attributes = attributesOf(language, 'language');
    expect(attributes).toContain('path=/');
    expect(attributes).toContain('samesite=lax');
    expect(attributes).not.toContain('httponly');
    expect(attributesOf(verified, 'session').filter((attribute) => /^(max-age|expires)/.test(attribute)), 'the session ends with the browser').toEqual([]);
    expect(cookieOf(verified, 'pending'), 'the pending sign-in is over').toBe('');
    for (const cookie of ['session', 'trusted']) expect((cookieOf(verified, cookie) ?? '').length, `${cookie}: 256 bits`).toBeGreaterThanOrEqual(43);
    expect((cookieOf(passed, 'pending') ?? '').length).toBeGreaterThanOrEqual(43);
  });

  test('are bound to host and TLS where the site has a certificate', async ({ database, playwright, source }) => {
    const server = await Server.start(database, (port) => ({ VESTIBULE_PUBLIC_URL: `https://127.0.0.1:${port}` }));
    const request = await playwright.request.newContext({ baseURL: server.url, extraHTTPHeaders: { 'X-Forwarded-For': source ?? '', 'X-Forwarded-Proto': 'https' } });
    try {
      const company = `Acme ${unique()}`;
      await server.kit.createCompany({ name: company, language: 'en', two_factor_policy: 0 });
      await server.kit.createAccount({ company, account: 'alice', email: 'a@acme.test', first_name: 'Alice', roles: ['agent'], password: 'Correct horse battery!', second_factor: 'none' });
      const http = new Http(request, server.url.replace('http:', 'https:'));
      const answer = await http.post('/login', { company, account: 'alice', password: 'Correct horse battery!' });
      expect(answer.status()).toBe(200);
      expect(answer.headers()['strict-transport-security']).toBe('max-age=63072000; includeSubDomains');
      expect(attributesOf(answer, '__Host-session')).toContain('secure');
      for (const cookie of setCookies(answer)) expect(cookie).toMatch(/^__Host-.*; ?secure/i);
    } finally {
      await request.dispose();
      await server.stop();
    }
  });
});
