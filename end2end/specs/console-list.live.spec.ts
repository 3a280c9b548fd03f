import { expect, test } from '../fixtures';
import { fill } from '../fixtures/labels';

const admin = { roles: ['admin' as const], second_factor: 'none' as const, first_name: 'Rita' };

test('the list of agents follows what is typed and chosen, and its address with it', async ({ visitor, createAccount, mail, labels }) => {
  const account = await createAccount({ first_name: 'Nora', second_factor: 'none' });
  await createAccount({ first_name: 'Lars', second_factor: 'none' });
  await visitor.signIn(await createAccount(admin), mail);
  const { agents, page } = visitor;
  await agents.goto();
  await expect(agents.rows).toHaveCount(3);
  await page.keyboard.press('/');
  await expect(agents.search).toBeFocused();
  await agents.search.pressSequentially('ora');
  await expect(agents.rows).toHaveCount(1);
  await expect(agents.row(account.account)).toBeVisible();
  await expect(page).toHaveURL(/[?&]search=ora/);
  await expect(agents.chip(labels.agents.search, 'ora')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await visitor.agentView.ready();
  await expect(visitor.agentView.heading).toContainText('Nora');
});

test('a row leads to its agent, and the boxes of a page are counted together', async ({ visitor, createAccount, mail, labels }) => {
  const account = await createAccount({ first_name: 'Nora', second_factor: 'none' });
  await visitor.signIn(await createAccount(admin), mail);
  const { agents, page } = visitor;
  await agents.goto();
  const bar = page.getByRole('group', { name: labels.agents.selected, exact: true });
  await page.getByLabel(labels.agents.select_page, { exact: true }).check();
  const selected = (value: number): string => fill(labels.common.labelled, { label: labels.agents.selected, value });
  await expect(bar).toContainText(selected(2));
  await agents.tick(account.account);
  await page.getByLabel(labels.agents.select_page, { exact: true }).uncheck();
  await expect(bar).toContainText(selected(0));
  await agents.row(account.account).getByRole('cell').getByText(account.email, { exact: true }).click();
  await visitor.agentView.ready();
});

test('the overview and the audit log follow what happens without being loaded anew', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none' });
  await visitor.signIn(await createAccount(admin), mail);
  await visitor.admin.goto();
  const signedIn = visitor.admin.card(labels.company.signed_in_now);
  await expect(signedIn.getByText('1', { exact: true })).toBeVisible();
  const agent = await anotherVisitor();
  await agent.signIn(account, mail);
  await expect(signedIn.getByText('2', { exact: true })).toBeVisible({ timeout: 15_000 });
  await visitor.audit.goto();
  await agent.signOut();
  await expect(visitor.audit.rowsWith(labels.audit.signed_out, account.account)).toHaveCount(1, { timeout: 15_000 });
});
