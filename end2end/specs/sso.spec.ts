import { expect, unique, type Account } from '../fixtures';
import { Issuer, application, tenant } from '../fixtures/issuer';
import { fill } from '../fixtures/labels';
import { Server } from '../fixtures/server';
import { answer, comeInWith, test } from '../fixtures/sso';
import type { Visitor } from '../pages';

const admin = { roles: ['admin'], second_factor: 'none', first_name: 'Rita' } satisfies Partial<Account>;

/** Sets a company's own application at Office 365 up, as its admin. */
async function setUpOffice({ ssoSettings, labels }: Visitor, change: () => Promise<void> = async () => {}): Promise<void> {
  await ssoSettings.goto();
  await ssoSettings.enabled('Office 365').check();
  await ssoSettings.clientId('Office 365').fill(application.id);
  await ssoSettings.clientSecret('Office 365').fill(application.secret);
  await change();
  expect(await ssoSettings.save()).toBe(303);
  await expect(ssoSettings.good).toHaveText(labels.company.saved);
}

test('an agent connects with Google once, comes in with it from then on, and may change her mind', { tag: '@journey' }, async ({ visitor, createAccount, google, labels, live }) => {
  google.email = `ada-${unique()}@gmail.test`;
  const account = await createAccount({ second_factor: 'none' });
  const { login, bind, agent, security } = visitor;
  await login.goto(`?company=${encodeURIComponent(account.company)}`);
  await login.account.fill(account.account);
  await login.signInWith('Google').click();
  await answer(visitor, Issuer.cancel);
  await expect(visitor.page.getByText(labels.errors.sso_cancelled)).toBeVisible();
  await expect(login.company).toHaveValue(account.company);
  // Without scripts the form of the provider does not know what is typed into the other one.
  await expect(login.account).toHaveValue(live ? account.account : '');

  await comeInWith(visitor, google, account.company);
  await bind.ready();
  await expect(visitor.page.getByText(google.email)).toBeVisible();
  await expect(bind.company).toHaveValue(account.company);
  await bind.send({ ...account, password: 'not the password' });
  await expect(visitor.page.getByText(labels.errors.wrong_credentials)).toBeVisible();
  await bind.send(account);
  await agent.ready();
  await agent.signOut();

  await login.signInWith('Google').click();
  await answer(visitor, Issuer.goOn);
  await agent.ready();

  await security.goto();
  await expect(security.provider('Google').text(google.email)).toBeVisible();
  await security.disconnect('Google');
  await expect(visitor.page.getByText(labels.sso.was_disconnected)).toBeVisible();
  await security.provider('Google').button(labels.sso.connect).click();
  await answer(visitor, Issuer.goOn);
  await expect(visitor.page.getByText(labels.sso.was_connected)).toBeVisible();
});

test('an admin sets Office 365 up and tries it; the code is asked for until the company trusts the provider', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, office365, labels, server, console }) => {
  console.allow(/status of 502 .*\/admin\/sso\/test/);
  const rita = await createAccount(admin);
  const account = await createAccount();
  await visitor.signIn(rita, mail);
  const { ssoSettings } = visitor;
  await ssoSettings.goto();
  await expect(ssoSettings.redirectUri('Office 365')).toHaveValue(`${server.url}/auth/office365/callback`);
  expect(await ssoSettings.test('Office 365')).toBe(409);
  await expect(ssoSettings.alert).toContainText(fill(labels.errors.no_application, { provider: 'Office 365' }));
  await ssoSettings.clientId('Office 365').fill(application.id);
  await ssoSettings.clientSecret('Office 365').fill('not-the-secret');
  expect(await ssoSettings.test('Office 365'), 'what is typed is tried').toBe(502);
  await expect(ssoSettings.clientId('Office 365')).toHaveValue(application.id);
  await ssoSettings.clientSecret('Office 365').fill(application.secret);
  expect(await ssoSettings.test('Office 365')).toBe(200);
  await expect(ssoSettings.good).toContainText(fill(labels.sso.tested, { provider: 'Office 365' }));
  await expect(ssoSettings.good).toContainText(labels.company.not_saved);
  await ssoSettings.goto();
  await expect(ssoSettings.clientId('Office 365')).toHaveValue('');
  await setUpOffice(visitor, async () => ssoSettings.clientSecret('Office 365').fill('not-the-secret'));
  expect(await ssoSettings.test('Office 365')).toBe(502);
  await expect(ssoSettings.alert).toContainText(fill(labels.errors.provider_unknown_application, { provider: 'Office 365' }));
  await setUpOffice(visitor, async () => ssoSettings.tenants('Office 365').fill(tenant.toUpperCase()));
  await expect(ssoSettings.tenants('Office 365')).toHaveValue(tenant);
  expect(await ssoSettings.test('Office 365')).toBe(200);
  await expect(ssoSettings.good).toContainText(fill(labels.sso.tested, { provider: 'Office 365' }));

  const agent = await anotherVisitor();
  office365.email = account.email;
  await comeInWith(agent, office365, account.company);
  await agent.bind.ready();
  await agent.bind.send(account);
  await agent.code.ready();
  await agent.code.enter(await mail.nextCode(account.email));
  await agent.agent.ready();
  await mail.next(account.email, fill(labels.mail.sso_connected_subject, { provider: 'Office 365' }));
  await agent.agent.signOut();
  await comeInWith(agent, office365, account.company);
  await agent.code.ready();
  await agent.code.cancel.click();
  await agent.login.ready();

  await ssoSettings.goto();
  await ssoSettings.trusted('Office 365').check();
  await ssoSettings.save();
  await comeInWith(agent, office365, account.company);
  await agent.agent.ready();

  await ssoSettings.goto();
  await ssoSettings.enabled('Office 365').uncheck();
  await ssoSettings.save();
  await agent.agent.signOut();
  await agent.login.goto();
  await expect(agent.login.signInWith('Google')).toBeVisible();
  await expect(agent.login.signInWith('Office 365')).toHaveCount(0);
});

test('an agent without a password proves with the provider that it is her', async ({ visitor, anotherVisitor, createAccount, mail, clock, google, labels }) => {
  const rita = await createAccount(admin);
  const account = await createAccount({ second_factor: 'none' });
  google.email = account.email;
  await comeInWith(visitor, google, account.company);
  await visitor.bind.ready();
  await visitor.bind.send(account);
  await visitor.agent.ready();

  const console = await anotherVisitor();
  await console.signIn(rita, mail);
  await console.agentView.goto(account.id);
  await expect(console.agentView.sentence(google.email)).toBeVisible();
  await console.agentAct.goto(account.id, 'password');
  await console.agentAct.press(labels.agents.remove_password, '/admin/agents/remove-password');
  await expect(console.agentView.good).toHaveText(labels.agents.password_removed);
  await console.page.locator('summary').filter({ hasText: labels.sso.disconnect }).click();
  expect(await console.agentView.press(labels.sso.disconnect, '/admin/agents/disconnect')).toBe(409);
  await expect(console.agentAct.alert).toContainText(labels.errors.provider_is_last_way_in);
  await console.agentView.goto(account.id);
  await expect(console.agentView.fact(labels.agents.sign_in_by)).toHaveText(fill(labels.agents.by_provider_only, { provider: 'Google' }));

  await visitor.login.goto();
  await visitor.login.send(account);
  await expect(visitor.login.sentence(labels.errors.wrong_credentials)).toBeVisible();
  await comeInWith(visitor, google, account.company);
  await visitor.agent.ready();
  await clock.advance({ seconds: 301 });
  await visitor.security.goto();
  await visitor.security.begin('app');
  await visitor.page.getByRole('button', { name: fill(labels.sso.confirm_with, { provider: 'Google' }), exact: true }).click();
  await answer(visitor, Issuer.goOn);
  await visitor.appSetUp.ready();
});

test('a provider that is down leaves everybody where they were', async ({ visitor, account, google, labels, database, console }) => {
  console.allow(/status of 502 .*\/auth\/google\//);
  const { page, login } = visitor;
  await login.goto(`?company=${encodeURIComponent(account.company)}`);
  await login.signInWith('Google').click();
  google.failing = true;
  try {
    await answer(visitor, Issuer.goOn);
    await expect(page.getByText(labels.errors.sso_failed)).toBeVisible();
    await page.getByRole('link', { name: labels.signIn.back_to_sign_in, exact: true }).click();
    await login.ready();
  } finally {
    google.failing = false;
  }

  // And one that never answered at all.
  const gone = await Issuer.start('google');
  const server = await Server.start(database, () => gone.settingsWithApplication);
  try {
    await gone.stop();
    await server.kit.createCompany({ name: account.company, language: 'en', two_factor_policy: 0 });
    await page.goto(`${server.url}/login`);
    await login.ready();
    await login.signInWith('Google').click();
    await expect(page.getByText(labels.errors.sso_failed)).toBeVisible();
  } finally {
    await server.stop();
  }
});

test("a company's own application is found by the company that is typed", async ({ visitor, anotherVisitor, createAccount, mail, office365, labels, live }) => {
  const rita = await createAccount(admin);
  await visitor.signIn(rita, mail);
  await setUpOffice(visitor);
  const { page, login, bind } = await anotherVisitor();
  office365.email = `eve-${unique()}@contoso.test`;
  await login.goto();
  await login.company.fill(rita.company);
  await login.signInWith('Office 365').click();
  if (!live) {
    // Without scripts the form of the provider does not know what was typed into the other one.
    await expect(page.getByText(fill(labels.sso.company_intro, { provider: 'Office 365' }))).toBeVisible();
    await login.company.fill(rita.company);
    await login.signInWith('Office 365').click();
  }
  await page.getByRole('link', { name: Issuer.goOn, exact: true }).click();
  await bind.ready();
  await expect(bind.company).toHaveValue(rita.company);
});

test('whoever gives up on the bind page leaves nothing behind', async ({ visitor, account, google }) => {
  google.email = `eve-${unique()}@gmail.test`;
  await comeInWith(visitor, google, account.company);
  await visitor.bind.ready();
  await visitor.bind.cancel.click();
  await visitor.login.ready();
  await visitor.page.goto('/login/bind');
  await visitor.login.ready();
});
