import { expect, test } from '../fixtures';

/** What the browser does with a form before any script has loaded. */
test('every form is a post to its own server function', async ({ visitor, account, createAccount, mail }) => {
  const actions = async () =>
    (await visitor.page.locator('form').evaluateAll((forms) => (forms as HTMLFormElement[]).map((form) => `${form.method} ${new URL(form.action).pathname}`))).sort();

  await visitor.login.goto();
  expect(await actions()).toEqual(['post /language', 'post /login']);
  await visitor.passPassword(account);
  expect(await actions()).toEqual(expect.arrayContaining(['post /language', 'post /login/code', 'post /login/code/cancel', 'post /login/code/resend']));
  await visitor.code.enter(await mail.nextCode(account.email));
  await visitor.agent.ready();
  expect(await actions()).toEqual(['post /language', 'post /logout']);
  await visitor.page.context().clearCookies();
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  // The overview asks for the days it is to show.
  expect(await actions()).toEqual(['get /admin', 'post /language', 'post /logout']);
});

test('so is every form of the profile, and the only other one asks for the next page', async ({ visitor, createAccount, mail }) => {
  const actions = async () => {
    const all = await visitor.page.locator('form').evaluateAll((forms) => (forms as HTMLFormElement[]).map((form) => `${form.method} ${new URL(form.action).pathname}`));
    return all.filter((action) => !['post /language', 'post /logout'].includes(action)).sort();
  };
  await visitor.signIn(await createAccount({ second_factor: 'both' }), mail);
  await visitor.profile.goto();
  expect(await actions()).toEqual(['post /profile', 'post /profile/email', 'post /profile/password']);
  await visitor.open('/profile/confirm');
  expect(await actions()).toEqual(['post /profile/confirm']);
  await visitor.security.goto();
  expect(await actions()).toEqual(
    ['app', 'app/off', 'email', 'email/off', 'sessions/end'].map((action) => `post /profile/security/${action}`),
  );
  await visitor.security.begin('email');
  await visitor.emailSetUp.ready();
  expect(await actions()).toEqual(['post /profile/security/email/code', 'post /profile/security/email/resend']);
  await visitor.security.goto();
  await visitor.security.begin('app');
  await visitor.appSetUp.ready();
  expect(await actions()).toEqual(['get /profile/security/app/code']);
  await visitor.appSetUp.next.click();
  await visitor.appCode.ready();
  expect(await actions()).toEqual(['post /profile/security/app/code']);
  await visitor.backupCodes.goto();
  expect(await actions()).toEqual(['post /profile/security/backup-codes']);
});

test('nothing secret stands in any address', { tag: '@journey' }, async ({ visitor, account, mail }) => {
  const addresses: string[] = [];
  visitor.page.on('request', (request) => addresses.push(request.url()));
  await visitor.login.goto();
  await visitor.login.send({ ...account, password: `${account.password} wrong` });
  await visitor.login.send(account);
  await visitor.code.ready();
  const code = await mail.nextCode(account.email);
  await visitor.code.send(code === '000000' ? '000001' : '000000');
  await expect(visitor.code.verify).toBeEnabled();
  const pending = await visitor.cookie('pending');
  await visitor.code.enter(code);
  await visitor.agent.ready();
  const session = await visitor.cookie('session');
  await visitor.agent.signOut();
  await visitor.login.ready();

  expect(pending).toBeTruthy();
  expect(session).toBeTruthy();
  const secrets = [account.password, account.email, account.account, code, pending ?? '', session ?? ''];
  for (const address of addresses.map((text) => decodeURIComponent(text))) {
    for (const secret of secrets) expect(address).not.toContain(secret);
    expect(address, 'everything comes from our own server').toContain(new URL(visitor.page.url()).origin);
  }
});

test('nothing secret of the profile stands in any address', { tag: '@journey' }, async ({ visitor, createAccount, createApp, mail }) => {
  const addresses: string[] = [];
  visitor.page.on('request', (request) => addresses.push(request.url()));
  const account = await createAccount({ second_factor: 'none' });
  const chosen = 'orchard marble thunder';
  await visitor.signIn(account, mail);
  const app = await visitor.setUpApp(createApp);
  const codes = await visitor.newBackupCodes.read();
  await visitor.newBackupCodes.done.click();
  await visitor.security.ready();
  await visitor.signOut();
  await visitor.passPassword(account);
  await visitor.code.sendBackupCode(codes[0] ?? '');
  await visitor.agent.ready();
  await visitor.profile.goto();
  await visitor.profile.send({ firstName: 'Rita', phone: '+46 8 123' });
  await visitor.profile.sendPassword(account.password, chosen);
  await visitor.login.ready();

  const secrets = [account.password, account.email, account.account, app.secret.replaceAll(' ', ''), chosen, '+46 8 123', 'Rita', ...codes];
  for (const address of addresses.map((text) => decodeURIComponent(text))) {
    for (const secret of secrets) expect(address).not.toContain(secret);
    expect(address, 'everything comes from our own server').toContain(new URL(visitor.page.url()).origin);
  }
});

test('nothing is kept in the browser but cookies', async ({ visitor, account, mail }) => {
  await visitor.signIn(account, mail);
  const kept = await visitor.page.evaluate(() => localStorage.length + sessionStorage.length);
  expect(kept).toBe(0);
});
