import { expect, test as base, unique } from '../fixtures';
import { Server } from '../fixtures/server';
import { selectors } from '../kit/src/selectors';

/** A server as `vestibule-test-kit serve` starts it: the kit plays Google and Office 365. */
const test = base.extend({
  server: [
    async ({ database }, use) => {
      const server = await Server.start(database, () => ({ VESTIBULE_SSO__GOOGLE__ISSUER: undefined, VESTIBULE_SSO__OFFICE365__ISSUER: undefined }));
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test('the test kit plays Google and Office 365, with one click', async ({ visitor, createAccount, clock }) => {
  const { page, login, bind, agent } = visitor;
  const account = await createAccount({ second_factor: 'none' });
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  await login.goto(`?company=${encodeURIComponent(account.company)}`);
  for (const selector of Object.values(selectors.providers)) await expect(page.locator(selector)).toHaveCount(1);
  await login.signInWith('Google').click();
  await press('Cancel');
  await login.ready();
  await expect(page.getByRole('main').getByRole('status')).toHaveText(visitor.labels.errors.sso_cancelled);
  await login.signInWith('Google').click();
  await press(`Continue as ${account.email}`);
  await bind.ready();
  await bind.send(account);
  await agent.ready();
  await agent.signOut();

  // Its tokens live by the clock of the kit.
  await clock.advance({ days: 400 });
  await login.goto();
  await login.signInWith('Google').click();
  await press(`Continue as ${account.email}`);
  await agent.ready();
  await agent.signOut();

  await login.signInWith('Office 365').click();
  await page.getByLabel('E-mail', { exact: true }).fill(`${unique()}@contoso.test`);
  await press('Continue');
  await bind.ready();
});

test('a page object goes to a provider and back', async ({ visitor, company, provider }) => {
  await visitor.login.goto(`?company=${encodeURIComponent(company.name)}`);
  await provider.google.cancel();
  await visitor.login.ready();
  await provider.office365.signInAs(`${unique()}@contoso.test`);
  await visitor.bind.ready();
});
