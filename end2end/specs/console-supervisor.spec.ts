import { expect, test } from '../fixtures';
import { pattern } from '../fixtures/labels';

test('a supervisor\'s minute: a locked agent is unlocked, and one without a phone gets a backup code', { tag: '@journey' }, async ({ visitor, anotherVisitor, account, company, createAccount, mail, server, labels }) => {
  const supervisor = await createAccount({ roles: ['supervisor'], second_factor: 'none', first_name: 'Sam' });
  const admin = await createAccount({ roles: ['admin'], second_factor: 'none', first_name: 'Rita' });
  await server.kit.setAccountLocked(company.name, account.account, true);
  const agent = await anotherVisitor();
  await agent.login.goto();
  expect(await agent.login.send(account)).toBe(403);
  await expect(agent.login.sentence(labels.errors.account_locked)).toBeVisible();

  await visitor.signIn(supervisor, mail);
  await visitor.agent.ready();
  await visitor.agents.goto();
  expect(await visitor.agents.accounts(), 'only agents are to be seen').toEqual([account.account]);
  await expect(visitor.agents.navigation.getByRole('link')).toHaveText([labels.console.agents]);
  for (const link of [visitor.agents.add, visitor.agents.import, visitor.agents.export]) await expect(link).toHaveCount(0);
  await expect(visitor.agents.row(account.account).getByText(pattern(labels.agents.locked_since)).first()).toBeVisible();
  expect(await visitor.agents.offered(account.account)).toEqual([labels.agents.view, labels.agents.unlock]);
  await visitor.agents.choose(account.account, labels.agents.unlock);
  await expect(visitor.agentAct.sentence(labels.agents.unlock_text)).toBeVisible();
  await visitor.agentAct.unlock();
  await visitor.agentView.ready();
  await expect(visitor.agentView.good).toHaveText(labels.agents.unlocked);
  await mail.next(account.email, labels.mail.unlocked_subject);
  await agent.signIn(account, mail);
  await agent.signOut();

  await visitor.agents.goto();
  expect(await visitor.agents.offered(account.account)).toEqual([labels.agents.view, labels.agents.backup_code]);
  await visitor.agents.choose(account.account, labels.agents.backup_code);
  expect(await visitor.agentAct.issueCode(' ')).toBe(422);
  await expect(visitor.agentAct.reason).toHaveAccessibleDescription(new RegExp(labels.errors.reason_missing.replaceAll('.', '\\.')));
  await visitor.agentAct.issueCode('Forgot the phone at home');
  await expect(visitor.agentAct.sentence(pattern(labels.agents.issued_again))).toBeVisible();
  const code = (await visitor.agentAct.issuedCode.innerText()).trim();
  const { text } = await mail.next(account.email, labels.mail.backup_issued_subject);
  expect(text).not.toContain(code);
  const shownAt = new URL(visitor.page.url()).pathname;
  await visitor.agentAct.handOn();
  await visitor.agentView.ready();
  await expect(visitor.page.getByText(code)).toHaveCount(0);
  await visitor.open(shownAt);
  await visitor.agentView.ready();
  await expect(visitor.page.getByText(code), 'it was handed on').toHaveCount(0);
  await expect(visitor.agentView.fact(labels.agents.issued_until)).toBeVisible();
  await expect(visitor.agentView.events, 'the audit log is for admins').toHaveCount(0);

  await agent.passPassword(account);
  await agent.code.sendBackupCode(code);
  await agent.agent.ready();
  await agent.signOut();
  await agent.passPassword(account);
  expect(await agent.code.sendBackupCode(code), 'it works once').toBe(401);

  for (const id of [admin.id, supervisor.id]) {
    for (const page of ['', '/view', '/unlock', '/backup-code', '/password']) {
      expect((await visitor.open(`/admin/agents/${id}${page}`)).status(), page).toBe(page === '/password' ? 403 : 404);
    }
    expect((await visitor.post('/admin/agents/unlock', { id })).status()).toBe(404);
    expect((await visitor.post('/admin/agents/backup-code', { id, reason: 'Mine' })).status()).toBe(404);
  }
  for (const path of ['/admin/company', '/admin/security', '/admin/audit', '/admin/audit/export', '/admin/agents/new', '/admin/agents/import', '/admin/agents/export', `/admin/agents/${account.id}/delete`]) {
    expect((await visitor.page.request.get(path, { maxRedirects: 0 })).status(), path).toBe(403);
  }
  const password = 'gravel pelican sunrise';
  for (const [act, form] of [
    ['delete', { confirm_name: account.account }],
    ['password', { new_password: password, confirm_password: password }],
    ['reset-link', {}],
    ['send-details', {}],
    ['end-sessions', {}],
    ['email/resend', {}],
    ['email/cancel', {}],
  ] as const) {
    expect((await visitor.post(`/admin/agents/${act}`, { id: account.id, ...form })).status(), act).toBe(403);
  }
  // An agent's page that is not to be edited is shown.
  await visitor.open(`/admin/agents/${account.id}`);
  await visitor.agentView.ready();
  await visitor.open('/admin');
  await visitor.agents.ready();
});

test('an agent of another company is not there', async ({ visitor, createCompany, createAccount, mail }) => {
  const other = await createCompany();
  const stranger = await createAccount({ company: other.name, first_name: 'Nora' });
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  await visitor.agents.goto('?search=nora');
  await expect(visitor.agents.rows).toHaveCount(0);
  const unknown = stranger.id.replace(/[0-9a-f]/g, (digit) => (digit === '7' ? digit : '8'));
  for (const page of ['', '/view', '/unlock', '/password', '/backup-code', '/delete', '/send-details', '/end-sessions']) {
    const [there, nowhere] = await Promise.all([stranger.id, unknown].map(async (id) => {
      const answer = await visitor.page.request.get(`/admin/agents/${id}${page}`, { maxRedirects: 0 });
      return { status: answer.status(), text: (await answer.text()).replaceAll(/nonce="[^"]*"/g, '').replaceAll(id, '') };
    }));
    expect(there).toEqual(nowhere);
    expect(there?.status).toBe(404);
  }
  expect((await visitor.post('/admin/agents/unlock', { id: stranger.id })).status()).toBe(404);
  expect((await visitor.post('/admin/agents/end-sessions', { id: stranger.id })).status()).toBe(404);
});
