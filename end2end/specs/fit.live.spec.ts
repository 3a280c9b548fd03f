import { appOf, expect, test } from '../fixtures';
import { Fit } from '../fixtures/fit';
import { languages, pseudo } from '../fixtures/labels';

for (const language of [...languages, ...pseudo]) {
  test.describe(`at every width in ${language}`, () => {
    test.use({ language, viewport: { width: 1280, height: 720 }, twoFactorPolicy: 30 });

    test('what scripts add to pages fits too', async ({ visitor, company, account, createAccount, createApp, labels }) => {
      test.slow();
      const admin = await createAccount({ roles: ['admin'], second_factor: 'both' });
      const fit = new Fit(visitor.page, [company.name, account.account, account.email, admin.account, admin.email]);
      const { agents, appSetUp, backupCodes, newBackupCodes, page, security } = visitor;
      await visitor.passPassword(account);
      await fit.look();
      await page.context().clearCookies();
      await visitor.passPassword(admin);
      await visitor.code.enter(await appOf(admin).code());
      await visitor.admin.ready();
      await agents.goto();
      await agents.tick(account.account);
      await fit.look();
      await page.getByRole('main').getByRole('button', { name: labels.agents.columns, exact: true }).click();
      await fit.look();
      await visitor.profile.goto();
      await visitor.profile.newPassword.fill('passwordpassword');
      await expect(visitor.profile.sentence(labels.errors.password_weak)).toBeVisible();
      await fit.look();
      await security.goto();
      await security.begin('app');
      await appSetUp.ready();
      await fit.look();
      await visitor.takeSecret(createApp);
      await fit.look();
      await backupCodes.goto();
      await backupCodes.generate.click();
      await newBackupCodes.ready();
      await fit.look();
      await visitor.ssoSettings.goto();
      await fit.look();
      expect(fit.misfits).toEqual([]);
    });
  });
}
