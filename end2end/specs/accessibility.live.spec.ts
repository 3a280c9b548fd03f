import { expect, test } from '../fixtures';
import { expectAccessible } from '../fixtures/accessibility';

for (const { name, language, colorScheme } of [
  { name: 'light', language: 'en', colorScheme: 'light' },
  { name: 'dark', language: 'en', colorScheme: 'dark' },
  { name: 'Arabic', language: 'ar', colorScheme: 'light' },
  { name: 'Arabic and dark', language: 'ar', colorScheme: 'dark' },
] as const) {
  test.describe(`axe finds nothing (${name})`, () => {
    test.use({ language, colorScheme, twoFactorPolicy: 30 });

    test('on the pages before signing in', async ({ visitor, account, mail }) => {
      const { page } = visitor;
      await visitor.login.goto();
      await expectAccessible(page);
      await visitor.login.submit.click();
      await expect(visitor.login.sentence(visitor.labels.errors.account_missing)).toBeVisible();
      await expectAccessible(page);
      await visitor.login.send({ ...account, password: 'wrong' });
      await expect(visitor.login.sentence(visitor.labels.errors.wrong_credentials)).toBeVisible();
      await expectAccessible(page);
      await visitor.passPassword(account);
      await expectAccessible(page);
      const code = await mail.nextCode(account.email);
      const wrong = code === '000000' ? '000001' : '000000';
      for (let number = 1; number <= 3; number += 1) await visitor.post('/login/code', { code: wrong });
      await visitor.code.send(wrong);
      await expect(visitor.code.sentence(visitor.labels.errors.one_left)).toBeVisible();
      await expectAccessible(page);
      await visitor.code.send(wrong);
      await visitor.locked.ready();
      await expectAccessible(page);
    });

    test('on the pages after signing in and on those for everybody', async ({ visitor, account, createAccount, mail }) => {
      const { page } = visitor;
      for (const path of ['/terms', '/privacy', '/nowhere']) {
        await visitor.open(path);
        await expectAccessible(page);
      }
      await visitor.signIn(account, mail);
      await expectAccessible(page);
      await visitor.open('/admin');
      await expectAccessible(page);
      await page.context().clearCookies();
      await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
      await expectAccessible(page);
    });
  });
}

test.describe('the focus', () => {
  test('goes to the error summary', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.submit.click();
    await expect(visitor.page.locator(':focus')).toHaveText(labels.errors.summary_title);
    await expect(visitor.page.getByRole('alert').getByRole('link', { name: labels.errors.company_missing, exact: true })).toBeVisible();
  });

  test('goes from the summary to the field', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.submit.click();
    await visitor.page.getByRole('link', { name: labels.errors.account_missing, exact: true }).click();
    await expect(visitor.login.account).toBeFocused();
  });
});

test.describe('live regions', () => {
  test('say a warning', async ({ visitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    await visitor.code.send(code === '000000' ? '000001' : '000000');
    const warning = visitor.code.sentence(labels.errors.wrong_code);
    await expect(warning).toBeVisible();
    const announced = await warning.evaluate(
      (element) => element.closest('[role=alert],[role=status],[aria-live=polite],[aria-live=assertive]') !== null || element.contains(document.activeElement) || (document.activeElement !== document.body && (document.activeElement?.contains(element) ?? false)),
    );
    expect(announced).toBe(true);
  });

  test('do not read the countdown out every second', async ({ visitor, account }) => {
    await visitor.passPassword(account);
    const chatters = await visitor.code.countdown.evaluate((element) => {
      const region = element.closest('[role=alert],[role=status],[role=timer],[aria-live]');
      return region !== null && region.getAttribute('aria-live') !== 'off' && region.getAttribute('role') !== 'timer';
    });
    expect(chatters).toBe(false);
  });
});
