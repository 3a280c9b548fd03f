import { expect, test, type Account } from '../fixtures';
import { counted, fill, labelsOf } from '../fixtures/labels';
import { expectLanguage } from '../fixtures/words';

/** An admin whose screens stay English, whatever the company speaks. */
const admin = { roles: ['admin'], second_factor: 'none', language: 'en', first_name: 'Rita' } satisfies Partial<Account>;

test('General Information is saved; of two admins the second one sees both versions', { tag: '@journey' }, async ({ visitor, anotherVisitor, company, createAccount, mail, labels }) => {
  const colleague = await anotherVisitor();
  await visitor.signIn(await createAccount(admin), mail);
  await colleague.signIn(await createAccount(admin), mail);
  const { general } = visitor;
  await general.goto();
  await expect(general.page.getByRole('main').getByText(company.name, { exact: true })).toBeVisible();
  await colleague.general.goto();
  await colleague.general.language.selectOption('de');
  await colleague.general.save();
  await expect(colleague.general.good).toHaveText(labels.company.saved);

  await general.timeZone.selectOption('Europe/Berlin');
  await general.newAgentMail('activation_link').check();
  expect(await general.save()).toBe(409);
  await expect(general.alert).toContainText(labels.company.changed_meanwhile);
  await expect(general.meanwhile(labelsOf('de').common.language_name)).toBeVisible();
  await expect(general.language).toHaveValue('en');
  await expect(general.timeZone).toHaveValue('Europe/Berlin');
  await expect(general.newAgentMail('activation_link')).toBeChecked();
  await colleague.general.goto();
  await expect(colleague.general.language, 'nothing was lost').toHaveValue('de');

  await general.language.selectOption('de');
  await general.save();
  await expect(general.good).toHaveText(labels.company.saved);
  await general.goto();
  await expect(general.good).toHaveCount(0);
  await expect(general.language).toHaveValue('de');
  await expect(general.timeZone).toHaveValue('Europe/Berlin');
  await expect(general.newAgentMail('activation_link')).toBeChecked();
  const agent = await anotherVisitor();
  await agent.signIn(await createAccount({ second_factor: 'none' }), mail);
  await expectLanguage(agent.page, 'de');
});

test('Security is saved and all admins are told; what is wrong or too late keeps everything typed', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, clock, labels }) => {
  const own = await createAccount(admin);
  const other = await createAccount({ ...admin, first_name: 'Olga' });
  const colleague = await anotherVisitor();
  await visitor.signIn(own, mail);
  await colleague.signIn(other, mail);
  const { policies } = visitor;
  await policies.goto();
  await policies.passwordMin.fill('7');
  await policies.minutes.fill('14');
  await policies.trust(14).check();
  expect(await policies.save()).toBe(422);
  const outOfRange = (least: number, most: number) => new RegExp(`^${fill(labels.errors.out_of_range, { least, most }).replaceAll('.', '\\.')}`);
  await expect(policies.passwordMin).toHaveAccessibleDescription(outOfRange(8, 64));
  await expect(policies.minutes).toHaveAccessibleDescription(outOfRange(15, 999));
  await expect(policies.passwordMin).toHaveValue('7');
  await expect(policies.minutes).toHaveValue('14');
  await expect(policies.trust(14)).toBeChecked();

  await colleague.policies.goto();
  await colleague.policies.passwordMin.fill('16');
  await colleague.policies.save();
  await expect(colleague.policies.good).toHaveText(labels.company.saved);
  for (const { email } of [own, other]) expect((await mail.next(email, labels.mail.policies_subject)).text).toContain('Olga');

  await policies.passwordMin.fill('20');
  await policies.minutes.fill('60');
  expect(await policies.save()).toBe(409);
  await expect(policies.alert).toContainText(labels.company.changed_meanwhile);
  await expect(policies.meanwhile('16')).toBeVisible();
  await expect(policies.passwordMin).toHaveValue('20');
  await expect(policies.trust(14)).toBeChecked();

  // A proof of identity that is too old does not lose what was typed either.
  await clock.advance({ minutes: 6 });
  expect(await policies.save()).toBe(303);
  await visitor.confirm.ready();
  await expect(visitor.page.getByText(labels.profile.confirm_kept)).toBeVisible();
  await visitor.confirm.send(own.password);
  await expect(policies.alert).toContainText(labels.errors.form_kept);
  await expect(policies.passwordMin).toHaveValue('20');
  await expect(policies.minutes).toHaveValue('60');
  await policies.save();
  await expect(policies.good).toHaveText(labels.company.saved);
  await policies.goto();
  await expect(policies.passwordMin).toHaveValue('20');
  await expect(policies.minutes).toHaveValue('60');
  await expect(policies.trust(14)).toBeChecked();
});

test('an office is named where it is, told once, and taken away', { tag: '@journey' }, async ({ visitor, createAccount, mail, labels, source }) => {
  const own = await createAccount(admin);
  await visitor.signIn(own, mail);
  const { policies } = visitor;
  await policies.goto();
  await expect(policies.sentence(labels.company.no_offices)).toBeVisible();
  if (source !== null) {
    await expect(policies.sentence(fill(labels.company.office_here, { address: source }))).toBeVisible();
    await expect(policies.officeRange).toHaveValue(source);
  }
  expect(await policies.addOffice('Berlin', '192.0.2.0/33')).toBe(422);
  const ranges = { ipv4: '192.0.2.0/28', ipv6: '2001:db8::/48' };
  await expect(policies.alert).toContainText(fill(labels.errors.not_a_range, ranges));
  await expect(policies.officeRange).toHaveAccessibleDescription(new RegExp(`^${fill(labels.errors.not_a_range, ranges).replaceAll('.', '\\.')}`));
  await expect(policies.officeName).toHaveValue('Berlin');
  await expect(policies.officeRange).toHaveValue('192.0.2.0/33');

  await policies.addOffice('Berlin', '192.0.2.7/28');
  await expect(policies.good).toHaveText(labels.company.office_added);
  await expect(policies.offices).toHaveCount(1);
  await expect(policies.offices).toContainText('192.0.2.0/28');
  await mail.next(own.email, labels.mail.policies_subject);
  expect(await policies.addOffice('Bonn', '192.0.2.0/28')).toBe(422);
  await expect(policies.alert).toContainText(labels.errors.range_taken);
  await expect(policies.offices).toHaveCount(1);

  await policies.removeOffice(policies.offices);
  await expect(policies.good).toHaveText(labels.company.office_removed);
  await expect(policies.sentence(labels.company.no_offices)).toBeVisible();
  await visitor.audit.goto();
  await expect(visitor.audit.rows.filter({ hasText: `${labels.company.offices}: – → 192.0.2.0/28` })).toHaveCount(1);
});

test('the Log-out Policy bites sessions that are running', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, clock, labels }) => {
  const agent = await anotherVisitor();
  const account = await createAccount({ second_factor: 'none' });
  await agent.signIn(account, mail);
  await clock.advance({ minutes: 20 });
  await visitor.signIn(await createAccount(admin), mail);
  const { policies } = visitor;
  await policies.goto();
  await policies.minutes.fill('15');
  await policies.save();
  await expect(policies.good).toHaveText(labels.company.saved);
  await agent.open('/agent');
  await agent.login.ready();

  await policies.never.check();
  await policies.save();
  await expect(policies.good).toHaveText(labels.company.saved);
  await policies.goto();
  await expect(policies.never).toBeChecked();
  await agent.signIn(account, mail);
  await clock.advance({ hours: 11, minutes: 50 });
  await agent.agent.goto();
  await clock.advance({ minutes: 11 });
  await agent.open('/agent');
  await agent.login.ready();
});

test('a stricter 2FA Policy ends trust that was given before', { tag: '@journey' }, async ({ visitor, anotherVisitor, createCompany, createAccount, mail, labels }) => {
  const company = await createCompany({ two_factor_policy: 30 });
  const account = await createAccount({ company: company.name });
  const agent = await anotherVisitor();
  await agent.passPassword(account);
  await agent.code.trust(30).check();
  await agent.code.enter(await mail.nextCode(account.email));
  await agent.agent.ready();
  await agent.signOut();
  await agent.login.send(account);
  await agent.agent.ready();
  await agent.signOut();

  await visitor.signIn(await createAccount({ ...admin, company: company.name }), mail);
  await visitor.policies.goto();
  await expect(visitor.policies.trust(30)).toBeChecked();
  await visitor.policies.trust(0).check();
  await visitor.policies.save();
  await expect(visitor.policies.good).toHaveText(labels.company.saved);
  await agent.passPassword(account);
  await expect(agent.code.anyTrust).toHaveCount(0);
});

test('Require a second factor confines sessions that are running', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none' });
  const agent = await anotherVisitor();
  await agent.signIn(account, mail);
  await visitor.signIn(await createAccount({ ...admin, second_factor: 'email' }), mail);
  await visitor.policies.goto();
  await visitor.policies.require('everyone').check();
  await visitor.policies.save();
  await expect(visitor.policies.good).toHaveText(labels.company.saved);
  await expect(visitor.policies.sentence(counted(labels.company, 'without_factor', 1))).toBeVisible();
  await agent.open('/agent');
  await agent.required.ready();
  await agent.required.email.click();
  await agent.emailSetUp.ready();
  await agent.emailSetUp.send(await mail.nextCode(account.email));
  await agent.newBackupCodes.ready();
  await agent.newBackupCodes.done.click();
  await agent.agent.ready();
  await visitor.policies.goto();
  await expect(visitor.page.getByText(counted(labels.company, 'without_factor', 0))).toHaveCount(0);
});
