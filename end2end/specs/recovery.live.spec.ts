import { expect, test } from '../fixtures';
import { linkOf } from '../fixtures/letters';
import { expectLanguage } from '../fixtures/words';

test('the company that was typed is kept on the way to Forgot Password', async ({ visitor }) => {
  await visitor.login.goto();
  await visitor.login.company.fill('Müller & Söhne');
  await visitor.login.forgot.click();
  await visitor.forgot.ready();
  await expect(visitor.forgot.company).toHaveValue('Müller & Söhne');
});

test('switching the language keeps fields, focus, error and document', async ({ visitor, account, mail, labels }) => {
  const { page, forgot } = visitor;
  await forgot.goto('?company=Acme');
  expect(await forgot.send('alice')).toBe(422);
  await forgot.ready();
  await page.evaluate(() => document.documentElement.setAttribute('data-test-mark', ''));
  await forgot.email.fill('alice@ac');
  await visitor.language.select.focus();
  await visitor.language.choose('ar');
  await expectLanguage(page, 'ar');
  await expect(visitor.language.select).toBeFocused();
  const arabic = visitor.reading('ar');
  await expect(arabic.forgot.heading).toBeVisible();
  await expect(arabic.forgot.company).toHaveValue('Acme');
  await expect(arabic.forgot.email).toHaveValue('alice@ac');
  await expect(arabic.forgot.email).toHaveAccessibleDescription(arabic.labels.errors.not_an_address);
  await visitor.language.choose('en');
  await expect(page.locator('html[data-test-mark]')).toBeAttached();
  expect(page.url()).toContain('/forgot-password');

  await forgot.send(account.email, account.company);
  await expect(forgot.sent).toBeVisible();
  await visitor.open(linkOf(await mail.next(account.email, labels.mail.reset_subject)));
  const { choosePassword } = visitor;
  await choosePassword.ready();
  await choosePassword.newPassword.fill('orchard marble thunder');
  await choosePassword.confirmPassword.fill('orchard marble');
  await visitor.language.choose('de');
  const german = visitor.reading('de');
  await expect(german.choosePassword.newPassword).toHaveValue('orchard marble thunder');
  await expect(german.choosePassword.confirmPassword).toHaveValue('orchard marble');
  await german.choosePassword.newPassword.fill('password1234');
  await expect(german.choosePassword.sentence(german.labels.errors.password_weak)).toBeVisible();
});
