import { expect, test, unique } from '../fixtures';
import { AuthenticatorApp } from '../fixtures/authenticator';
import { Clock } from '../fixtures/clock';
import { cookieOf, Http } from '../fixtures/http';
import { Server } from '../fixtures/server';
import { Mails } from '../fixtures/mails';

test('no secret is ever logged', { tag: '@journey' }, async ({ database, playwright }) => {
  const server = await Server.start(database, () => ({ VESTIBULE_LOG: 'debug' }));
  const request = await playwright.request.newContext({ baseURL: server.url });
  try {
    const http = new Http(request, server.url);
    const mail = new Mails(server.kit);
    const company = `Acme ${unique()}`;
    const account = { company, account: 'alice', email: `alice@mail-${unique()}.test`, first_name: 'Alice', password: `Very-secret-${unique()}` };
    await server.kit.createCompany({ name: company, language: 'en', two_factor_policy: 30 });
    await server.kit.createAccount({ ...account, roles: ['agent'], second_factor: 'email' });
    const secrets = [account.password];

    const wrong = `Wrong-secret-${unique()}`;
    secrets.push(wrong);
    await http.post('/login', { company, account: 'alice', password: wrong });
    await http.postRaw('/login', `company=%ff&account=alice&password=${account.password}`);
    await http.postRaw('/login', JSON.stringify(account), { headers: { 'Content-Type': 'application/json' } });
    const passed = await http.post('/login', { company, account: 'alice', password: account.password });
    secrets.push(cookieOf(passed, 'pending') ?? 'missing');
    const code = await mail.nextCode(account.email);
    const guess = code === '918273' ? '918274' : '918273';
    expect((await http.post('/login/code', { code: guess })).status()).toBe(401);
    const verified = await http.post('/login/code', { code, trust: 'yes' });
    expect(verified.status()).toBe(200);
    for (const cookie of ['session', 'trusted']) secrets.push(cookieOf(verified, cookie) ?? 'missing');
    await http.get('/agent');
    await http.post('/logout');

    const tom = { ...account, account: 'tom', email: `tom@mail-${unique()}.test` };
    const { app_secret = '', backup_codes: [backup = ''] = [] } = await server.kit.createAccount({ ...tom, roles: ['agent'], second_factor: 'app' });
    const app = new AuthenticatorApp(app_secret, new Clock(server.kit));
    await http.post('/login', { company, account: 'tom', password: tom.password });
    const appCode = await app.code();
    expect((await http.post('/login/code', { code: appCode })).status()).toBe(200);
    await http.post('/login', { company, account: 'tom', password: tom.password });
    expect((await http.post('/login/code', { code: backup })).status()).toBe(200);
    await http.post('/profile/security/app');
    const page = await (await http.get('/profile/security/app')).text();
    const pendingSecret = (/<code\b[^>]*>([A-Z2-7 ]{39})</.exec(page)?.[1] ?? 'missing').replaceAll(' ', '');
    const made = (await (await http.post('/profile/security/backup-codes')).json()) as { backup_codes: string[] };
    const newPassword = `New-secret-${unique()}`;
    await http.post('/profile/password/check', { new_password: newPassword });
    expect((await http.post('/profile/password', { old_password: tom.password, new_password: newPassword, confirm_password: newPassword })).status()).toBe(200);
    expect(pendingSecret).toHaveLength(32);
    secrets.push(app_secret, pendingSecret, newPassword, ...[backup, ...made.backup_codes].flatMap((code) => [code, code.replaceAll('-', '')]));

    const log = server.log;
    expect(log).not.toBe('');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(10);
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) expect(log.includes(form), `the log holds ${form}`).toBe(false);
    }
    for (const digits of [code, guess, appCode]) expect(log, 'the log holds a code').not.toMatch(new RegExp(`(?<![\\d.])${digits}(?!\\d)`));
  } finally {
    await request.dispose();
    await server.stop();
  }
});
