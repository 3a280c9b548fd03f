import { expect, test } from '../fixtures';
import type { Locator, Page } from '@playwright/test';

/** Presses Tab until the focus is on `target`, and checks that the focus can be seen there. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      const seen = await target.evaluate((element) => {
        const visible = (style: CSSStyleDeclaration) => (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
        return visible(getComputedStyle(element)) || (element.parentElement !== null && visible(getComputedStyle(element.parentElement)));
      });
      expect(seen, `the focus can be seen on ${target}`).toBe(true);
      return;
    }
  }
  throw new Error(`Tab never reaches ${target}`);
}

test.describe('with the keyboard only', () => {
  test.use({ twoFactorPolicy: 30 });

  test('a person signs in, trusts the browser and logs out', async ({ visitor, account, mail }) => {
    const { page } = visitor;
    await visitor.login.goto();
    await tabTo(page, visitor.login.company);
    await page.keyboard.type(account.company);
    await tabTo(page, visitor.login.account);
    await page.keyboard.type(account.account);
    await tabTo(page, visitor.login.password);
    await page.keyboard.type(account.password);
    await page.keyboard.press('Enter');

    await visitor.code.ready();
    if (!(await visitor.code.code.evaluate((element) => element === document.activeElement))) await tabTo(page, visitor.code.code);
    await page.keyboard.type(await mail.nextCode(account.email));
    await tabTo(page, visitor.code.trust(30));
    await page.keyboard.press('Space');
    await tabTo(page, visitor.code.verify);
    await page.keyboard.press('Enter');

    await visitor.agent.ready();
    if (!(await visitor.agent.logout.isVisible())) {
      await tabTo(page, visitor.agent.menu);
      await page.keyboard.press('Enter');
    }
    await tabTo(page, visitor.agent.logout);
    await page.keyboard.press('Enter');
    await visitor.login.ready();
  });

  test('a person sets an authenticator app up and keeps the backup codes', async ({ visitor, createAccount, createApp, mail, labels }) => {
    const { page } = visitor;
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    if (!(await visitor.agent.profile.isVisible())) {
      await tabTo(page, visitor.agent.menu);
      await page.keyboard.press('Enter');
    }
    await tabTo(page, visitor.agent.profile);
    await page.keyboard.press('Enter');
    await visitor.profile.ready();
    await tabTo(page, visitor.profile.security);
    await page.keyboard.press('Enter');
    await visitor.security.ready();
    await tabTo(page, visitor.security.app.button(labels.profile.set_up));
    await page.keyboard.press('Enter');
    await visitor.appSetUp.ready();
    const app = createApp(await visitor.appSetUp.secret.innerText());
    await tabTo(page, visitor.appSetUp.next);
    await page.keyboard.press('Enter');
    await visitor.appCode.ready();
    if (!(await visitor.appCode.code.evaluate((element) => element === document.activeElement))) await tabTo(page, visitor.appCode.code);
    await page.keyboard.type(await app.code());
    await tabTo(page, visitor.appCode.confirm);
    await page.keyboard.press('Enter');
    await visitor.newBackupCodes.ready();
    await tabTo(page, visitor.newBackupCodes.download);
    await tabTo(page, visitor.newBackupCodes.done);
    await page.keyboard.press('Enter');
    await visitor.security.ready();
    await tabTo(page, visitor.security.viewBackupCodes);
    await page.keyboard.press('Enter');
    await visitor.backupCodes.ready();
    await tabTo(page, visitor.backupCodes.generate);
  });

  test('the profile is saved and the password changed', async ({ visitor, createAccount, mail, labels }) => {
    const { page } = visitor;
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    await tabTo(page, visitor.profile.lastName);
    await page.keyboard.type('Lindqvist');
    await tabTo(page, visitor.profile.timeFormat);
    await tabTo(page, visitor.profile.ownLanguage);
    await tabTo(page, visitor.profile.save);
    await page.keyboard.press('Enter');
    await expect(visitor.profile.sentence(labels.profile.saved)).toBeVisible();
    await visitor.profile.ready();
    await expect(visitor.profile.lastName).toHaveValue('Lindqvist');
    await tabTo(page, visitor.profile.oldPassword);
    await page.keyboard.type(account.password);
    await tabTo(page, visitor.profile.newPassword);
    await page.keyboard.type('orchard marble thunder');
    await tabTo(page, visitor.profile.confirmPassword);
    await page.keyboard.type('orchard marble thunder');
    await page.keyboard.press('Enter');
    await visitor.login.ready();
    await expect(visitor.login.sentence(labels.signIn.password_changed)).toBeVisible();
  });

  test('the other ways on the code page can be reached', async ({ visitor, createAccount }) => {
    const { page } = visitor;
    const account = await createAccount({ second_factor: 'both' });
    await visitor.passPassword(account);
    await tabTo(page, visitor.code.otherMethod);
    await page.keyboard.press('Enter');
    await expect(visitor.code.resend).toBeVisible();
    await visitor.code.ready();
    await tabTo(page, visitor.code.useBackupCode);
    await page.keyboard.press('Enter');
    await expect(visitor.code.backupCode).toBeVisible();
    await visitor.code.ready();
    if (!(await visitor.code.backupCode.evaluate((element) => element === document.activeElement))) await tabTo(page, visitor.code.backupCode);
    await page.keyboard.type(account.backupCodes[0] ?? '');
    await page.keyboard.press('Enter');
    await visitor.agent.ready();
  });

  test('trust and sessions are ended', async ({ visitor, anotherVisitor, account, mail, labels }) => {
    const { page } = visitor;
    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await visitor.security.goto();
    await tabTo(page, visitor.security.removeAll);
    await page.keyboard.press('Enter');
    await expect(visitor.page.getByText(labels.profile.trusted_none)).toBeVisible();
    await tabTo(page, visitor.security.endOthers);
    await page.keyboard.press('Enter');
    await expect(visitor.security.sessions).toHaveCount(1);
  });

  test('Cancel and Resend can be reached', async ({ visitor, account }) => {
    await visitor.passPassword(account);
    await tabTo(visitor.page, visitor.code.cancel);
    await visitor.page.keyboard.press('Enter');
    await visitor.login.ready();
  });

  test('the first stop skips to the content', async ({ visitor, labels }) => {
    await visitor.login.goto();
    const skip = visitor.page.getByRole('link', { name: labels.common.skip_to_content, exact: true });
    await expect(skip).toHaveAttribute('href', /^#/);
    const target = await skip.getAttribute('href');
    await expect(visitor.page.locator(`main${target}, ${target}`).first()).toBeAttached();
  });

  test('the language can be changed', async ({ visitor }) => {
    await visitor.login.goto();
    await tabTo(visitor.page, visitor.language.select);
    await visitor.page.keyboard.press('ArrowDown');
    if (await visitor.language.change.isVisible()) {
      await tabTo(visitor.page, visitor.language.change);
      await visitor.page.keyboard.press('Enter');
    }
    await expect(visitor.page.locator('html')).not.toHaveAttribute('lang', 'en');
  });
});
