import { expect, test } from '../fixtures';
import { labelsOf } from '../fixtures/labels';
import { expectLanguage } from '../fixtures/words';
import type { Visitor } from '../pages';

/** Marks the document, so that a reload would be noticed. */
async function mark(visitor: Visitor): Promise<void> {
  await visitor.page.evaluate(() => document.documentElement.setAttribute('data-test-mark', ''));
}

async function expectSameDocument(visitor: Visitor): Promise<void> {
  await expect(visitor.page.locator('html[data-test-mark]')).toBeAttached();
}

test('switching on the sign-in page keeps what was typed, the focus and the document', async ({ visitor, account }) => {
  await visitor.login.goto('?next=%2Fagent%3Fkept%3D1');
  await visitor.login.type(account);
  await mark(visitor);
  await visitor.language.select.focus();
  await visitor.language.choose('ar');
  await expectLanguage(visitor.page, 'ar');
  await expectSameDocument(visitor);
  await expect(visitor.language.select).toBeFocused();
  const arabic = visitor.reading('ar');
  await expect(arabic.login.heading).toBeVisible();
  await expect(arabic.login.company).toHaveValue(account.company);
  await expect(arabic.login.account).toHaveValue(account.account);
  await expect(arabic.login.password).toHaveValue(account.password);
  await expect(visitor.page).toHaveTitle(new RegExp(labelsOf('ar').signIn.title));
  expect(await visitor.cookie('language')).toBe('ar');

  await arabic.login.account.focus();
  await visitor.language.choose('de');
  const german = visitor.reading('de');
  await expect(german.login.account).toBeFocused();
  await expect(german.login.password).toHaveValue(account.password);
  await expectSameDocument(visitor);
  await expectLanguage(visitor.page, 'de');

  await german.login.submit.click();
  await german.code.ready();
  await expectLanguage(visitor.page, 'de');
});

test('an error stays and changes its language', async ({ visitor, account }) => {
  await visitor.login.goto();
  await visitor.login.send({ ...account, password: 'wrong' });
  await expect(visitor.login.sentence(visitor.labels.errors.wrong_credentials)).toBeVisible();
  await visitor.login.password.fill('another');
  await mark(visitor);
  await visitor.language.choose('de');
  const german = visitor.reading('de');
  await expect(german.login.sentence(german.labels.errors.wrong_credentials)).toBeVisible();
  await expect(visitor.page.getByText(visitor.labels.errors.wrong_credentials)).toHaveCount(0);
  await expect(german.login.account).toHaveValue(account.account);
  await expect(german.login.password).toHaveValue('another');
  await expectSameDocument(visitor);
});

test('errors of fields stay and change their language', async ({ visitor }) => {
  await visitor.login.goto();
  await visitor.login.company.fill('Acme');
  await visitor.login.submit.click();
  await expect(visitor.login.sentence(visitor.labels.errors.account_missing)).toBeVisible();
  await visitor.language.choose('ar');
  const arabic = visitor.reading('ar');
  await expect(arabic.login.sentence(arabic.labels.errors.account_missing)).toBeVisible();
  await expect(arabic.login.sentence(arabic.labels.errors.password_missing)).toBeVisible();
  await expect(arabic.login.company).toHaveValue('Acme');
});

test.describe('switching on the code page', () => {
  test.use({ twoFactorPolicy: 30 });

  test('keeps code, tick, warning, countdown and document', async ({ visitor, account, mail }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    const wrong = code === '000000' ? '000001' : '000000';
    for (let number = 1; number <= 3; number += 1) {
      await visitor.code.send(wrong);
      await expect(visitor.code.code).toHaveValue('');
      await expect(visitor.code.verify).toBeEnabled();
    }
    await expect(visitor.code.sentence(visitor.labels.errors.two_left)).toBeVisible();
    await visitor.code.trust(30).check();
    await visitor.code.code.fill(code.slice(0, 4));
    const before = await visitor.code.secondsLeft();
    await mark(visitor);
    await visitor.language.choose('de');
    const german = visitor.reading('de');
    await expect(german.code.heading).toBeVisible();
    await expect(german.code.sentence(german.labels.errors.two_left)).toBeVisible();
    await expect(german.code.code).toHaveValue(code.slice(0, 4));
    await expect(german.code.trust(30)).toBeChecked();
    const after = await german.code.secondsLeft();
    expect(after).toBeLessThanOrEqual(before);
    expect(after).toBeGreaterThan(before - 10);
    await expect(german.code.resend).toBeDisabled();
    await expectSameDocument(visitor);
    await expectLanguage(visitor.page, 'de');
    await german.code.enter(code);
    await german.agent.ready();
    await expectLanguage(visitor.page, 'de');
  });
});

test('the server answers in the language that was switched to', async ({ visitor, account }) => {
  await visitor.login.goto();
  await visitor.language.choose('de');
  const german = visitor.reading('de');
  await german.login.send({ ...account, password: 'wrong' });
  await expect(german.login.sentence(german.labels.errors.wrong_credentials)).toBeVisible();
});
