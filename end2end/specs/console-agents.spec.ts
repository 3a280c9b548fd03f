import { expect, test, unique } from '../fixtures';
import { counted, pattern } from '../fixtures/labels';
import { linkOf, temporaryPasswordOf } from '../fixtures/letters';
import type { NewAccount } from '../fixtures/kit';

/** Hard to guess, and none of the names of a test's account is in it. */
const chosen = 'orchard marble thunder';

const admin: Partial<Omit<NewAccount, 'email'>> = { roles: ['admin'], second_factor: 'none', first_name: 'Rita' };

/** What is typed about a new agent. */
function newAgent(): { account: string; email: string; firstName: string } {
  const account = `bob.${unique()}`;
  return { account, email: `${account}@mail-${unique()}.test`, firstName: 'Bob' };
}

test.describe('a new agent', { tag: '@journey' }, () => {
  test('gets account details by mail, and has to choose a password before anything else', async ({ visitor, anotherVisitor, company, createAccount, mail, labels, server }) => {
    await visitor.signIn(await createAccount(admin), mail);
    await visitor.agents.goto();
    await visitor.agents.add.click();
    const typed = newAgent();
    await visitor.agentForm.add({ ...typed, lastName: 'Stone', phone: '+46 8 123', title: 'Clerk', timeFormat: '12' });
    await visitor.agentView.ready();
    await expect(visitor.agentView.good).toHaveText(labels.agents.added);
    await expect(visitor.agentView.heading).toHaveText('Bob Stone');
    await expect(visitor.agentView.sentence(labels.agents.waits_for_password)).toBeVisible();
    await visitor.agents.goto();
    await expect(visitor.agents.row(typed.account)).toContainText('Bob Stone');

    const details = await mail.next(typed.email, labels.mail.details_subject);
    const temporary = temporaryPasswordOf(details, labels);
    for (const [label, value] of [
      [labels.mail.details_url, `${server.url}/login`],
      [labels.mail.details_company, company.name],
      [labels.mail.details_account, typed.account],
      [labels.mail.details_email, typed.email],
    ] as const) {
      expect(details.text).toContain(`${label}: ${value}`);
    }

    const agent = await anotherVisitor();
    const credentials = { company: company.name, account: typed.account, password: temporary };
    await agent.login.goto();
    await agent.login.send(credentials);
    await agent.choosePassword.ready();
    await expect(agent.choosePassword.sentence(labels.agents.choose_temporary)).toBeVisible();
    for (const path of ['/agent', '/profile', '/profile/security', '/admin/agents', '/']) {
      await agent.open(path);
      await agent.choosePassword.ready();
    }
    expect(await agent.choosePassword.send(temporary)).toBe(422);
    await expect(agent.choosePassword.newPassword).toHaveAttribute('aria-invalid', 'true');
    await agent.choosePassword.send(chosen);
    await agent.login.ready();
    await expect(agent.login.sentence(labels.signIn.password_changed)).toBeVisible();
    expect(await agent.login.send(credentials), 'the temporary password is dead').toBe(401);
    await agent.login.send({ ...credentials, password: chosen });
    await agent.agent.ready();
    await expect(agent.agent.welcome('Bob Stone')).toBeVisible();

    await visitor.page.goBack();
    await visitor.page.reload();
    await expect(visitor.page.getByText(labels.agents.waits_for_password)).toHaveCount(0);
  });

  test('gets an activation link that only the form behind it uses up', async ({ visitor, anotherVisitor, company, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount(admin), mail);
    await visitor.general.goto();
    await visitor.general.newAgentMail('activation_link').check();
    await visitor.general.save();
    await expect(visitor.general.good).toHaveText(labels.company.saved);
    await visitor.agentForm.gotoNew();
    await expect(visitor.agentForm.email).toHaveAccessibleDescription(labels.agents.told_by_link);
    const typed = newAgent();
    await visitor.agentForm.add(typed);
    await visitor.agentView.ready();
    const first = linkOf(await mail.next(typed.email, labels.mail.activation_subject));
    await visitor.page.getByRole('link', { name: labels.agents.send_again, exact: true }).click();
    await visitor.agentAct.sendAgain();
    await expect(visitor.agentView.good).toHaveText(labels.agents.details_sent);
    const second = linkOf(await mail.next(typed.email, labels.mail.activation_subject));

    const agent = await anotherVisitor();
    await agent.open(first);
    await expect(agent.page.getByRole('heading', { level: 1 }), 'the newer link replaces the older').toHaveText(labels.errors.link_over_title);
    for (let visit = 0; visit < 2; visit += 1) {
      await agent.open(second);
      await agent.choosePassword.ready();
      expect(agent.page.url(), 'the token is not in the address').not.toContain(second.split('/').at(-1));
      await expect(agent.choosePassword.sentence(labels.agents.choose_first)).toBeVisible();
    }
    expect(await agent.choosePassword.send('passwordpassword')).toBe(422);
    await agent.choosePassword.ready();
    await expect(agent.choosePassword.newPassword).toHaveAccessibleDescription(new RegExp(labels.errors.password_weak));
    await agent.choosePassword.send(chosen);
    await agent.login.ready();
    expect(await agent.cookie('session'), 'nobody is signed in by it').toBeUndefined();
    await agent.open(second);
    await expect(agent.page.getByRole('heading', { level: 1 })).toHaveText(labels.errors.link_over_title);
    await agent.login.goto();
    await agent.login.send({ company: company.name, account: typed.account, password: chosen });
    await agent.agent.ready();
  });
});

test.describe('a changed e-mail address', { tag: '@journey' }, () => {
  test('waits until the link that goes there is confirmed', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const agent = await anotherVisitor();
    await agent.signIn(account, mail);
    await visitor.signIn(await createAccount(admin), mail);
    const email = `new.${unique()}@mail.test`;
    await visitor.agentForm.goto(account.id);
    await visitor.agentForm.save({ email });
    await expect(visitor.agentForm.sentence(labels.agents.email_sent)).toBeVisible();
    await expect(visitor.page.getByText(email)).toBeVisible();
    const first = linkOf(await mail.next(email, labels.mail.confirm_email_subject));
    const notice = await mail.next(account.email, labels.mail.email_change_subject);
    expect(notice.text).toContain(email);

    await visitor.agentForm.resendEmail();
    await expect(visitor.agentForm.sentence(labels.agents.email_sent)).toBeVisible();
    const second = linkOf(await mail.next(email, labels.mail.confirm_email_subject));
    const reader = await anotherVisitor();
    await reader.open(first);
    await expect(reader.page.getByRole('heading', { level: 1 })).toHaveText(labels.errors.link_over_title);
    await agent.agent.goto();
    await reader.open(second);
    await reader.emailLink.ready();
    await expect(reader.page.getByText(email)).toBeVisible();
    await reader.emailLink.confirm();
    await expect(reader.emailLink.sentence(labels.agents.email_confirmed)).toBeVisible();
    await agent.open('/agent');
    await agent.login.ready();
    await visitor.agentView.goto(account.id);
    await expect(visitor.agentView.fact(labels.agents.email)).toHaveText(email);
    await agent.login.send({ ...account, account: email });
    await agent.agent.ready();
  });

  test('is given up by the admin, and stopped from the old address', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(await createAccount(admin), mail);
    const email = `new.${unique()}@mail.test`;
    await visitor.agentForm.goto(account.id);
    await visitor.agentForm.save({ email });
    const confirm = linkOf(await mail.next(email));
    await visitor.agentForm.cancelEmail();
    await expect(visitor.agentForm.sentence(labels.agents.email_cancelled)).toBeVisible();
    await expect(visitor.agentForm.email).toHaveValue(account.email);
    const reader = await anotherVisitor();
    expect((await reader.open(confirm)).status()).toBe(410);

    await visitor.agentForm.save({ email });
    const again = linkOf(await mail.next(email));
    await mail.next(account.email, labels.mail.email_change_subject);
    const stop = linkOf(await mail.next(account.email, labels.mail.email_change_subject));
    await reader.open(stop);
    await reader.emailLink.ready();
    await reader.emailLink.stop();
    await expect(reader.emailLink.sentence(labels.agents.email_stopped)).toBeVisible();
    expect((await reader.open(again)).status()).toBe(410);
    await visitor.agentForm.goto(account.id);
    await expect(visitor.agentForm.email).toHaveValue(account.email);
  });
});

test('the list is searched, filtered, sorted and read page by page, and its address keeps all that', { tag: '@journey' }, async ({ visitor, createAccount, mail, server, company, labels }) => {
  test.slow();
  const names = Array.from({ length: 57 }, (_, number) => `agent${String(number).padStart(2, '0')}`);
  const make = async () => {
    for (let name = names.shift(); name; name = names.shift()) await createAccount({ account: name, first_name: `Nora ${name.slice(5)}`, second_factor: 'none' });
  };
  await Promise.all(Array.from({ length: 4 }, make));
  await createAccount({ account: 'mats', first_name: 'Mats', last_name: 'Öberg', second_factor: 'app', roles: ['agent', 'supervisor'] });
  await createAccount({ account: 'locked', first_name: 'Lars', second_factor: 'email' });
  await server.kit.setAccountLocked(company.name, 'locked', true);
  await server.kit.setAccountActive(company.name, 'agent07', false);
  await visitor.signIn(await createAccount({ ...admin, account: 'zoe' }), mail);
  const { agents } = visitor;

  await agents.goto();
  await expect(agents.rows).toHaveCount(50);
  await expect(agents.previousPage).toHaveCount(0);
  const first = await agents.accounts();
  await agents.nextPage.click();
  await expect(agents.rows).toHaveCount(10);
  const second = await agents.accounts();
  expect([...first, ...second]).toEqual([...first, ...second].sort());
  expect(new Set([...first, ...second]).size).toBe(60);
  await expect(agents.nextPage).toHaveCount(0);
  await agents.previousPage.click();
  await expect(agents.rows).toHaveCount(50);
  expect(await agents.accounts()).toEqual(first);

  await agents.goto();
  await agents.sort(labels.agents.account).click();
  await expect(agents.row('zoe')).toBeVisible();
  expect((await agents.accounts())[0]).toBe('zoe');
  await agents.nextPage.click();
  await expect(agents.rows).toHaveCount(10);
  expect(await agents.accounts()).toEqual(first.slice(0, 10).reverse());

  await agents.goto();
  await agents.search.fill(' öBERG mat');
  await agents.show.click();
  await expect(agents.rows).toHaveCount(1);
  await expect(agents.row('mats')).toContainText(labels.console.role_supervisor);
  await agents.showAll.click();
  await expect(agents.rows).toHaveCount(50);

  await agents.state.selectOption('locked');
  await agents.factor.selectOption('email');
  await agents.show.click();
  await expect(agents.rows).toHaveCount(1);
  await expect(agents.row('locked').getByText(pattern(labels.agents.locked_since)).first()).toBeVisible();
  await visitor.page.reload();
  await expect(agents.rows).toHaveCount(1);
  await expect(agents.state).toHaveValue('locked');
  await expect(agents.factor).toHaveValue('email');
  await agents.search.fill('nobody');
  await agents.show.click();
  await expect(agents.sentence(labels.agents.none_found)).toBeVisible();

  await agents.goto('?state=inactive');
  await expect(agents.rows).toHaveCount(1);
  await expect(agents.row('agent07')).toContainText(labels.agents.inactive);
  await agents.goto('?role=admin');
  expect(await agents.accounts()).toEqual(['zoe']);
  await agents.goto('?factor=app');
  expect(await agents.accounts()).toEqual(['mats']);
  await agents.goto('?state=nonsense&role=%00&after=nobody&sort=%22');
  await expect(agents.rows).toHaveCount(50);
});

test('menus open over the list, one at a time, and close with Escape and by a click elsewhere', async ({ visitor, createAccount, mail, labels }) => {
  const one = await createAccount({ second_factor: 'none' });
  const two = await createAccount({ second_factor: 'none' });
  await visitor.signIn(await createAccount(admin), mail);
  const { agents, page } = visitor;
  await agents.goto();
  const height = async () => (await agents.row(one.account).boundingBox())?.height;
  const closed = await height();
  await agents.menuOf(one.account).click();
  await expect(agents.menuPanel(one.account)).toBeVisible();
  expect(await height(), 'the row stays as it is').toBe(closed);
  await page.keyboard.press('Escape');
  await expect(agents.menuPanel(one.account)).toBeHidden();
  await agents.menuOf(one.account).click();
  await agents.heading.click();
  await expect(agents.menuPanel(one.account)).toBeHidden();
  await agents.menu.click();
  await expect(agents.logout).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(agents.logout).toBeHidden();
  await agents.choose(two.account, labels.agents.view);
  await visitor.agentView.ready();
});

for (const width of [1280, 1920]) {
  test(`at ${width} px every agent stands in one line, with all columns in the window`, async ({ visitor, createAccount, mail }) => {
    await visitor.page.setViewportSize({ width, height: 800 });
    const account = await createAccount({ first_name: 'Maximilian-Alexander', last_name: 'Wolfeschlegelsteinhausenbergerdorff', second_factor: 'email' });
    await visitor.signIn(await createAccount(admin), mail);
    const { agents, page } = visitor;
    await agents.goto();
    const row = await agents.row(account.account).boundingBox();
    expect(row?.height).toBeLessThan(60);
    const menu = await agents.menuOf(account.account).boundingBox();
    expect((menu?.x ?? width) + (menu?.width ?? 0)).toBeLessThanOrEqual(width);
    expect(await page.locator('.list-table').evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(1);
  });
}

test('a browser keeps its columns and rows, and whoever comes back finds the list as it was', async ({ visitor, createAccount, mail, labels }) => {
  for (let number = 0; number < 27; number += 1) await createAccount({ account: `kim${String(number).padStart(2, '0')}`, first_name: 'Kim', second_factor: 'none' });
  await visitor.signIn(await createAccount(admin), mail);
  const { agents } = visitor;
  await agents.goto('?search=im0');
  await expect(agents.range(1, 10, 10), 'found in the middle of a word').toBeVisible();
  await expect(agents.chip(labels.agents.search, 'im0')).toBeVisible();
  await agents.choose('kim03', labels.agents.view);
  await visitor.agentView.ready();
  await expect(visitor.page).toHaveTitle(/^Kim/);
  await visitor.agentView.link(labels.agents.title).click();
  await agents.ready();
  await expect(agents.range(1, 10, 10)).toBeVisible();
  await agents.chip(labels.agents.search, 'im0').click();
  await expect(agents.range(1, 28, 28)).toBeVisible();
  await agents.showColumns([labels.agents.account, labels.profile.phone], 25);
  await expect(agents.range(1, 25, 28)).toBeVisible();
  await visitor.page.reload();
  await expect(agents.range(1, 25, 28)).toBeVisible();
  await expect(visitor.page.getByRole('columnheader', { name: labels.profile.phone, exact: true })).toBeVisible();
  await expect(visitor.page.getByRole('columnheader', { name: labels.agents.email, exact: true })).toHaveCount(0);
  await agents.nextPage.click();
  await expect(agents.range(26, 28, 28)).toBeVisible();
});

test('a deactivation asks once, names them, and is undone', async ({ visitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none', first_name: 'Nora' });
  await visitor.signIn(await createAccount(admin), mail);
  const { agents } = visitor;
  await agents.goto();
  await agents.tick(account.account);
  await agents.toTicked('deactivate');
  await expect(agents.good).toHaveText(counted(labels.agents, 'deactivated', 1));
  await expect(agents.row(account.account).getByText(labels.agents.inactive, { exact: true })).toBeVisible();
  await agents.undo();
  await expect(agents.good).toHaveText(counted(labels.agents, 'undone', 1));
  await expect(agents.row(account.account).getByText(labels.agents.active, { exact: true })).toBeVisible();
});

test('several are deactivated, activated and unlocked at once, and never oneself', async ({ visitor, anotherVisitor, createAccount, mail, server, company, labels }) => {
  const one = await createAccount({ second_factor: 'none' });
  const two = await createAccount({ second_factor: 'none' });
  const own = await createAccount(admin);
  const other = await anotherVisitor();
  await other.signIn(one, mail);
  await visitor.signIn(own, mail);
  const { agents } = visitor;
  await agents.goto('?sort=name');
  expect(await agents.toTicked('deactivate')).toBe(422);
  await expect(agents.alert).toContainText(labels.errors.nothing_selected);

  await agents.goto('?sort=name');
  await agents.tick(one.account, two.account, own.account);
  await agents.toTicked('deactivate');
  await expect(agents.good).toHaveText(counted(labels.agents, 'deactivated', 2));
  await expect(agents.alert).toContainText(labels.errors.own_account);
  await expect(visitor.page).toHaveURL(/[?&]sort=name/);
  for (const { account } of [one, two]) await expect(agents.row(account).getByText(labels.agents.inactive, { exact: true })).toBeVisible();
  await expect(agents.row(own.account).getByText(labels.agents.active, { exact: true })).toBeVisible();
  await other.open('/agent');
  await other.login.ready();
  expect(await other.login.send(one)).toBe(403);

  await agents.tick(one.account);
  await agents.toTicked('activate');
  await expect(agents.row(one.account).getByText(labels.agents.active, { exact: true })).toBeVisible();
  await expect(agents.row(two.account).getByText(labels.agents.inactive, { exact: true })).toBeVisible();
  await other.login.send(one);
  await other.agent.ready();

  for (const { account } of [one, two]) await server.kit.setAccountLocked(company.name, account, true);
  await agents.goto('?state=locked');
  await expect(agents.rows).toHaveCount(2);
  await agents.tick(one.account, two.account);
  await agents.toTicked('unlock');
  await expect(agents.good.first()).toHaveText(counted(labels.agents, 'changed', 2));
  await expect(agents.rows).toHaveCount(0);
  for (const { email } of [one, two]) await mail.next(email, labels.mail.unlocked_subject);
});

test('an agent is deleted only by name, and the last admin and oneself never', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none' });
  const own = await createAccount(admin);
  const agent = await anotherVisitor();
  await agent.signIn(account, mail);
  await visitor.signIn(own, mail);
  await visitor.agents.goto();
  await visitor.agents.choose(account.account, labels.agents.delete);
  expect(await visitor.agentAct.delete('somebody')).toBe(422);
  await expect(visitor.agentAct.name).toHaveAttribute('aria-invalid', 'true');
  await expect(visitor.agentAct.name).toHaveAccessibleDescription(new RegExp(labels.errors.names_differ.replace(/[.]/g, '\\.')));
  await expect(visitor.agentAct.name).toHaveValue('somebody');
  await agent.agent.goto();
  await visitor.agentAct.delete(account.account);
  await expect(visitor.agents.good).toHaveText(labels.agents.deleted);
  await expect(visitor.agents.row(account.account)).toHaveCount(0);
  await agent.open('/agent');
  await agent.login.ready();
  expect(await agent.login.send(account)).toBe(401);
  expect((await visitor.open(`/admin/agents/${account.id}/view`)).status()).toBe(404);

  await visitor.agents.goto();
  expect(await visitor.agents.offered(own.account)).not.toContain(labels.agents.delete);
  await visitor.agentAct.goto(own.id, 'delete');
  expect(await visitor.agentAct.delete(own.account)).toBe(409);
  await expect(visitor.agentAct.alert).toContainText(labels.errors.own_account);
  await visitor.agentForm.goto(own.id);
  expect(await visitor.agentForm.save({ roles: ['agent'] })).toBe(409);
  await expect(visitor.agentForm.role('admin'), 'what was ticked is kept').not.toBeChecked();
  await visitor.admin.goto();

  // The names are free again.
  await visitor.agentForm.gotoNew();
  await visitor.agentForm.add({ account: account.account, email: account.email, firstName: 'Bob' });
  await visitor.agentView.ready();
});

test.describe('a new password by an admin', { tag: '@journey' }, () => {
  test('ends the agent\'s sessions and has to be changed', async ({ visitor, anotherVisitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const own = await createAccount(admin);
    const agent = await anotherVisitor();
    await visitor.signIn(own, mail);
    await clock.advance({ minutes: 6 });
    await agent.signIn(account, mail);
    await visitor.agents.goto();
    await visitor.agents.choose(account.account, labels.agents.reset_password);
    // The proof of identity is too old: it is asked again, and leads back.
    await visitor.stepUp(own, mail);
    expect(await visitor.agentAct.resetPassword('short')).toBe(422);
    await expect(visitor.agentAct.newPassword).toHaveAttribute('aria-invalid', 'true');
    await agent.agent.goto();
    await visitor.agentAct.resetPassword('gravel pelican sunrise');
    await expect(visitor.agentView.good).toHaveText(labels.agents.password_set);
    await expect(visitor.agentView.fact(labels.agents.sessions)).toHaveText('0');
    await agent.open('/agent');
    await agent.login.ready();
    const { text } = await mail.next(account.email, labels.mail.password_reset_subject);
    expect(text).not.toContain('gravel');
    expect(await agent.login.send(account)).toBe(401);
    await agent.login.send({ ...account, password: 'gravel pelican sunrise' });
    await agent.choosePassword.ready();
    await agent.choosePassword.send(chosen);
    await agent.login.ready();
    await agent.login.send({ ...account, password: chosen });
    await agent.agent.ready();
  });

  test('is chosen by the agent with a reset link, which ends sessions and trust', async ({ visitor, anotherVisitor, createCompany, createAccount, mail, labels }) => {
    const company = await createCompany({ two_factor_policy: 30 });
    const account = await createAccount({ company: company.name });
    const agent = await anotherVisitor();
    await agent.passPassword(account);
    await agent.code.trust(30).check();
    await agent.code.enter(await mail.nextCode(account.email));
    await agent.agent.ready();
    await visitor.signIn(await createAccount({ ...admin, company: company.name }), mail);
    await visitor.agentAct.goto(account.id, 'password');
    await visitor.agentAct.sendResetLink();
    await expect(visitor.agentView.good).toHaveText(labels.agents.link_sent);
    const link = linkOf(await mail.next(account.email, labels.mail.reset_subject));
    await agent.agent.goto();
    const reader = await anotherVisitor();
    await reader.open(link);
    await reader.choosePassword.ready();
    await expect(reader.choosePassword.sentence(labels.agents.choose_reset)).toBeVisible();
    await reader.choosePassword.send(chosen);
    await reader.login.ready();
    await agent.open('/agent');
    await agent.login.ready();
    // Trust is over: the code is asked.
    await agent.passPassword({ ...account, password: chosen });
    expect((await reader.open(link)).status()).toBe(410);
  });
});

test('names that are taken are named at their fields, and everything typed is kept', async ({ visitor, createAccount, mail, labels }) => {
  const taken = await createAccount({ second_factor: 'none' });
  await visitor.signIn(await createAccount(admin), mail);
  await visitor.agentForm.gotoNew();
  const { agentForm } = visitor;
  const typed = { ...newAgent(), lastName: 'Stone', alias: 'B', phone: '1', title: 'T', timeFormat: '12', language: 'de', roles: ['agent', 'supervisor'], active: false } as const;
  const expectKept = async (account: string, email: string) => {
    await expect(agentForm.account).toHaveValue(account);
    await expect(agentForm.email).toHaveValue(email);
    await expect(agentForm.firstName).toHaveValue('Bob');
    await expect(agentForm.lastName).toHaveValue('Stone');
    await expect(agentForm.alias).toHaveValue('B');
    await expect(agentForm.phone).toHaveValue('1');
    await expect(agentForm.title).toHaveValue('T');
    await expect(agentForm.timeFormat).toHaveValue('12');
    await expect(agentForm.ownLanguage).toHaveValue('de');
    await expect(agentForm.role('agent')).toBeChecked();
    await expect(agentForm.role('supervisor')).toBeChecked();
    await expect(agentForm.role('admin')).not.toBeChecked();
    await expect(agentForm.active).not.toBeChecked();
  };
  const account = taken.account.toUpperCase();
  expect(await agentForm.add({ ...typed, account })).toBe(422);
  await expect(agentForm.account).toHaveAttribute('aria-invalid', 'true');
  await expect(agentForm.account).toHaveAccessibleDescription(new RegExp(`^${labels.errors.account_taken}`));
  await expect(agentForm.alert.getByRole('link', { name: labels.errors.account_taken, exact: true })).toBeVisible();
  await expectKept(account, typed.email);

  const email = taken.email.toUpperCase();
  expect(await agentForm.add({ account: typed.account, email })).toBe(422);
  await expect(agentForm.email).toHaveAttribute('aria-invalid', 'true');
  await expect(agentForm.email).toHaveAccessibleDescription(new RegExp(`^${labels.errors.email_taken}`));
  await expectKept(typed.account, email);

  expect(await agentForm.add({ account: 'bjørn', email: 'nowhere', firstName: '' , roles: [] })).toBe(422);
  for (const sentence of [labels.errors.account_characters, labels.errors.not_an_address, labels.errors.first_name_missing, labels.errors.roles_missing]) {
    await expect(agentForm.alert.getByRole('link', { name: sentence, exact: true })).toBeVisible();
  }
  // A language switch in the middle loses nothing.
  await agentForm.type({ account: typed.account, email: typed.email, firstName: 'Bob', roles: ['agent', 'supervisor'] });
  await visitor.language.choose('de');
  await expect(visitor.reading('de').agentForm.lastName).toHaveValue('Stone');
  await visitor.language.choose('en');
  await expectKept(typed.account, typed.email);
  await agentForm.add({});
  await visitor.agentView.ready();
  await expect(visitor.agentView.heading).toHaveText('B');
});

test('of two admins who edit the same agent the second one sees both versions', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none' });
  const colleague = await anotherVisitor();
  await visitor.signIn(await createAccount(admin), mail);
  await colleague.signIn(await createAccount({ ...admin, first_name: 'Olga' }), mail);
  await visitor.agentForm.goto(account.id);
  await colleague.agentForm.goto(account.id);
  await colleague.agentForm.save({ title: 'Team lead', phone: '+46 8 123' });
  await expect(colleague.agentForm.sentence(labels.agents.saved)).toBeVisible();

  expect(await visitor.agentForm.save({ title: 'Clerk', lastName: 'Stone' })).toBe(409);
  await expect(visitor.agentForm.alert).toContainText(labels.company.changed_meanwhile);
  await expect(visitor.agentForm.title).toHaveValue('Clerk');
  await expect(visitor.agentForm.lastName).toHaveValue('Stone');
  await expect(visitor.agentForm.meanwhile('Team lead')).toBeVisible();
  await expect(visitor.agentForm.meanwhile('+46 8 123')).toBeVisible();
  await colleague.agentForm.goto(account.id);
  await expect(colleague.agentForm.title, 'nothing was lost').toHaveValue('Team lead');

  await visitor.agentForm.save({ phone: '+46 8 123' });
  await expect(visitor.agentForm.sentence(labels.agents.saved)).toBeVisible();
  await colleague.agentForm.goto(account.id);
  await expect(colleague.agentForm.title).toHaveValue('Clerk');
  await expect(colleague.agentForm.phone).toHaveValue('+46 8 123');
  await expect(colleague.agentForm.lastName).toHaveValue('Stone');
});
