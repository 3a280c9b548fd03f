import { expect, test, unique } from '../fixtures';
import { fill } from '../fixtures/labels';

const newPassword = 'orchard marble thunder';

test('an admin adds an agent, who signs in with the mailed password and chooses another', { tag: '@journey' }, async ({ visitor, anotherVisitor, company, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  const account = `new.${unique()}`;
  const email = `${account}@mail.test`;
  await visitor.agents.goto();
  await visitor.page.getByRole('link', { name: labels.agents.add, exact: true }).click();

  await test.step('what cannot be right is named, and everything typed stays', async () => {
    await visitor.agents.input(labels.agents.account).fill('two words');
    await visitor.agents.input(labels.agents.email).fill(email);
    await visitor.agents.input(labels.profile.first_name).fill('Nora');
    await visitor.agents.press(labels.agents.create);
    await expect(visitor.agents.input(labels.agents.account)).toHaveAttribute('aria-invalid', 'true');
    await expect(visitor.agents.input(labels.agents.account)).toHaveValue('two words');
    await expect(visitor.agents.input(labels.agents.email)).toHaveValue(email);
  });

  await visitor.agents.input(labels.agents.account).fill(account);
  await visitor.agents.press(labels.agents.create);
  await expect(visitor.agents.said(labels.agents.added)).toBeVisible();

  const details = await mail.next(email);
  for (const label of ['Login URL', 'Company Name', 'Login Username', 'Login Email', 'Login Password']) expect(details.text).toContain(label);
  const password = /Login Password:? (\S+)/.exec(details.text)?.[1] ?? '';
  expect(details.subject).not.toContain(password);

  const agent = await anotherVisitor();
  await agent.login.goto();
  await agent.login.send({ company: company.name, account, password });
  await expect(agent.page).toHaveURL('/choose-password');
  await agent.open('/profile');
  await expect(agent.page).toHaveURL('/choose-password');
  await agent.agents.input(labels.profile.new_password).fill(newPassword);
  await agent.agents.input(labels.profile.confirm_password).fill(newPassword);
  await agent.agents.press(labels.agents.choose_button);
  await expect(agent.page).toHaveURL(/\/login/);
  await agent.login.send({ company: company.name, account, password });
  await expect(agent.page.getByText(labels.errors.wrong_credentials)).toBeVisible();
  await agent.login.send({ company: company.name, account, password: newPassword });
  await expect(agent.page).toHaveURL('/agent');
});

test('an activation link is used up by its form only', { tag: '@journey' }, async ({ visitor, anotherVisitor, company, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  await visitor.open('/admin/company');
  await visitor.page.getByLabel(labels.company.activation_link, { exact: false }).check();
  await visitor.agents.press(labels.common.save);
  await expect(visitor.page.getByText(labels.company.saved)).toBeVisible();

  const account = `link.${unique()}`;
  await visitor.open('/admin/agents/new');
  await visitor.agents.input(labels.agents.account).fill(account);
  await visitor.agents.input(labels.agents.email).fill(`${account}@mail.test`);
  await visitor.agents.input(labels.profile.first_name).fill('Lina');
  await visitor.agents.press(labels.agents.create);
  const { link } = await mail.next(`${account}@mail.test`);

  const agent = await anotherVisitor();
  for (let time = 0; time < 2; time++) {
    await agent.open(link ?? '');
    await expect(agent.page).toHaveURL('/choose-password');
  }
  await agent.agents.input(labels.profile.new_password).fill(newPassword);
  await agent.agents.input(labels.profile.confirm_password).fill('something else entirely');
  await agent.agents.press(labels.agents.choose_button);
  await expect(agent.agents.input(labels.profile.confirm_password)).toHaveAttribute('aria-invalid', 'true');
  await agent.agents.input(labels.profile.new_password).fill(newPassword);
  await agent.agents.input(labels.profile.confirm_password).fill(newPassword);
  await agent.agents.press(labels.agents.choose_button);
  await expect(agent.page).toHaveURL(/\/login/);
  await agent.login.send({ company: company.name, account, password: newPassword });
  await expect(agent.page).toHaveURL('/agent');
  const late = await anotherVisitor();
  await late.open(link ?? '');
  await expect(late.page.getByText(labels.errors.link_over)).toBeVisible();
});

test('a changed e-mail address waits for its confirmation', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const agent = await createAccount({ second_factor: 'none' });
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  const fresh = `fresh.${unique()}@mail.test`;
  await visitor.agents.goto(`search=${agent.account}`);
  await visitor.agents.choose(agent.account, labels.agents.edit);
  await visitor.agents.input(labels.agents.email).fill(fresh);
  await visitor.agents.save.click();
  await expect(visitor.agents.said(labels.agents.email_sent)).toBeVisible();
  await mail.next(fresh);
  await visitor.agents.press('Resend verification email');
  const { link } = await mail.next(fresh);
  await mail.next(agent.email);
  const receiver = await anotherVisitor();
  await receiver.open(link ?? '');
  await expect(receiver.page).toHaveURL('/confirm-email');
  await receiver.agents.press(labels.agents.confirm_button);
  await expect(receiver.page.getByText(labels.agents.email_confirmed)).toBeVisible();
  await visitor.agents.goto(`search=${agent.account}`);
  await expect(visitor.agents.row(agent.account).getByText(fresh, { exact: true })).toBeVisible();

  await visitor.agents.choose(agent.account, labels.agents.edit);
  await visitor.agents.input(labels.agents.email).fill(`other.${fresh}`);
  await visitor.agents.save.click();
  await visitor.agents.press('Cancel this change');
  await expect(visitor.agents.said(labels.agents.email_cancelled)).toBeVisible();
  await expect(visitor.agents.input(labels.agents.email)).toHaveValue(fresh);
});

test('the list is filtered, walked and changed, and its address can be kept', async ({ visitor, createAccount, mail, labels }) => {
  const admin = await createAccount({ roles: ['admin'], second_factor: 'none' });
  const prefix = `walk${unique()}`;
  for (let number = 10; number < 63; number++) await createAccount({ account: `${prefix}.${number}`, second_factor: 'none' });
  await visitor.signIn(admin, mail);
  await visitor.agents.goto(`search=${prefix}`);
  await expect(visitor.agents.rows).toHaveCount(50);
  await visitor.page.getByRole('link', { name: labels.agents.next_page, exact: true }).click();
  await expect(visitor.agents.rows).toHaveCount(3);
  await visitor.page.reload();
  await expect(visitor.agents.row(`${prefix}.62`)).toBeVisible();
  await visitor.page.getByRole('link', { name: labels.agents.previous_page, exact: true }).click();
  await expect(visitor.agents.row(`${prefix}.10`)).toBeVisible();
  await visitor.page.getByRole('columnheader').getByRole('link', { name: labels.agents.account, exact: true }).click();
  await expect(visitor.agents.row(`${prefix}.62`)).toBeVisible();

  const tick = (account: string) => visitor.page.getByRole('checkbox', { name: fill(labels.agents.select_one, { name: account }), exact: true }).check();
  await tick(`${prefix}.62`);
  await tick(`${prefix}.61`);
  await visitor.agents.press(labels.agents.deactivate);
  await expect(visitor.agents.said(fill(labels.agents.changed, { count: 2 }))).toBeVisible();
  await visitor.page.getByLabel(labels.agents.state, { exact: true }).selectOption('inactive');
  await visitor.agents.press(labels.agents.show);
  await expect(visitor.agents.rows).toHaveCount(2);

  await visitor.agents.goto(`search=${admin.account}`);
  await tick(admin.account);
  await visitor.agents.press(labels.agents.deactivate);
  await expect(visitor.page.getByText(labels.errors.own_account).first()).toBeVisible();

  await visitor.agents.goto(`search=${prefix}.20`);
  await visitor.agents.choose(`${prefix}.20`, labels.agents.delete);
  await visitor.agents.press(labels.agents.delete);
  await expect(visitor.agents.input(labels.agents.account)).toHaveAttribute('aria-invalid', 'true');
  await visitor.agents.input(labels.agents.account).fill(`${prefix}.20`);
  await visitor.agents.press(labels.agents.delete);
  await expect(visitor.agents.said(labels.agents.deleted)).toBeVisible();
});

test('two admins on one agent: the second one sees both versions', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const agent = await createAccount({ second_factor: 'none' });
  const second = await anotherVisitor();
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  await second.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  for (const admin of [visitor, second]) {
    await admin.agents.goto(`search=${agent.account}`);
    await admin.agents.choose(agent.account, labels.agents.edit);
    await expect(admin.agents.save).toBeVisible();
  }
  await visitor.agents.input(labels.profile.phone).fill('111');
  await visitor.agents.save.click();
  await expect(visitor.agents.said(labels.agents.saved)).toBeVisible();
  await second.agents.input(labels.profile.phone).fill('222');
  await second.agents.save.click();
  await expect(second.agents.input(labels.profile.phone)).toHaveValue('222');
  await expect(second.page.getByText(fill(labels.company.meanwhile, { value: '111' }))).toBeVisible();
  await second.agents.save.click();
  await expect(second.agents.said(labels.agents.saved)).toBeVisible();
});

test('a file is checked, imported, and imported again without doubles', { tag: '@journey' }, async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  const name = `csv.${unique()}`;
  const file = (content: Buffer) => ({ name: 'agents.csv', mimeType: 'text/csv', buffer: content });
  const upload = async (content: Buffer) => {
    await visitor.open('/admin/agents/import');
    await visitor.page.getByLabel(labels.company.file, { exact: true }).setInputFiles(file(content));
    await visitor.agents.press(labels.company.check_file);
  };
  await upload(Buffer.from(`\ufeffaccount,email,first_name`, 'utf16le'));
  await expect(visitor.page.getByRole('alert')).toBeVisible();
  const good = Buffer.from(`account,email,first_name\r\n${name},${name}@mail.test,=Nina\r\nbad name,x@mail.test,Bo\r\n`);
  await upload(good);
  await expect(visitor.page.getByText(labels.import.bad_account).first()).toBeVisible();
  await visitor.agents.press(fill(labels.company.import_button, { count: 1 }));
  await expect(visitor.page.getByText(fill(labels.company.import_done, { count: 1 }))).toBeVisible({ timeout: 20_000 });
  await mail.next(`${name}@mail.test`);
  await upload(good);
  await expect(visitor.page.getByText(labels.import.exists).first()).toBeVisible();
  await visitor.open('/admin/audit');
  await expect(visitor.page.getByRole('cell', { name: labels.audit.agents_imported, exact: true }).first()).toBeVisible();
});

test('a shorter Log-out Policy ends running sessions', async ({ visitor, anotherVisitor, createAccount, mail, clock, labels }) => {
  const agent = await anotherVisitor();
  await agent.signIn(await createAccount({ second_factor: 'none' }), mail);
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  await visitor.open('/admin/security');
  await visitor.agents.input(labels.company.minutes).fill('15');
  await visitor.agents.press(labels.common.save);
  await expect(visitor.page.getByText(labels.company.saved)).toBeVisible();
  await clock.advance({ minutes: 16 });
  await agent.open('/agent');
  await expect(agent.page).toHaveURL(/\/login/);
});
