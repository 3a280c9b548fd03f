import { expect, test } from '../fixtures';

test.describe('a field that cannot be right', () => {
  test('is named, and the others keep what was typed', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.company.fill('Acme');
    await visitor.login.submit.click();
    await expect(visitor.login.sentence(labels.errors.account_missing)).toBeVisible();
    await expect(visitor.login.sentence(labels.errors.password_missing)).toBeVisible();
    await expect(visitor.page.getByText(labels.errors.company_missing)).toHaveCount(0);
    await expect(visitor.login.company).toHaveValue('Acme');
    await expect(visitor.login.account).toHaveAttribute('aria-invalid', 'true');
    await expect(visitor.login.account).toHaveAccessibleDescription(new RegExp(labels.errors.account_missing.replace(/[.]/g, '\\.')));
    await expect(visitor.login.company).not.toHaveAttribute('aria-invalid', 'true');
  });

  test('blanks are as good as nothing', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.type({ company: '   ', account: ' ', password: 'secret' });
    await visitor.login.submit.click();
    await expect(visitor.login.sentence(labels.errors.company_missing)).toBeVisible();
    await expect(visitor.login.sentence(labels.errors.account_missing)).toBeVisible();
  });

  for (const { name, typed, error } of [
    { name: 'company', typed: { company: 'c'.repeat(65) }, error: 'company_too_long' },
    { name: 'username', typed: { account: 'a'.repeat(65) }, error: 'account_too_long' },
    { name: 'e-mail address', typed: { account: `${'a'.repeat(250)}@b.test` }, error: 'account_too_long' },
    { name: 'password', typed: { password: 'p'.repeat(129) }, error: 'password_too_long' },
  ] as const) {
    test(`an overlong ${name} is refused`, async ({ visitor, labels }) => {
      await visitor.login.goto();
      const all = { company: 'Acme', account: 'alice', password: 'secret', ...typed };
      await visitor.login.type(all);
      await visitor.login.submit.click();
      await expect(visitor.login.sentence(labels.errors[error])).toBeVisible();
      await expect(visitor.login.company).toHaveValue(all.company);
      await expect(visitor.login.account).toHaveValue(all.account);
    });
  }

  test('the longest ones are allowed', async ({ visitor, createCompany, createAccount, mail }) => {
    const company = await createCompany({ name: 'ü'.repeat(54) + Date.now().toString().slice(-10) });
    const account = await createAccount({ company: company.name, account: `a${Date.now()}`.padEnd(64, 'x'), password: 'ß漢😀'.repeat(42) + 'ab', second_factor: 'none' });
    await visitor.signIn(account, mail);
  });

  test('characters that nobody can type are refused', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.type({ company: 'Ac\u0001me', account: 'alice', password: 'secret' });
    await visitor.login.submit.click();
    await expect(visitor.login.sentence(labels.errors.bad_characters)).toBeVisible();
    await expect(visitor.login.account).toHaveValue('alice');
  });
});

test.describe('a code that is none', () => {
  test('is named and does not count', async ({ visitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    for (const entry of ['12345', '1234567', 'abcdef', '12 34', '-12345', 'x'.repeat(60), '1'.repeat(500)]) {
      await visitor.code.enter(entry);
      await expect(visitor.code.sentence(labels.errors.code_malformed)).toBeVisible();
      await expect(visitor.code.verify).toBeEnabled();
    }
    await visitor.code.enter('');
    await expect(visitor.code.sentence(labels.errors.code_missing)).toBeVisible();
    await expect(visitor.code.code).toHaveAttribute('aria-invalid', 'true');
    await visitor.code.enter(code);
    await visitor.agent.ready();
  });
});
