import { expect, test, unique } from '../fixtures';
import { Issuer } from '../fixtures/issuer';
import { fill } from '../fixtures/labels';
import { Server } from '../fixtures/server';
import { AgentPage, LoginPage } from '../pages';

const password = 'Correct horse battery!';

test('an agent connects with Google once, comes in with it from then on, and may change her mind', { tag: '@journey' }, async ({ page, database, labels, live }) => {
  const issuer = await Issuer.start(`ada-${unique()}@gmail.test`);
  const server = await Server.start(database, () => ({
    VESTIBULE_SSO__GOOGLE__CLIENT_ID: 'vestibule',
    VESTIBULE_SSO__GOOGLE__CLIENT_SECRET: 'secret of the application',
    VESTIBULE_SSO__GOOGLE__ISSUER: issuer.url,
  }));
  try {
    const company = `Acme ${unique()}`;
    const account = { company, account: 'ada', email: `ada-${unique()}@mail.test`, password, first_name: 'Ada' };
    await server.kit.createCompany({ name: company, language: 'en', two_factor_policy: 0 });
    await server.kit.createAccount({ ...account, roles: ['agent'], second_factor: 'none' });
    const login = new LoginPage(page, labels, live);
    const agent = new AgentPage(page, labels, live);
    const google = page.getByRole('button', { name: fill(labels.sso.sign_in_with, { provider: 'Google' }), exact: true });
    const atProvider = (link: string) => page.getByRole('link', { name: link, exact: true });

    await page.goto(`${server.url}/login`);
    await login.ready();
    await login.company.fill(company);
    await google.click();
    await atProvider(Issuer.cancel).click();
    await expect(page.getByText(labels.errors.sso_cancelled)).toBeVisible();

    await page.goto(`${server.url}/login`);
    await login.ready();
    await login.company.fill(company);
    await google.click();
    await atProvider(Issuer.goOn).click();
    await expect(page).toHaveURL(`${server.url}/login/bind`);
    await expect(page.getByText(issuer.email)).toBeVisible();
    // Without scripts the provider's form cannot know what was typed into the other one.
    if (live) await expect(login.company).toHaveValue(company);
    await login.type(account);
    await page.getByRole('button', { name: labels.sso.bind_submit, exact: true }).click();
    await agent.ready();
    await agent.signOut();

    await login.ready();
    await google.click();
    await atProvider(Issuer.goOn).click();
    await agent.ready();

    await page.goto(`${server.url}/profile/security`);
    await expect(page.getByText(issuer.email)).toBeVisible();
    await page.getByRole('button', { name: labels.sso.disconnect, exact: true }).click();
    await expect(page.getByText(labels.sso.was_disconnected)).toBeVisible();
    await page.getByRole('button', { name: labels.sso.connect, exact: true }).click();
    await atProvider(Issuer.goOn).click();
    await expect(page.getByText(labels.sso.was_connected)).toBeVisible();
  } finally {
    await server.stop();
    await issuer.stop();
  }
});
