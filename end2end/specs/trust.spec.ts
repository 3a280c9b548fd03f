import { expect, test } from '../fixtures';

test.describe("Don't ask again", () => {
  test('is not offered when the policy is every login', async ({ visitor, account, mail }) => {
    await visitor.passPassword(account);
    await expect(visitor.code.anyTrust).toHaveCount(0);
    const code = await mail.nextCode(account.email);
    expect((await visitor.post('/login/code', { code, trust: 'yes' })).status()).toBe(200);
    expect(await visitor.cookie('trusted'), 'a forged tick trusts nothing').toBeUndefined();
  });

  for (const days of [14, 90] as const) {
    test.describe(`for ${days} days`, () => {
      test.use({ twoFactorPolicy: days });

      test('offers the days of the policy', async ({ visitor, account }) => {
        await visitor.passPassword(account);
        await expect(visitor.code.trust(days)).not.toBeChecked();
      });
    });
  }
});

test.describe('a trusted browser', { tag: '@journey' }, () => {
  test.use({ twoFactorPolicy: 30 });

  test('is not asked for a code until its days are over', async ({ visitor, account, mail, clock }) => {
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await visitor.agent.signOut();
    await visitor.login.ready();

    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.agent.ready();
    await visitor.agent.signOut();
    await visitor.login.ready();

    await clock.advance({ days: 29 });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.agent.ready();
    await visitor.agent.signOut();
    await visitor.login.ready();

    await clock.advance({ days: 1, minutes: 1 });
    await visitor.passPassword(account);
  });

  test('still wants the right password', async ({ visitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await visitor.agent.signOut();
    await visitor.login.ready();
    await visitor.open('/agent');
    await visitor.login.ready();
    expect(await visitor.login.send({ ...account, password: 'wrong' })).toBe(401);
    await expect(visitor.login.sentence(labels.errors.wrong_credentials)).toBeVisible();
  });

  test('is asked again when its cookies are cleared', async ({ visitor, account, mail }) => {
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await visitor.page.context().clearCookies();
    await visitor.passPassword(account);
  });

  test('is not trusted when the box was not ticked', async ({ visitor, account, mail }) => {
    await visitor.signIn(account, mail);
    await visitor.agent.signOut();
    await visitor.login.ready();
    await visitor.passPassword(account);
  });

  test('asks other accounts, and may be trusted by two', async ({ visitor, account, createAccount, mail }) => {
    const other = await createAccount();
    for (const somebody of [account, other]) {
      await visitor.passPassword(somebody);
      await visitor.code.trust(30).check();
      await visitor.code.enter(await mail.nextCode(somebody.email));
      await visitor.agent.ready();
      await visitor.agent.signOut();
      await visitor.login.ready();
    }
    for (const somebody of [account, other]) {
      await visitor.login.goto();
      await visitor.login.send(somebody);
      await visitor.agent.ready();
      await visitor.agent.signOut();
      await visitor.login.ready();
    }
  });

  test('lets nobody in who is locked', async ({ visitor, anotherVisitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();

    const other = await anotherVisitor();
    await other.passPassword(account);
    const code = await mail.nextCode(account.email);
    for (let number = 0; number < 5; number += 1) await other.post('/login/code', { code: code === '000000' ? '000001' : '000000' });

    await visitor.open('/agent');
    await visitor.agent.ready();
    await visitor.agent.signOut();
    await visitor.login.ready();
    await visitor.login.goto();
    expect(await visitor.login.send(account)).toBe(403);
    await expect(visitor.login.sentence(labels.errors.account_locked)).toBeVisible();
  });

  test('a ticked box survives a wrong code', async ({ visitor, account, mail }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    await visitor.code.trust(30).check();
    expect(await visitor.code.send(code === '000000' ? '000001' : '000000')).toBe(401);
    await expect(visitor.code.verify).toBeEnabled();
    await expect(visitor.code.trust(30)).toBeChecked();
  });
});
