import { expect, test } from '../fixtures';
import { expectNoSidewaysScroll } from '../fixtures/accessibility';

for (const { language, width } of [
  { language: 'en', width: 320 },
  { language: 'de', width: 320 },
  { language: 'ar', width: 320 },
  { language: 'en', width: 1440 },
]) {
  test.describe(`${width} px wide in ${language}`, () => {
    test.use({ language, viewport: { width, height: 720 }, twoFactorPolicy: 90 });

    test('no page scrolls sideways', async ({ visitor, account, createAccount, mail }) => {
      const { page } = visitor;
      for (const path of ['/login', `/login?company=${'W'.repeat(64)}`, '/terms', '/privacy', '/nowhere']) {
        await visitor.open(path);
        await expectNoSidewaysScroll(page);
      }
      await visitor.login.goto();
      await visitor.login.submit.click();
      await expect(visitor.login.sentence(visitor.labels.errors.account_missing)).toBeVisible();
      await expectNoSidewaysScroll(page);
      await visitor.passPassword(account);
      await expectNoSidewaysScroll(page);
      await visitor.code.enter(await mail.nextCode(account.email));
      await visitor.agent.ready();
      await expectNoSidewaysScroll(page);
      await visitor.open('/admin');
      await expectNoSidewaysScroll(page);
      await page.context().clearCookies();
      await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none', first_name: 'Wolfeschlegelsteinhausenbergerdorff' }), mail);
      await expectNoSidewaysScroll(page);
    });

    if (width !== 320) return;

    test('everything to press is big enough', async ({ visitor, account }) => {
      await visitor.passPassword(account);
      for (const target of [visitor.code.verify, visitor.code.cancel, visitor.code.resend, visitor.code.code, visitor.language.select]) {
        const box = await target.boundingBox();
        expect(box?.height, `height of ${target}`).toBeGreaterThanOrEqual(24);
        expect(box?.width, `width of ${target}`).toBeGreaterThanOrEqual(24);
      }
    });
  });
}
