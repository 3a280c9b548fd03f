import { expect, test } from '../fixtures';
import { fill } from '../fixtures/labels';

test('a supervisor helps a locked agent', { tag: '@journey' }, async ({ visitor, anotherVisitor, account, createAccount, server, mail, labels }) => {
  const supervisor = await createAccount({ account: `sue.${account.account.slice(-6)}`, roles: ['supervisor'], second_factor: 'none' });
  const admin = await createAccount({ account: `root.${account.account.slice(-6)}`, roles: ['admin'], second_factor: 'none' });
  await server.kit.setAccountLocked(account.company, account.account, true);
  await visitor.signIn(supervisor, mail);
  await visitor.agents.goto('state=locked');

  await test.step('sees agents, and nothing else', async () => {
    await expect(visitor.agents.row(account.account).getByText(/^Locked since .+ after five wrong codes$/)).toBeVisible();
    await expect(visitor.agents.navigation.getByRole('link')).toHaveText([labels.console.agents]);
    await visitor.agents.goto();
    await expect(visitor.agents.row(admin.account)).toHaveCount(0);
    await expect(visitor.agents.row(supervisor.account)).toHaveCount(0);
    for (const closed of ['/admin/company', '/admin/security', '/admin/audit', '/admin/agents/new', '/admin/agents/import']) {
      expect((await visitor.open(closed)).status(), closed).toBe(403);
    }
  });

  await test.step('unlocks with one confirmation', async () => {
    await visitor.agents.goto('state=locked');
    await visitor.agents.choose(account.account, 'Unlock');
    await visitor.agents.press('Unlock');
    await expect(visitor.agents.said(labels.agents.unlocked)).toBeVisible();
    await mail.next(account.email, labels.mail.unlocked_subject);
  });

  await test.step('issues a backup code, which works once at the code page', async () => {
    await visitor.agents.goto(`search=${account.account}`);
    await visitor.agents.choose(account.account, 'Backup Code');
    await visitor.agents.press(labels.agents.issue);
    await expect(visitor.agents.input(labels.agents.reason)).toHaveAttribute('aria-invalid', 'true');
    await visitor.agents.input(labels.agents.reason).fill('Phone left at home');
    await visitor.agents.press(labels.agents.issue);
    const code = await visitor.page.locator('.issued-code').innerText();
    await mail.next(account.email, labels.mail.backup_issued_subject);
    const agent = await anotherVisitor();
    await agent.login.goto();
    await agent.login.send(account);
    await agent.code.useBackupCode.click();
    await agent.code.backupCode.fill(code);
    await agent.code.verify.click();
    await expect(agent.page).toHaveURL('/agent');
    await visitor.page.getByRole('link', { name: labels.agents.done, exact: true }).click();
    await expect(visitor.page.getByText(code)).toHaveCount(0);
  });
});

test('names are text, whatever was typed', async ({ visitor, createAccount, mail, labels }) => {
  const hostile = '<script>alert(1)</script>=1+1 \u{1f600}';
  const agent = await createAccount({ first_name: hostile, second_factor: 'none' });
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  await visitor.agents.goto(`search=${agent.account}`);
  await expect(visitor.agents.row(agent.account).getByRole('link', { name: hostile, exact: true })).toBeVisible();
  await visitor.agents.choose(agent.account, labels.agents.view);
  await expect(visitor.page.getByRole('heading', { level: 1, name: fill('{{ name }}', { name: hostile }), exact: true })).toBeVisible();
});
