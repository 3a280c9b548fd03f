import { expect, test } from '../fixtures';

test.describe('signing in', { tag: '@journey' }, () => {
  test('with account name, password and mailed code', async ({ visitor, account, mail }) => {
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.code.ready();
    await expect(visitor.page).toHaveURL('/login/code');
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
    await expect(visitor.agent.welcome('Alice')).toBeVisible();
    await expect(visitor.page.getByRole('main').getByText(account.company).first()).toBeVisible();
  });

  test('with the e-mail address, in any case and with blanks around', async ({ visitor, account, mail }) => {
    await visitor.login.goto();
    await visitor.login.send({ ...account, company: ` ${account.company.toUpperCase()} `, account: ` ${account.email.toUpperCase()} ` });
    await visitor.code.ready();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
  });

  test('without a second factor needs no code', async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.agent.ready();
  });

  test('leads admins to the Admin console and supervisors to the Agent Panel', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const admin = await createAccount({ roles: ['agent', 'admin'] });
    await visitor.signIn(admin, mail);
    await expect(visitor.page).toHaveURL('/admin');
    await expect(visitor.admin.navigation.getByRole('link', { name: labels.console.overview, exact: true })).toHaveAttribute('aria-current', 'page');
    const supervisor = await createAccount({ roles: ['supervisor', 'agent'], second_factor: 'none' });
    const other = await anotherVisitor();
    await other.signIn(supervisor, mail);
    await expect(other.page).toHaveURL('/agent');
  });
});

test('no button leads to a provider that nobody has set up', async ({ visitor, account }) => {
  await visitor.login.goto(`?company=${encodeURIComponent(account.company)}`);
  for (const provider of ['Google', 'Office 365']) await expect(visitor.login.signInWith(provider)).toHaveCount(0);
});

test('the code page names the masked address and not the whole one', async ({ visitor, account }) => {
  await visitor.passPassword(account);
  const masked = 'a***@m***.test';
  await expect(visitor.page.getByText(masked)).toBeVisible();
  expect(await visitor.page.content()).not.toContain(account.email);
});

test('the code field is made for one-time codes', async ({ visitor, account }) => {
  await visitor.passPassword(account);
  await expect(visitor.code.code).toHaveAttribute('autocomplete', 'one-time-code');
  await expect(visitor.code.code).toHaveAttribute('inputmode', 'numeric');
});

test('the fields of the sign-in page suit password managers', async ({ visitor }) => {
  await visitor.login.goto();
  await expect(visitor.login.company).toHaveAttribute('autocomplete', 'organization');
  await expect(visitor.login.account).toHaveAttribute('autocomplete', 'username');
  await expect(visitor.login.password).toHaveAttribute('autocomplete', 'current-password');
  await expect(visitor.login.password).toHaveAttribute('type', 'password');
});

test.describe('where a sign-in lands', () => {
  test('a deep link is kept through both steps', async ({ visitor, account, mail }) => {
    await visitor.open('/agent?from=mail&page=2');
    await visitor.login.ready();
    expect(new URL(visitor.page.url()).pathname).toBe('/login');
    await visitor.login.send(account);
    await visitor.code.ready();
    await visitor.code.enter(await mail.nextCode(account.email));
    await expect(visitor.page).toHaveURL('/agent?from=mail&page=2');
  });

  test('a deep link survives a wrong password', async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.open('/agent?from=mail');
    await visitor.login.ready();
    expect(await visitor.login.send({ ...account, password: 'wrong' })).toBe(401);
    await expect(visitor.login.submit).toBeEnabled();
    await visitor.login.send(account);
    await expect(visitor.page).toHaveURL('/agent?from=mail');
  });

  // What else an address can hide is tried without a browser, in abuse.http.spec.ts.
  for (const next of ['//evil.example/', '/\\evil.example']) {
    test(`a hostile one is not followed: ${next}`, async ({ visitor, createAccount }) => {
      const account = await createAccount({ second_factor: 'none' });
      await visitor.login.goto(`?next=${encodeURIComponent(next)}`);
      await visitor.login.send(account);
      await expect(visitor.page).toHaveURL('/agent');
    });
  }
});

test.describe('a refused sign-in', { tag: '@journey' }, () => {
  test('says the same for a wrong company, account or password', async ({ visitor, account, createAccount, server, labels }) => {
    const off = await createAccount({ account: 'off' });
    await server.kit.setAccountActive(off.company, off.account, false);
    await visitor.login.goto();
    for (const wrong of [
      { ...account, company: `${account.company} Ltd` },
      { ...account, account: 'nobody' },
      { ...account, password: `${account.password}.` },
      { ...off, password: 'wrong' },
    ]) {
      expect(await visitor.login.send(wrong)).toBe(401);
      await expect(visitor.login.sentence(labels.errors.wrong_credentials)).toBeVisible();
      await expect(visitor.login.company).toHaveValue(wrong.company);
      await expect(visitor.login.account).toHaveValue(wrong.account);
      await expect(visitor.login.password).toHaveValue('');
    }
  });

  test('is told about an inactive account only after the right password', async ({ visitor, account, server, mail, labels }) => {
    await server.kit.setAccountActive(account.company, account.account, false);
    await visitor.login.goto();
    expect(await visitor.login.send(account)).toBe(403);
    await expect(visitor.login.sentence(labels.errors.account_inactive)).toBeVisible();

    await server.kit.setAccountActive(account.company, account.account, true);
    await visitor.login.send(account);
    await visitor.code.ready();
    await mail.nextCode(account.email);
    expect(await mail.count(account.email), 'no code was mailed while it was inactive').toBe(1);
  });

  test('is told about a disabled company only after the right password', async ({ visitor, account, server, labels }) => {
    await server.kit.setCompanyEnabled(account.company, false);
    await visitor.login.goto();
    expect(await visitor.login.send({ ...account, password: 'wrong' })).toBe(401);
    await expect(visitor.login.sentence(labels.errors.wrong_credentials)).toBeVisible();
    expect(await visitor.login.send(account)).toBe(403);
    await expect(visitor.login.sentence(labels.errors.company_disabled)).toBeVisible();
  });

  test('ends at the code step too when the account was made inactive meanwhile', async ({ visitor, account, server, mail, labels }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    await server.kit.setAccountActive(account.company, account.account, false);
    expect(await visitor.code.send(code)).toBe(403);
    await expect(visitor.code.sentence(labels.errors.account_inactive)).toBeVisible();
    await visitor.open('/agent');
    await visitor.login.ready();
  });
});

test.describe('the next visit', () => {
  test('remembers the company and not the account', async ({ visitor, account, mail }) => {
    await visitor.signIn(account, mail);
    await visitor.agent.signOut();
    await visitor.login.ready();
    await visitor.login.goto();
    await expect(visitor.login.company).toHaveValue(account.company);
    await expect(visitor.login.account).toHaveValue('');
    await expect(visitor.login.password).toHaveValue('');
  });

  test('takes the company from the link before the remembered one', async ({ visitor, account, mail }) => {
    await visitor.login.goto('?company=Acme');
    await expect(visitor.login.company).toHaveValue('Acme');
    await visitor.signIn(account, mail);
    await visitor.agent.signOut();
    await visitor.login.ready();
    await visitor.login.goto('?company=M%C3%BCller+%26+S%C3%B6hne');
    await expect(visitor.login.company).toHaveValue('Müller & Söhne');
  });

  test('shows a company from the link as text', async ({ visitor }) => {
    const hostile = '"><script>alert(1)</script>';
    await visitor.login.goto(`?company=${encodeURIComponent(hostile)}`);
    await expect(visitor.login.company).toHaveValue(hostile);
  });

  test('of somebody who is signed in goes straight on', async ({ visitor, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.open('/');
    await visitor.agent.ready();
  });
});

test('a link cannot put words on the page', async ({ visitor }) => {
  for (const query of ['?__err=Call+555+now&__path=login', '?error=Call+555+now', '?message=Call+555+now', '?refusal=Call+555+now']) {
    await visitor.login.goto(query);
    await expect(visitor.page.getByText('Call 555 now')).toHaveCount(0);
  }
});
