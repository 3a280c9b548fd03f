import { expect, type Account } from '../fixtures';
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility';
import { Issuer } from '../fixtures/issuer';
import { answer, comeInWith, test } from '../fixtures/sso';
import { longName } from '../fixtures/walk';

for (const { language, colorScheme } of [
  { language: 'en', colorScheme: 'light' },
  { language: 'ar', colorScheme: 'dark' },
] as const) {
  test.describe(`in ${language} and ${colorScheme}`, () => {
    test.use({ language, colorScheme, viewport: { width: 320, height: 720 } });

    test('axe finds nothing on the pages of providers, and none scrolls sideways', async ({ visitor, createCompany, createAccount, mail, google, labels }) => {
      const { page, login, bind, agent, security } = visitor;
      const check = async () => {
        await expectNoSidewaysScroll(page);
        await expectAccessible(page);
      };
      const inMany: Account[] = [];
      google.email = `${longName}@${longName}.test`.toLowerCase();
      await login.goto();
      await check();
      await login.signInWith('Google').click();
      await answer(visitor, Issuer.cancel);
      await expect(page.getByText(labels.errors.sso_cancelled)).toBeVisible();
      await check();
      for (const name of ['One', 'Two']) {
        const { name: company } = await createCompany({ name: `${longName} ${name} ${Date.now()}` });
        inMany.push(await createAccount({ company, second_factor: 'none' }));
      }
      for (const account of inMany) {
        await visitor.page.context().clearCookies();
        await visitor.signIn(account, mail);
        await security.goto();
        await security.provider('Google').button(labels.sso.connect).click();
        await answer(visitor, Issuer.goOn);
        await expect(page.getByText(labels.sso.was_connected)).toBeVisible();
        await check();
        await security.provider('Google').row.getByText(labels.sso.disconnect, { exact: true }).first().click();
        await check();
        await agent.signOut();
      }
      await comeInWith(visitor, google, '');
      await expect(page.getByRole('heading', { level: 1, name: labels.sso.choose_title, exact: true })).toBeVisible();
      await check();
      await page.getByRole('button', { name: inMany[1]?.company ?? '', exact: true }).click();
      await agent.ready();
      await agent.signOut();

      google.email = `new.${google.email}`;
      await comeInWith(visitor, google, inMany[0]?.company ?? '');
      await bind.ready();
      await check();
      await bind.bind.click();
      await expect(page.getByRole('link', { name: labels.errors.password_missing, exact: true })).toBeVisible();
      await check();
    });
  });
}
