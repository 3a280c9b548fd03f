import { appOf, expect, test } from '../fixtures';
import { fill, wait } from '../fixtures/labels';

/** The sentences of product.md, section 4.5: they are the contract, so they stand here word for word. */
const twoLeft = 'You have 2 login attempts before your account is locked';
const oneLeft = 'You have 1 login attempt before your account is locked';
const locked = 'Your account is locked. Contact your administrator to unlock it.';

test.describe('a code of an authenticator app', { tag: '@journey' }, () => {
  test('signs in, and no mail is sent', async ({ visitor, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    await expect(visitor.code.fromApp).toBeVisible();
    await expect(visitor.code.resend).not.toBeVisible();
    await expect(visitor.code.otherMethod).not.toBeVisible();
    await expect(visitor.page.getByText('@')).toHaveCount(0);
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
    expect(await mail.countCodes(account.email)).toBe(0);
  });

  test('works once: the same one again is refused and says why', async ({ visitor, createAccount, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    const code = await appOf(account).code();
    await visitor.passPassword(account);
    await visitor.code.enter(code);
    await visitor.agent.ready();
    await visitor.signOut();
    await visitor.passPassword(account);
    expect(await visitor.code.send(code)).toBe(401);
    await expect(visitor.code.sentence(labels.errors.code_used)).toBeVisible();
    await expect(visitor.code.code).toHaveValue('');
    await expect(visitor.code.verify).toBeEnabled();
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
  });

  test('of another account is wrong', async ({ visitor, createAccount, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    const other = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    expect(await visitor.code.send(await appOf(other).code())).toBe(401);
    await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
  });

  test('lets somebody trust the browser', async ({ visitor, createCompany, createAccount }) => {
    const company = await createCompany({ two_factor_policy: 30 });
    const account = await createAccount({ company: company.name, second_factor: 'app' });
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    expect(await visitor.code.send(await appOf(account).wrongCode())).toBe(401);
    await expect(visitor.code.verify).toBeEnabled();
    await expect(visitor.code.trust(30)).toBeChecked();
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
    await visitor.signOut();
    await visitor.login.send(account);
    await visitor.agent.ready();
  });
});

test.describe('the clock of a phone', () => {
  for (const seconds of [-30, 30]) {
    test(`may be ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead' : 'behind'}`, async ({ visitor, createAccount }) => {
      const account = await createAccount({ second_factor: 'app' });
      await visitor.passPassword(account);
      await visitor.code.enter(await appOf(account).shownWhenOff(seconds));
      await visitor.agent.ready();
    });
  }

  for (const { seconds, sentence } of [
    { seconds: 120, sentence: 'clock_ahead' },
    { seconds: -300, sentence: 'clock_behind' },
    { seconds: -600, sentence: 'clock_behind' },
  ] as const) {
    test(`that is ${Math.abs(seconds) / 60} minutes ${seconds > 0 ? 'ahead' : 'behind'} is said so, and the code counts`, async ({ visitor, createAccount, labels }) => {
      const account = await createAccount({ second_factor: 'app' });
      await visitor.passPassword(account);
      expect(await visitor.code.send(await appOf(account).shownWhenOff(seconds))).toBe(401);
      await expect(visitor.code.sentence(fill(labels.errors[sentence], { time: wait(labels, Math.abs(seconds)) }))).toBeVisible();
      await expect(visitor.code.verify).toBeEnabled();
      for (let number = 1; number <= 2; number += 1) {
        expect(await visitor.code.send(await appOf(account).wrongCode(number))).toBe(401);
        await expect(visitor.code.verify).toBeEnabled();
      }
      await expect(visitor.code.sentence(twoLeft), 'it was the first of three').toBeVisible();
      await visitor.code.enter(await appOf(account).code());
      await visitor.agent.ready();
    });
  }

  test('more than ten minutes off is just wrong', async ({ visitor, createAccount, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    expect(await visitor.code.send(await appOf(account).shownWhenOff(-21 * 30))).toBe(401);
    await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
  });

  test('the code that the hint gave away is never right', async ({ visitor, createAccount, clock }) => {
    const account = await createAccount({ second_factor: 'app' });
    const early = await appOf(account).shownWhenOff(90);
    await visitor.passPassword(account);
    expect(await visitor.code.send(early)).toBe(401);
    await expect(visitor.code.verify).toBeEnabled();
    await clock.advance({ seconds: 90 });
    expect(await visitor.code.send(early)).toBe(401);
    await expect(visitor.code.verify).toBeEnabled();
    await clock.advance({ seconds: 60 });
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
  });
});

test.describe('wrong codes of every kind', { tag: '@journey' }, () => {
  test('count together: warnings at the third and fourth, lock at the fifth', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'both' });
    await visitor.passPassword(account);
    expect(await visitor.code.send(await appOf(account).wrongCode())).toBe(401);
    await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    expect(await visitor.code.send('ZZZZ-ZZZZ-ZZZZ-ZZZZ')).toBe(401);
    await expect(visitor.code.verify).toBeEnabled();
    await expect(visitor.page.getByText(twoLeft)).toHaveCount(0);

    await visitor.code.otherMethod.click();
    await expect(visitor.code.resend).toBeVisible();
    const mailed = await mail.nextCode(account.email);
    await visitor.code.ready();
    const wrong = [await appOf(account).wrongCode(), await appOf(account).wrongCode(1)].find((code) => code !== mailed) ?? '';
    expect(await visitor.code.send(wrong)).toBe(401);
    await expect(visitor.code.sentence(twoLeft)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    await visitor.code.cancel.click();
    await visitor.login.ready();

    await visitor.login.send(account);
    await visitor.code.ready();
    expect(await visitor.code.sendBackupCode('ZZZZ-ZZZZ-ZZZZ-ZZZ0')).toBe(401);
    await expect(visitor.code.sentence(oneLeft)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    expect(await visitor.code.sendBackupCode('ZZZZ-ZZZZ-ZZZZ-ZZZ1')).toBe(403);
    await visitor.locked.ready();
    await expect(visitor.locked.sentence(locked)).toBeVisible();
    await mail.next(account.email, labels.mail.locked_subject);

    await visitor.locked.backToSignIn.click();
    await visitor.login.ready();
    expect(await visitor.login.send(account)).toBe(403);
    await expect(visitor.login.sentence(locked)).toBeVisible();
  });

  test('the right one as the fifth try signs in', async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    for (let number = 1; number <= 4; number += 1) {
      expect(await visitor.code.send(await appOf(account).wrongCode(number))).toBe(401);
      await expect(visitor.code.verify).toBeEnabled();
    }
    await expect(visitor.code.sentence(oneLeft)).toBeVisible();
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
  });
});

test.describe('Use another method', { tag: '@journey' }, () => {
  test('goes to and fro, and sends one mail', async ({ visitor, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'both' });
    await visitor.passPassword(account);
    expect(await mail.countCodes(account.email)).toBe(0);
    await visitor.code.otherMethod.click();
    await expect(visitor.code.countdown).toBeVisible();
    const code = await mail.nextCode(account.email);
    await visitor.code.otherMethod.click();
    await expect(visitor.code.fromApp).toBeVisible();
    await visitor.code.otherMethod.click();
    await expect(visitor.code.resend).toBeVisible();
    await visitor.code.ready();
    await visitor.code.enter(code);
    await visitor.agent.ready();
    expect(await mail.countCodes(account.email)).toBe(1);
  });

  test('a code of the app is right on the page that asks for the mail too', async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'both' });
    await visitor.passPassword(account);
    await visitor.code.otherMethod.click();
    await expect(visitor.code.resend).toBeVisible();
    await visitor.code.ready();
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
  });

  test('is not offered for an account with one method', async ({ visitor, account }) => {
    await visitor.passPassword(account);
    await expect(visitor.code.otherMethod).not.toBeVisible();
    await expect(visitor.code.useBackupCode).toBeVisible();
  });
});
