import { expect, test } from '../fixtures';
import { counted, fill, labelsOf, type Labels } from '../fixtures/labels';
import { expectLanguage } from '../fixtures/words';

/** Hard to guess, and none of the names of a test's account is in it. */
const newPassword = 'orchard marble thunder';

test.describe('basic information', { tag: '@journey' }, () => {
  test('is saved, said, and seen on the next page', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    await expect(visitor.profile.firstName).toHaveValue('Alice');
    await visitor.profile.send({ firstName: ' Rita ', lastName: 'Lindqvist', alias: 'Ri', phone: '+46 8 123', title: 'Team lead', timeFormat: '12' });
    await visitor.profile.ready();
    await expect(visitor.profile.sentence(labels.profile.saved)).toBeVisible();
    await visitor.profile.goto();
    await expect(visitor.page.getByText(labels.profile.saved)).toHaveCount(0);
    await expect(visitor.profile.firstName).toHaveValue('Rita');
    await expect(visitor.profile.lastName).toHaveValue('Lindqvist');
    await expect(visitor.profile.alias).toHaveValue('Ri');
    await expect(visitor.profile.phone).toHaveValue('+46 8 123');
    await expect(visitor.profile.title).toHaveValue('Team lead');
    await expect(visitor.profile.timeFormat).toHaveValue('12');
    await visitor.agent.goto();
    await expect(visitor.agent.welcome('Ri')).toBeVisible();
  });

  test('takes Arabic names, and makes the alias of them', async ({ visitor, createAccount, mail }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    await visitor.profile.send({ firstName: 'ليلى', lastName: 'حدّاد', alias: '' });
    await visitor.profile.ready();
    await expect(visitor.profile.alias).toHaveValue('ليلى حدّاد');
    await visitor.agent.goto();
    await expect(visitor.agent.welcome('ليلى حدّاد')).toBeVisible();
  });

  test('is shown as text, whatever was typed', async ({ visitor, createAccount, mail }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    const hostile = '"><script>alert(1)</script>{{ name }}';
    await visitor.profile.goto();
    await visitor.profile.send({ firstName: hostile, alias: hostile });
    await visitor.profile.ready();
    await expect(visitor.profile.firstName).toHaveValue(hostile);
    await visitor.agent.goto();
    await expect(visitor.agent.welcome(hostile)).toBeVisible();
  });

  test('is reached from the menu and leads to Security Settings', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.agent.menu.click();
    await visitor.agent.profile.click();
    await visitor.profile.ready();
    await expect(visitor.page).toHaveURL('/profile');
    await expect(visitor.page).toHaveTitle(new RegExp(labels.profile.title));
    const main = visitor.page.getByRole('main');
    for (const given of [account.company, account.account, account.email]) await expect(main.getByText(given, { exact: true }).first()).toBeVisible();
    await visitor.profile.security.click();
    await visitor.security.ready();
    await expect(visitor.page).toHaveURL('/profile/security');
  });
});

test.describe('basic information that cannot be right', () => {
  test('is named at the field, and everything typed is kept', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    const title = 'x'.repeat(101);
    expect(await visitor.profile.send({ firstName: '  ', lastName: 'Lindqvist', phone: '+46 8 123', title, timeFormat: '12', language: 'de' })).toBe(422);
    await visitor.profile.ready();
    const { first_name_missing } = labels.errors;
    const tooLong = counted(labels.errors, 'field_too_long', 100);
    await expect(visitor.profile.firstName).toHaveAttribute('aria-invalid', 'true');
    await expect(visitor.profile.firstName).toHaveAccessibleDescription(first_name_missing);
    await expect(visitor.profile.title).toHaveAccessibleDescription(tooLong);
    await expect(visitor.profile.lastName).not.toHaveAttribute('aria-invalid', 'true');
    for (const sentence of [first_name_missing, tooLong]) {
      await expect(visitor.page.getByRole('alert').getByRole('link', { name: sentence, exact: true })).toBeVisible();
    }
    await expect(visitor.profile.lastName).toHaveValue('Lindqvist');
    await expect(visitor.profile.phone).toHaveValue('+46 8 123');
    await expect(visitor.profile.title).toHaveValue(title);
    await expect(visitor.profile.timeFormat).toHaveValue('12');
    await expect(visitor.profile.ownLanguage).toHaveValue('de');

    await visitor.profile.goto();
    await expect(visitor.profile.firstName).toHaveValue('Alice');
    await expect(visitor.profile.lastName, 'nothing was half-saved').toHaveValue('');
    await expectLanguage(visitor.page, 'en');
  });

  test('begins at 101 characters', async ({ visitor, createAccount, mail }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    const name = 'ü'.repeat(100);
    await visitor.profile.send({ firstName: name });
    await visitor.profile.ready();
    await visitor.profile.goto();
    await expect(visitor.profile.firstName).toHaveValue(name);
  });

  test('may have characters that turn text around', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    expect(await visitor.profile.send({ alias: 'Alice\u202egnp' })).toBe(422);
    await visitor.profile.ready();
    await expect(visitor.profile.alias).toHaveAccessibleDescription(new RegExp(labels.errors.bad_characters.replace(/[.]/g, '\\.')));
  });
});

test.describe('language and time format', () => {
  test('the chosen language speaks at once, and the company\'s again when none is chosen', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    await expect(visitor.profile.ownLanguage).toHaveValue('');
    await visitor.profile.send({ language: 'de' });
    const german = visitor.reading('de');
    await german.profile.ready();
    await expectLanguage(visitor.page, 'de');
    await expect(german.profile.sentence(labelsOf('de').profile.saved)).toBeVisible();
    await expect(german.profile.ownLanguage).toHaveValue('de');

    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await expectLanguage(other.page, 'de');

    await german.profile.send({ language: '' });
    await visitor.profile.ready();
    await expectLanguage(visitor.page, 'en');
    await expect(visitor.profile.ownLanguage).toHaveValue('');
  });

  test('saving something else leaves the language of this browser alone', async ({ visitor, createAccount, mail }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none', language: 'de' }), mail);
    await expectLanguage(visitor.page, 'de');
    const german = visitor.reading('de');
    await german.profile.goto();
    await german.profile.send({ firstName: 'Rita' });
    await german.profile.ready();
    await expect(german.profile.ownLanguage).toHaveValue('de');
  });

  test('the switch in the head keeps what was typed', async ({ visitor, createAccount, mail }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    await visitor.profile.type({ firstName: 'Rita', lastName: 'Lindqvist', alias: '', phone: '1', title: 'T', timeFormat: '12' });
    await visitor.language.choose('ar');
    const arabic = visitor.reading('ar');
    await arabic.profile.ready();
    await expect(arabic.profile.firstName).toHaveValue('Rita');
    await expect(arabic.profile.lastName).toHaveValue('Lindqvist');
    await expect(arabic.profile.alias).toHaveValue('');
    await expect(arabic.profile.phone).toHaveValue('1');
    await expect(arabic.profile.title).toHaveValue('T');
    await expect(arabic.profile.timeFormat).toHaveValue('12');
    await arabic.profile.send({});
    await arabic.profile.ready();
    await visitor.language.choose('en');
    await visitor.profile.goto();
    await expect(visitor.profile.lastName).toHaveValue('Lindqvist');
  });

  test('Enter in a field saves; it does not change the language', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    await visitor.profile.firstName.fill('Rita');
    await visitor.profile.firstName.press('Enter');
    await expect(visitor.profile.sentence(labels.profile.saved)).toBeVisible();
    await expect(visitor.profile.firstName).toHaveValue('Rita');
  });

  test('times are written in the chosen format', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.security.goto();
    const since = () => visitor.security.detail(visitor.security.sessions.first(), labels.profile.since);
    await expect(since()).toHaveText(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{2}:\d{2}$/);
    await visitor.profile.goto();
    await visitor.profile.send({ timeFormat: '12' });
    await visitor.profile.ready();
    await visitor.security.goto();
    await expect(since()).toHaveText(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}\s[AP]M$/);
  });
});

test.describe('Change Password', { tag: '@journey' }, () => {
  test('ends every session, tells by mail, and the new password is the one', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    await visitor.profile.sendPassword(account.password, newPassword);
    await visitor.login.ready();
    expect(new URL(visitor.page.url()).pathname).toBe('/login');
    await expect(visitor.login.sentence(labels.signIn.password_changed)).toBeVisible();
    expect(await visitor.cookie('session')).toBeUndefined();
    await other.open('/agent');
    await other.login.ready();
    const { text } = await mail.next(account.email, labels.mail.password_subject);
    expect(text).toContain(fill(labels.mail.password_intro, account));
    expect(text).not.toContain(newPassword);

    expect(await visitor.login.send(account)).toBe(401);
    await expect(visitor.login.sentence(labels.errors.wrong_credentials)).toBeVisible();
    await visitor.login.send({ ...account, password: newPassword });
    await visitor.agent.ready();
  });

  test('ends trust in browsers and a sign-in that is under way', async ({ visitor, anotherVisitor, createCompany, createAccount, mail, labels }) => {
    const company = await createCompany({ two_factor_policy: 30 });
    const account = await createAccount({ company: company.name });
    const other = await anotherVisitor();
    await other.passPassword(account);
    const code = await mail.nextCode(account.email);
    await visitor.passPassword(account);
    await visitor.code.trust(30).check();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await visitor.profile.goto();
    await visitor.profile.sendPassword(account.password, newPassword);
    await visitor.login.ready();
    await other.code.type(code);
    await expect(other.code.sentence(labels.errors.sign_in_expired)).toBeVisible();
    await visitor.passPassword({ ...account, password: newPassword });
  });
});

test.describe('a new password that cannot be taken', () => {
  for (const { name, chosen, again, field, said } of [
    { name: 'short', chosen: 'kqzvwyxbntg', field: 'newPassword', said: ({ errors }: Labels) => counted(errors, 'field_too_short', 12) },
    { name: 'easy to guess', chosen: 'passwordpassword', field: 'newPassword', said: ({ errors }: Labels) => errors.password_weak },
    { name: 'long', chosen: 'kq zv '.repeat(22), field: 'newPassword', said: ({ errors }: Labels) => counted(errors, 'field_too_long', 128) },
    { name: 'typed differently', chosen: newPassword, again: `${newPassword}.`, field: 'confirmPassword', said: ({ errors }: Labels) => errors.passwords_differ },
    { name: 'missing', chosen: '', again: '', field: 'newPassword', said: ({ errors }: Labels) => errors.new_password_missing },
  ] as const) {
    test(`${name} is refused at its field, and the old one goes on`, async ({ visitor, createAccount, mail, labels }) => {
      const account = await createAccount({ second_factor: 'none' });
      await visitor.signIn(account, mail);
      await visitor.profile.goto();
      expect(await visitor.profile.sendPassword(account.password, chosen, again)).toBe(422);
      await visitor.profile.ready();
      await expect(visitor.profile[field]).toHaveAttribute('aria-invalid', 'true');
      await expect(visitor.profile[field]).toHaveAccessibleDescription(new RegExp(`^${said(labels).replace(/[.]/g, '\\.')}`));
      for (const input of [visitor.profile.oldPassword, visitor.profile.newPassword, visitor.profile.confirmPassword]) await expect(input).toHaveValue('');
      expect(await mail.count(account.email, labels.mail.password_subject)).toBe(0);
      await visitor.signOut();
      await visitor.login.send(account);
      await visitor.agent.ready();
    });
  }

  test('is also one with a name of the account in it, and the old one', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none', first_name: 'Wolfeschlegel' });
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    expect(await visitor.profile.sendPassword(account.password, 'Wolfeschlegel2026')).toBe(422);
    await expect(visitor.profile.sentence(labels.errors.password_weak)).toBeVisible();
    expect(await visitor.profile.sendPassword(account.password, account.password)).toBe(422);
    await expect(visitor.profile.sentence(labels.errors.password_unchanged)).toBeVisible();
  });

  test('wrong old ones are said and count', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    for (let number = 1; number <= 5; number += 1) {
      expect(await visitor.profile.sendPassword(`wrong ${number}`, newPassword)).toBe(422);
      await expect(visitor.profile.oldPassword).toHaveAttribute('aria-invalid', 'true');
      await expect(visitor.profile.sentence(labels.errors.password_wrong)).toBeVisible();
    }
    expect(await visitor.profile.sendPassword(account.password, newPassword), 'even the right one has to wait').toBe(422);
    await visitor.agent.goto();
  });
});

test('the fields suit password managers and screen readers', async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
  await visitor.profile.goto();
  for (const [field, autocomplete] of [
    [visitor.profile.firstName, 'given-name'],
    [visitor.profile.lastName, 'family-name'],
    [visitor.profile.phone, 'tel'],
    [visitor.profile.oldPassword, 'current-password'],
    [visitor.profile.newPassword, 'new-password'],
    [visitor.profile.confirmPassword, 'new-password'],
  ] as const) {
    await expect(field).toHaveAttribute('autocomplete', autocomplete);
  }
  await expect(visitor.profile.newPassword).toHaveAccessibleDescription(counted(labels.profile, 'password_hint', 12));
  await visitor.open('/profile/confirm');
  await expect(visitor.confirm.password).toHaveAttribute('autocomplete', 'current-password');
});
