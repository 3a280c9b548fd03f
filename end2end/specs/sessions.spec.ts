import { expect, test } from '../fixtures';
import { fill, wait } from '../fixtures/labels';

test.describe('Logout', { tag: '@journey' }, () => {
  test('ends the session, says so, and Back shows nothing private', async ({ visitor, account, mail, labels }) => {
    await visitor.signIn(account, mail);
    const session = (await visitor.page.context().cookies()).find((cookie) => cookie.name === 'session');
    expect(session).toBeDefined();
    await visitor.agent.signOut();
    await visitor.login.ready();
    await expect(visitor.login.sentence(labels.signIn.signed_out)).toBeVisible();
    expect(await visitor.cookie('session')).toBeUndefined();

    await visitor.page.goBack();
    await visitor.login.ready();
    await expect(visitor.page.getByText('Alice')).toHaveCount(0);

    if (session) await visitor.page.context().addCookies([session]);
    await visitor.open('/agent');
    await visitor.login.ready();
  });

  test('ends this browser\'s session only', async ({ visitor, anotherVisitor, account, mail }) => {
    await visitor.signIn(account, mail);
    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await visitor.agent.signOut();
    await visitor.login.ready();
    await other.agent.goto();
  });

  test('works on the admin page and twice, and says in another tab what happened', async ({ visitor, createAccount, mail, labels }) => {
    const admin = await createAccount({ roles: ['admin'], second_factor: 'none' });
    await visitor.signIn(admin, mail);
    const tab = await visitor.newTab();
    await tab.admin.goto();
    await visitor.admin.signOut();
    await visitor.login.ready();
    await tab.admin.signOut();
    await tab.login.ready();
    await tab.open('/admin');
    await tab.login.ready();
    await expect(tab.login.sentence(labels.signIn.ended_signed_out)).toBeVisible();
  });
});

test.describe('a session ends', { tag: '@journey' }, () => {
  test('after 30 minutes without activity, which is said, and nothing typed is lost', async ({ visitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    for (let visit = 0; visit < 3; visit += 1) {
      await clock.advance({ minutes: 29 });
      await visitor.agent.goto();
    }
    await visitor.profile.goto();
    await visitor.profile.phone.fill('+49 170 1234567');
    await clock.advance({ minutes: 30, seconds: 30 });
    await visitor.profile.save.click();
    await visitor.login.ready();
    const time = wait(labels, 30 * 60);
    await expect(visitor.login.sentence(fill(labels.signIn.ended_idle, { time }))).toBeVisible();
    await visitor.login.send(account);
    await expect(visitor.profile.sentence(labels.errors.form_kept)).toBeVisible();
    await expect(visitor.profile.phone).toHaveValue('+49 170 1234567');
    await visitor.profile.save.click();
    await expect(visitor.profile.sentence(labels.profile.saved)).toBeVisible();
  });

  for (const { role, home, hours } of [
    { role: 'agent', home: '/agent', hours: 12 },
    { role: 'admin', home: '/admin', hours: 8 },
  ] as const) {
    test(`of the role ${role} after ${hours} hours, however busy`, async ({ visitor, createAccount, mail, clock }) => {
      const account = await createAccount({ roles: [role], second_factor: 'none' });
      await visitor.signIn(account, mail);
      const status = async () => (await visitor.page.request.get(home, { maxRedirects: 0 })).status();
      for (let minutes = 20; minutes < hours * 60; minutes += 20) {
        await clock.advance({ minutes: 20 });
        expect(await status(), `after ${minutes} minutes`).toBe(200);
      }
      await clock.advance({ minutes: 20 });
      expect(await status()).toBe(303);
      await visitor.open(home);
      await visitor.login.ready();
    });
  }

  test('with the account and with the company', async ({ visitor, anotherVisitor, createAccount, mail, server, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const colleague = await createAccount({ second_factor: 'none' });
    const other = await anotherVisitor();
    await visitor.signIn(account, mail);
    await other.signIn(colleague, mail);
    await server.kit.setAccountActive(account.company, account.account, false);
    await visitor.open('/agent');
    await visitor.login.ready();
    await expect(visitor.login.sentence(labels.signIn.ended_deactivated)).toBeVisible();
    await other.agent.goto();
    await server.kit.setCompanyEnabled(account.company, false);
    await other.open('/agent');
    await other.login.ready();
    await expect(other.login.sentence(labels.signIn.ended_company_disabled)).toBeVisible();
  });
});

test.describe('two tabs', () => {
  test('of one sign-in: the second Verify goes on too', async ({ visitor, account, mail }) => {
    await visitor.passPassword(account);
    const tab = await visitor.newTab();
    await tab.open('/login/code');
    await tab.code.ready();
    const code = await mail.nextCode(account.email);
    await visitor.code.enter(code);
    await visitor.agent.ready();
    await tab.code.enter(code);
    await tab.agent.ready();
  });

  test('after Cancel in one, the other says that it is over', async ({ visitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    const tab = await visitor.newTab();
    await tab.open('/login/code');
    await tab.code.ready();
    await visitor.code.cancel.click();
    await visitor.login.ready();
    await tab.code.type(code);
    await expect(tab.code.sentence(labels.errors.sign_in_expired)).toBeVisible();
  });

  test('Back after signing in is no error', async ({ visitor, account, mail }) => {
    await visitor.passPassword(account);
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    const back = await visitor.page.goBack();
    expect(back?.status() ?? 200).toBeLessThan(400);
    await visitor.open('/agent');
    await visitor.agent.ready();
  });
});

test('a pending sign-in opens no page', async ({ visitor, account }) => {
  await visitor.passPassword(account);
  for (const path of ['/agent', '/admin']) {
    const answer = await visitor.page.request.get(path, { maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    expect(answer.headers()['location']).toMatch(/^\/login/);
  }
});
