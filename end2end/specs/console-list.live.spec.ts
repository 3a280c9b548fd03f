import { expect, test } from '../fixtures';

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
  await expect(bar).toContainText(`${labels.agents.selected} 2`);
  await agents.tick(account.account);
  await page.getByLabel(labels.agents.select_page, { exact: true }).uncheck();
  await expect(bar).toContainText(`${labels.agents.selected} 0`);
  await agents.row(account.account).getByRole('cell').getByText(account.email, { exact: true }).click();
  await visitor.agentView.ready();
});
