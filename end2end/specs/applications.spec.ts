import { expect, test as base } from '../fixtures';
import { Application } from '../fixtures/application';
import { fill } from '../fixtures/labels';

const test = base.extend<{ application: Application }>({
  application: async ({ server, company }, use) => {
    const application = await Application.start(server.kit, { company: company.name, name: 'Agent Desktop' });
    await use(application);
    application.stop();
  },
});

test('an agent is signed in to an application, and out again', { tag: '@journey' }, async ({ visitor, application, account, mail, server }) => {
  const { page, login } = visitor;
  await page.goto(application.authorize({ login_hint: `${account.company}/${account.account}` }));
  await login.ready();
  await expect(login.company).toHaveValue(account.company);
  await expect(login.account).toHaveValue(account.account);
  await login.send(account);
  await visitor.code.ready();
  await visitor.code.enter(await mail.nextCode(account.email));
  await page.waitForURL(`${application.url}/callback?**`);
  expect(application.answers.at(-1)?.get('state')).toBe('state');
  const { id_token } = await application.tokens(server.url);

  // Signed in already: nothing is asked.
  await page.goto(application.authorize({ prompt: 'none' }));
  await page.waitForURL(`${application.url}/callback?**`);
  await page.goto(application.logout(id_token));
  await page.waitForURL(`${application.url}/bye`);
  await page.goto('/agent');
  await login.ready();
});

test('an answer that is posted reaches the application', async ({ visitor, application, account, mail, live, labels }) => {
  const { page } = visitor;
  await visitor.signIn(account, mail);
  await page.goto(application.authorize({ response_mode: 'form_post' }));
  if (!live) await page.getByRole('button', { name: labels.common.go_on, exact: true }).click();
  await page.waitForURL(`${application.url}/callback`);
  expect(application.answers.at(-1)?.get('code')).not.toBeNull();
});

test('the agent chooses as whom, or goes back', async ({ visitor, application, account, mail, labels }) => {
  const { page, login } = visitor;
  await visitor.signIn(account, mail);
  await page.goto(application.authorize({ prompt: 'select_account' }));
  await expect(page.getByText(fill(labels.oauth.choose_intro, { application: 'Agent Desktop' }))).toBeVisible();
  await page.getByRole('link', { name: fill(labels.oauth.back, { application: 'Agent Desktop' }), exact: true }).click();
  await page.waitForURL(`${application.url}/callback?**`);
  expect(application.answers.at(-1)?.get('error')).toBe('access_denied');
  await page.goto(application.authorize({ prompt: 'select_account' }));
  await page.getByRole('button', { name: labels.oauth.other_account, exact: true }).click();
  await login.ready();
});
