import { expect, test } from '../fixtures';
import { counted, fill, keysOf, labelsOf, languages } from '../fixtures/labels';
import { expectLanguage, expectTranslated, wordsOf } from '../fixtures/words';

const others = languages.filter((language) => language !== 'en');

test('there are ten languages, and each has every word', () => {
  expect(languages).toEqual(expect.arrayContaining(['ar', 'de', 'en', 'es', 'fr', 'ja', 'ko', 'pt-BR', 'zh-Hans', 'zh-Hant']));
  const english = labelsOf('en');
  for (const language of others) {
    for (const file of Object.keys(english) as (keyof typeof english)[]) {
      expect(keysOf(labelsOf(language)[file]), `${language}/${file}`).toEqual(keysOf(english[file]));
    }
  }
});

test('the server says waits in the words of the browser, which counts them down', async ({ visitor }) => {
  await visitor.login.goto();
  for (const language of languages) {
    for (const unit of ['second', 'minute', 'hour'] as const) {
      for (const count of [1, 2, 3, 11, 42, 60, 100]) {
        const said = await visitor.page.evaluate(
          ([language, unit, count]) => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long', numberingSystem: 'latn' }).format(count),
          [language, unit, count] as const,
        );
        expect(counted(labelsOf(language).time, `${unit}s`, count), `${count} ${unit} in ${language}`).toBe(said);
      }
    }
  }
});

test.describe('the language switcher', () => {
  test('offers every language by its own name', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await expect(visitor.language.select).toHaveAccessibleName(labels.common.language);
    const names = await visitor.language.select.getByRole('option').allInnerTexts();
    expect(names.map((name) => name.trim()).sort()).toEqual(languages.map((language) => labelsOf(language).common.language_name).sort());
    await expect(visitor.language.select).toHaveValue('en');
  });

  test('is on every page and comes back to it', { tag: '@journey' }, async ({ visitor, createAccount, account, mail }) => {
    for (const path of ['/login?company=Acme', '/terms', '/privacy', '/nowhere']) {
      await visitor.open(path);
      if (path.startsWith('/login')) await visitor.login.ready();
      await visitor.language.choose('de');
      await expectLanguage(visitor.page, 'de');
      expect(new URL(visitor.page.url()).pathname).toBe(new URL(path, 'http://here').pathname);
      await visitor.page.context().clearCookies();
    }
    await visitor.passPassword(account);
    await visitor.language.choose('ar');
    await expectLanguage(visitor.page, 'ar');
    await visitor.reading('ar').code.ready();
    await visitor.reading('ar').code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await expectLanguage(visitor.page, 'ar');
    await visitor.language.choose('de');
    await expect(visitor.page).toHaveURL('/agent');

    const admin = await createAccount({ roles: ['admin'], second_factor: 'none' });
    await visitor.page.context().clearCookies();
    await visitor.signIn(admin, mail);
    await visitor.language.choose('de');
    await expect(visitor.page).toHaveURL('/admin');
    await expectLanguage(visitor.page, 'de');
  });

  test('is remembered by this browser', async ({ visitor, anotherVisitor }) => {
    await visitor.login.goto();
    await visitor.language.choose('de');
    expect(await visitor.cookie('language')).toBe('de');
    await visitor.reading('de').login.goto();
    await expectLanguage(visitor.page, 'de');
    await visitor.open('/terms');
    await expectLanguage(visitor.page, 'de');
    const other = await anotherVisitor();
    await other.login.goto();
    await expectLanguage(other.page, 'en');
  });

  test('works on a page that came as the answer to a wrong password', async ({ visitor, account }) => {
    await visitor.login.goto();
    await visitor.login.send({ ...account, password: 'wrong' });
    await visitor.language.choose('de');
    const german = visitor.reading('de');
    await german.login.ready();
    await german.login.send(account);
    await german.code.ready();
  });
});

test.describe('without a choice', () => {
  test.describe('before signing in', () => {
    test.use({ locale: 'de-AT' });
    test('the browser\'s language decides', async ({ visitor }) => {
      await visitor.open('/login');
      await expectLanguage(visitor.page, 'de');
    });
  });

  test.describe('of a language we do not have', () => {
    test.use({ locale: 'tlh-001' });
    test('it is English', async ({ visitor }) => {
      await visitor.open('/login');
      await expectLanguage(visitor.page, 'en');
    });
  });

  test('the company\'s language decides after signing in, and for mails', async ({ visitor, createCompany, createAccount, mail }) => {
    const company = await createCompany({ language: 'de' });
    const account = await createAccount({ company: company.name });
    await visitor.login.goto();
    await visitor.login.send(account);
    const { subject, code } = await mail.next(account.email);
    expect(subject).toBe(labelsOf('de').mail.code_subject.replace(/\{\{ code \}\}/, code ?? ''));
    await visitor.page.locator('input[name="code"]').fill(code ?? '');
    await visitor.page.locator('input[name="code"]').press('Enter');
    await visitor.agent.ready();
    await expectLanguage(visitor.page, 'de');
  });
});

test('a choice made while signed in is kept with the account', { tag: '@journey' }, async ({ visitor, anotherVisitor, account, mail }) => {
  await visitor.signIn(account, mail);
  await visitor.language.choose('ar');
  const other = await anotherVisitor();
  await other.login.goto();
  await other.login.send(account);
  const { subject, text, html, code } = await mail.nextWithCode(account.email);
  const arabic = labelsOf('ar');
  expect(subject).toBe(fill(arabic.mail.code_subject, { code }));
  expect(text).toContain(arabic.mail.code_not_you);
  expect(html).toMatch(/dir="?rtl/);
  await other.page.locator('input[name="code"]').fill(code);
  await other.page.locator('input[name="code"]').press('Enter');
  await other.agent.ready();
  await expectLanguage(other.page, 'ar');
});

for (const language of others) {
  test.describe(`in ${language}`, () => {
    test('no page has English left', async ({ visitor, createAccount, account, mail }) => {
      const admin = await createAccount({ roles: ['admin'], second_factor: 'none' });
      const agent = await createAccount({ second_factor: 'none', first_name: 'Bob' });
      // German says Cookies too.
      const given = ['Vestibule', 'Cookies', 'Alice', 'Bob', account.company, account.account, admin.account, agent.account];
      const foreign = visitor.reading(language);
      const compare = async (back: () => Promise<void>) => {
        const english = await wordsOf(visitor.page);
        await visitor.language.choose(language);
        await expectTranslated(visitor.page, english, language, given);
        await visitor.language.choose('en');
        await back();
      };

      await visitor.login.goto();
      await compare(() => visitor.login.ready());
      await visitor.login.submit.click();
      await expect(visitor.login.sentence(visitor.labels.errors.password_missing)).toBeVisible();
      await compare(() => visitor.login.ready());
      await visitor.passPassword(account);
      const code = await mail.nextCode(account.email);
      await compare(() => visitor.code.ready());
      await foreign.page.context().clearCookies();
      for (const path of ['/terms', '/privacy', '/nowhere']) {
        await visitor.open(path);
        await compare(async () => {});
      }
      expect(code).not.toBe('');
      await visitor.signIn(agent, mail);
      await compare(() => visitor.agent.ready());
      await visitor.open('/admin');
      await compare(async () => {});
      await visitor.page.context().clearCookies();
      await visitor.signIn(admin, mail);
      await compare(() => visitor.admin.ready());
    });

    test('no page of the profile has English left', async ({ visitor, createCompany, createAccount, mail }) => {
      const account = await createAccount({ second_factor: 'none' });
      const given = ['Vestibule', 'Cookies', 'Alice', account.company, account.account];
      const foreign = visitor.reading(language);
      const compare = async (back: () => Promise<void>, ...words: string[]) => {
        const english = await wordsOf(visitor.page);
        await visitor.language.choose(language);
        await expectTranslated(visitor.page, english, language, [...given, ...words]);
        await visitor.language.choose('en');
        await back();
      };

      await visitor.signIn(account, mail);
      await visitor.profile.goto();
      await compare(() => visitor.profile.ready());
      await visitor.open('/profile/confirm');
      await compare(() => visitor.confirm.ready());
      await visitor.security.goto();
      await compare(() => visitor.security.ready());
      await visitor.security.begin('email');
      await visitor.emailSetUp.ready();
      await compare(() => visitor.emailSetUp.ready());
      await visitor.security.goto();
      await visitor.security.begin('app');
      await visitor.appSetUp.ready();
      await compare(() => visitor.appSetUp.ready(), await visitor.appSetUp.secret.innerText());
      await visitor.appSetUp.next.click();
      await visitor.appCode.ready();
      await compare(() => visitor.appCode.ready());

      await visitor.setUpEmail(account, mail);
      await visitor.newBackupCodes.ready();
      await visitor.security.goto();
      await compare(() => visitor.security.ready());
      await visitor.backupCodes.goto();
      await compare(() => visitor.backupCodes.ready());
      await visitor.backupCodes.generate.click();
      await visitor.newBackupCodes.ready();
      const english = await wordsOf(visitor.page);
      await visitor.language.choose(language);
      await foreign.newBackupCodes.ready();
      await expectTranslated(visitor.page, english, language, [...given, ...(await foreign.newBackupCodes.read())]);

      const strict = await createCompany({ require_second_factor: 'everyone' });
      const newcomer = await createAccount({ company: strict.name, second_factor: 'none' });
      given.push(strict.name, newcomer.account);
      await visitor.page.context().clearCookies();
      await visitor.login.goto();
      await visitor.login.send(newcomer);
      await visitor.required.ready();
      await compare(() => visitor.required.ready());
    });

    test('no word of the code page is English for an account with both methods', async ({ visitor, createAccount }) => {
      const account = await createAccount({ second_factor: 'both' });
      const given = ['Vestibule', 'Cookies', account.company];
      await visitor.passPassword(account);
      for (const path of ['/login/code', '/login/code?backup']) {
        await visitor.open(path);
        await visitor.code.ready();
        const english = await wordsOf(visitor.page);
        await visitor.language.choose(language);
        await expectTranslated(visitor.page, english, language, given);
        await visitor.language.choose('en');
      }
    });
  });
}
