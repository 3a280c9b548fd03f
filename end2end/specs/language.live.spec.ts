import { expect, test } from '../fixtures';
import { labelsOf, languages } from '../fixtures/labels';
import { expectLanguage } from '../fixtures/words';
import type { Visitor } from '../pages';

/** Marks the document, so that a reload would be noticed. */
async function mark(visitor: Visitor): Promise<void> {
  await visitor.page.evaluate(() => document.documentElement.setAttribute('data-test-mark', ''));
}

async function expectSameDocument(visitor: Visitor): Promise<void> {
  await expect(visitor.page.locator('html[data-test-mark]')).toBeAttached();
}

/** What is said when a language cannot be had. */
const switchProblem = (visitor: Visitor) => visitor.page.locator('.language [role="alert"]');

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

for (const language of languages.filter((tag) => tag !== 'en')) {
  test.describe(`switching to ${language}`, () => {
    test.use({ twoFactorPolicy: 30 });

    test('keeps fields, focus, caret, error, tick, countdown and document', async ({ visitor, account, mail }) => {
      const other = visitor.reading(language);
      await visitor.login.goto();
      await visitor.login.send({ ...account, password: 'wrong' });
      await expect(visitor.login.sentence(visitor.labels.errors.wrong_credentials)).toBeVisible();
      await visitor.login.password.fill('another');
      await visitor.login.account.focus();
      await visitor.login.account.evaluate((field: HTMLInputElement) => field.setSelectionRange(2, 2));
      await mark(visitor);
      await visitor.language.choose(language);
      await expect(other.login.sentence(other.labels.errors.wrong_credentials)).toBeVisible();
      await expect(other.login.company).toHaveValue(account.company);
      await expect(other.login.password).toHaveValue('another');
      await expect(other.login.account).toBeFocused();
      expect(await other.login.account.evaluate((field: HTMLInputElement) => field.selectionStart)).toBe(2);
      await expectSameDocument(visitor);

      await other.login.send(account);
      await other.code.ready();
      const code = await mail.nextCode(account.email);
      await other.code.send(code === '000000' ? '000001' : '000000');
      await expect(other.code.sentence(other.labels.errors.wrong_code)).toBeVisible();
      await other.code.trust(30).check();
      await other.code.code.fill(code.slice(0, 4));
      await other.code.code.focus();
      await other.code.code.evaluate((field: HTMLInputElement) => field.setSelectionRange(2, 2));
      let before = await other.code.secondsLeft();
      await mark(visitor);
      // Away from the language and back to it.
      for (const [tag, reader] of [['en', visitor], [language, other]] as const) {
        await visitor.language.choose(tag);
        await expectLanguage(visitor.page, tag);
        await expect(reader.code.sentence(reader.labels.errors.wrong_code)).toBeVisible();
        await expect(reader.code.code).toHaveValue(code.slice(0, 4));
        await expect(reader.code.code).toBeFocused();
        expect(await reader.code.code.evaluate((field: HTMLInputElement) => field.selectionStart)).toBe(2);
        await expect(reader.code.trust(30)).toBeChecked();
        const after = await reader.code.secondsLeft();
        expect(after).toBeLessThanOrEqual(before);
        expect(after).toBeGreaterThan(before - 10);
        before = after;
        await expectSameDocument(visitor);
      }
    });
  });
}

test('the texts of other languages are fetched when the menu gets the focus', async ({ visitor }) => {
  const fetched: string[] = [];
  visitor.page.on('request', (request) => {
    const language = /\/assets\/texts-([\w-]+)\./.exec(request.url())?.[1];
    if (language) fetched.push(language);
  });
  await visitor.login.goto();
  expect(fetched).toEqual([]);
  await visitor.language.select.focus();
  await expect.poll(() => [...fetched].sort()).toEqual(languages.filter((tag) => tag !== 'en'));
});

test('a language whose texts do not arrive leaves the old one and says so', async ({ visitor, account, console }) => {
  console.allow(/ERR_INTERNET_DISCONNECTED/);
  await visitor.login.goto();
  await visitor.login.type(account);
  await mark(visitor);
  await visitor.page.context().setOffline(true);
  await visitor.language.select.selectOption('de');
  await expect(switchProblem(visitor)).toHaveText(visitor.labels.common.language_failed);
  await expect(visitor.language.select).toHaveValue('en');
  await expectLanguage(visitor.page, 'en');
  await expect(visitor.login.account).toHaveValue(account.account);
  expect(await visitor.cookie('language')).toBeUndefined();

  await visitor.page.context().setOffline(false);
  await visitor.language.choose('de');
  await expect(switchProblem(visitor)).toHaveText('');
  await expectSameDocument(visitor);
});

test('a page of another network in the place of the texts is no language', async ({ visitor }) => {
  await visitor.page.route('**/texts-de.*', (route) => route.fulfill({ contentType: 'text/html', body: '<h1>Hotel</h1>\n<p>Sign in</p>' }));
  await visitor.login.goto();
  await visitor.language.select.selectOption('de');
  await expect(switchProblem(visitor)).toHaveText(visitor.labels.common.language_failed);
  await expectLanguage(visitor.page, 'en');
  await visitor.language.choose('fr');
});
