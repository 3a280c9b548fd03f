import { expect, test, type Account } from '../fixtures';
import { longName } from '../fixtures/walk';

const admin = { roles: ['admin'], second_factor: 'none', first_name: 'Rita' } satisfies Partial<Account>;

test('an admin adds an application, sees its secret once and deletes it', { tag: '@journey' }, async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount(admin), mail);
  const { applications } = visitor;
  await applications.goto();
  await expect(applications.empty).toBeVisible();
  await applications.link(labels.applications.add).click();
  expect(await applications.add({ name: '', kind: 'web', address: 'http://desktop.acme.test' })).toBe(422);
  await expect(applications.alert.getByRole('link')).toHaveCount(3);
  expect(await applications.add({ name: longName, kind: 'web', address: 'https://desktop.acme.test/', redirect: 'https://desktop.acme.test/callback' })).toBe(200);
  await expect(applications.secret).toHaveValue(/^[\w-]{43}$/);
  await applications.link(labels.agents.done).click();
  await expect(applications.heading).toHaveText(longName);
  await expect(applications.secret, 'shown once').toHaveCount(0);
  await applications.delete(longName);
  await expect(applications.good).toHaveText(labels.applications.deleted);
});

test('agents find their applications on the panel, and go to one after a sign-in', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount(admin), mail);
  const { applications } = visitor;
  await applications.gotoNew();
  await applications.add({ name: 'Wallboard', kind: 'behind_proxy', address: 'http://127.0.0.1:39999/calls' });
  await expect(applications.good).toHaveText(labels.applications.added);
  const agent = await anotherVisitor();
  const account = await createAccount({ second_factor: 'none' });
  await agent.signIn(account, mail);
  const tile = agent.page.getByRole('link', { name: /Wallboard/ });
  await expect(tile).toHaveAttribute('href', 'http://127.0.0.1:39999/calls');
  await expect(tile).toContainText('127.0.0.1');
  await applications.goto();
  await applications.afterSignIn.selectOption('Wallboard');
  await applications.press(labels.common.save, '/admin/applications');
  await expect(applications.good).toHaveText(labels.company.saved);
  const led = agent.page.waitForRequest('http://127.0.0.1:39999/calls');
  await agent.page.goto('/agent/start').catch(() => undefined);
  await led;
});
