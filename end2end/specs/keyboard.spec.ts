import { expect, test } from '../fixtures';
import type { Locator, Page } from '@playwright/test';

/** Presses Tab until the focus is on `target`, and checks that the focus can be seen there. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 25; presses += 1) {
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
