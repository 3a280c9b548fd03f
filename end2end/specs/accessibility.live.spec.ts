import { appOf, expect, test } from '../fixtures';
import { expectAccessible } from '../fixtures/accessibility';
import { linkOf } from '../fixtures/letters';
import { walkConsole } from '../fixtures/walk';

for (const { name, language, colorScheme } of [
  { name: 'light', language: 'en', colorScheme: 'light' },
  { name: 'dark', language: 'en', colorScheme: 'dark' },
  { name: 'Arabic', language: 'ar', colorScheme: 'light' },
  { name: 'Arabic and dark', language: 'ar', colorScheme: 'dark' },
] as const) {
  test.describe(`axe finds nothing (${name})`, () => {
    test.use({ language, colorScheme, twoFactorPolicy: 30 });

    test('on the pages before signing in', async ({ visitor, account, mail }) => {
      const { page } = visitor;
      await visitor.login.goto();
      await expectAccessible(page);
      await visitor.login.submit.click();
      await expect(visitor.login.sentence(visitor.labels.errors.account_missing)).toBeVisible();
      await expectAccessible(page);
      await visitor.login.send({ ...account, password: 'wrong' });
      await expect(visitor.login.sentence(visitor.labels.errors.wrong_credentials)).toBeVisible();
      await expectAccessible(page);
      await visitor.forgot.goto();
      expect(await visitor.forgot.send('nowhere')).toBe(422);
      await expectAccessible(page);
      await visitor.forgot.send(account.email, account.company);
      await expect(visitor.forgot.sent).toBeVisible();
      await expectAccessible(page);
      await visitor.passPassword(account);
      await expectAccessible(page);
      const code = await mail.nextCode(account.email);
      const wrong = code === '000000' ? '000001' : '000000';
      for (let number = 1; number <= 3; number += 1) await visitor.post('/login/code', { code: wrong });
      await visitor.code.send(wrong);
      await expect(visitor.code.sentence(visitor.labels.errors.one_left)).toBeVisible();
      await expectAccessible(page);
      await visitor.code.send(wrong);
      await visitor.locked.ready();
      await expectAccessible(page);
    });

    test('on the pages after signing in and on those for everybody', async ({ visitor, account, createAccount, mail }) => {
      const { page } = visitor;
      for (const path of ['/terms', '/privacy', '/nowhere']) {
        await visitor.open(path);
        await expectAccessible(page);
      }
      await visitor.signIn(account, mail);
      await expectAccessible(page);
      await visitor.open('/admin');
      await expectAccessible(page);
      await page.context().clearCookies();
      await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
      await expectAccessible(page);
    });

    test('on the code page of an app and of backup codes', async ({ visitor, createAccount }) => {
      const { page } = visitor;
      const account = await createAccount({ second_factor: 'both' });
      await visitor.passPassword(account);
      await expectAccessible(page);
      expect(await visitor.code.send(await appOf(account).shownWhenOff(-300))).toBe(401);
      await expect(visitor.code.verify).toBeEnabled();
      await expectAccessible(page);
      expect(await visitor.code.sendBackupCode('ZZZZ-ZZZZ-ZZZZ-ZZZZ')).toBe(401);
      await expect(visitor.code.verify).toBeEnabled();
      await expectAccessible(page);
    });

    test('on the profile', async ({ visitor, createAccount, mail }) => {
      const { page } = visitor;
      await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
      await visitor.profile.goto();
      await expectAccessible(page);
      await visitor.profile.newPassword.fill('passwordpassword');
      await expect(visitor.profile.sentence(visitor.labels.errors.password_weak)).toBeVisible();
      await expectAccessible(page);
      expect(await visitor.profile.send({ firstName: '' })).toBe(422);
      await visitor.profile.ready();
      await expectAccessible(page);
      await visitor.profile.send({ firstName: 'Rita' });
      await expect(visitor.profile.sentence(visitor.labels.profile.saved)).toBeVisible();
      await expectAccessible(page);
      expect(await visitor.profile.sendPassword('wrong', 'short')).toBe(422);
      await visitor.profile.ready();
      await expectAccessible(page);
      await visitor.open('/profile/confirm');
      await expectAccessible(page);
      expect(await visitor.confirm.send('wrong')).toBe(422);
      await expectAccessible(page);
    });

    test('on the settings and in every set-up', async ({ visitor, createAccount, createApp, mail }) => {
      // Fifteen pages, each looked through by axe.
      test.slow();
      const { page } = visitor;
      const account = await createAccount({ second_factor: 'none' });
      await visitor.signIn(account, mail);
      await visitor.security.goto();
      await expectAccessible(page);
      for (const path of ['/profile/security/app', '/profile/security/email', '/profile/security/backup-codes']) {
        await visitor.open(path);
        await expectAccessible(page);
      }
      await visitor.security.goto();
      await visitor.security.begin('email');
      await visitor.emailSetUp.ready();
      await expectAccessible(page);
      const code = await mail.nextCode(account.email);
      expect(await visitor.emailSetUp.send(code === '000000' ? '000001' : '000000')).toBe(401);
      await expectAccessible(page);
      await visitor.security.goto();
      await visitor.security.begin('app');
      await visitor.appSetUp.ready();
      await expectAccessible(page);
      const app = await visitor.takeSecret(createApp);
      await expectAccessible(page);
      expect(await visitor.appCode.send(await app.wrongCode())).toBe(401);
      await expectAccessible(page);
      await visitor.appCode.send(await app.code());
      await visitor.newBackupCodes.ready();
      await expectAccessible(page);
      await visitor.newBackupCodes.done.click();
      await visitor.security.ready();
      await expectAccessible(page);
      await visitor.backupCodes.goto();
      await expectAccessible(page);
      await visitor.signOut();
      await visitor.passPassword(account);
      await visitor.code.trust(30).check();
      await visitor.code.enter(await app.code());
      await visitor.agent.ready();
      await visitor.security.goto();
      await expect(visitor.security.trusted).toHaveCount(1);
      await expectAccessible(page);
    });

    test('on every page of the console', async ({ visitor, account, company, createAccount, mail, server }) => {
      // Twenty pages, each looked through by axe.
      test.slow();
      await server.kit.setAccountLocked(company.name, account.account, true);
      await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
      await walkConsole(visitor, account, () => expectAccessible(visitor.page));
    });

    test('on the pages behind the links of mails', async ({ visitor, anotherVisitor, account, createAccount, mail }) => {
      const { page, labels } = visitor;
      const admin = await anotherVisitor();
      await admin.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
      await admin.agentForm.goto(account.id);
      await admin.agentForm.save({ email: `new.${account.email}` });
      await admin.agentAct.goto(account.id, 'password');
      await admin.agentAct.sendResetLink();
      await visitor.open(linkOf(await mail.next(account.email, labels.mail.reset_subject)));
      await visitor.choosePassword.ready();
      await expectAccessible(page);
      expect(await visitor.choosePassword.send('passwordpassword')).toBe(422);
      await visitor.choosePassword.ready();
      await expectAccessible(page);
      await visitor.open(linkOf(await mail.next(`new.${account.email}`, labels.mail.confirm_email_subject)));
      await visitor.emailLink.ready();
      await expectAccessible(page);
      await visitor.emailLink.confirm();
      await expect(visitor.emailLink.sentence(labels.agents.email_confirmed)).toBeVisible();
      await expectAccessible(page);
      await visitor.open('/activate/nothing');
      await expectAccessible(page);
    });

    test('on the set-up that is required', async ({ visitor, createCompany, createAccount }) => {
      const company = await createCompany({ require_second_factor: 'everyone' });
      await visitor.login.goto();
      await visitor.login.send(await createAccount({ company: company.name, second_factor: 'none' }));
      await visitor.required.ready();
      await expectAccessible(visitor.page);
    });
  });
}

test.describe('the focus', () => {
  test('goes to the error summary', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.submit.click();
    await expect(visitor.page.locator(':focus')).toHaveText(labels.errors.summary_title);
    await expect(visitor.page.getByRole('alert').getByRole('link', { name: labels.errors.company_missing, exact: true })).toBeVisible();
  });

  test('goes from the summary to the field', async ({ visitor, labels }) => {
    await visitor.login.goto();
    await visitor.login.submit.click();
    await visitor.page.getByRole('link', { name: labels.errors.account_missing, exact: true }).click();
    await expect(visitor.login.account).toBeFocused();
  });
});

test.describe('the focus in the profile', () => {
  test('goes to the error summary, and from there to the field', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.profile.goto();
    expect(await visitor.profile.send({ firstName: '' })).toBe(422);
    await expect(visitor.page.locator(':focus')).toHaveText(labels.errors.summary_title);
    await visitor.page.getByRole('link', { name: labels.errors.first_name_missing, exact: true }).click();
    await expect(visitor.profile.firstName).toBeFocused();
  });

  test('is in the field of a first code, before and after a wrong one', async ({ visitor, createAccount, createApp, mail }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.security.goto();
    await visitor.security.begin('app');
    const app = await visitor.takeSecret(createApp);
    await expect(visitor.appCode.code).toBeFocused();
    expect(await visitor.appCode.send(await app.wrongCode())).toBe(401);
    await expect(visitor.appCode.code).toBeFocused();
  });
});

test.describe('buttons of the same kind', () => {
  test('can be told from each other without seeing them', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    for (const [method, title] of [
      ['email', labels.profile.email_row],
      ['app', labels.profile.app_row],
    ] as const) {
      const button = visitor.security[method].button(labels.profile.set_up);
      const said = await button.evaluate((element) => {
        const described = (element.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '');
        return [element.getAttribute('aria-label') ?? '', ...described].join(' ');
      });
      expect(said).toContain(title);
    }
  });
});

test.describe('live regions', () => {
  test('say a warning', async ({ visitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    const code = await mail.nextCode(account.email);
    await visitor.code.send(code === '000000' ? '000001' : '000000');
    const warning = visitor.code.sentence(labels.errors.wrong_code);
    await expect(warning).toBeVisible();
    const announced = await warning.evaluate(
      (element) => element.closest('[role=alert],[role=status],[aria-live=polite],[aria-live=assertive]') !== null || element.contains(document.activeElement) || (document.activeElement !== document.body && (document.activeElement?.contains(element) ?? false)),
    );
    expect(announced).toBe(true);
  });

  test('do not read the countdown out every second', async ({ visitor, account }) => {
    await visitor.passPassword(account);
    const chatters = await visitor.code.countdown.evaluate((element) => {
      const region = element.closest('[role=alert],[role=status],[role=timer],[aria-live]');
      return region !== null && region.getAttribute('aria-live') !== 'off' && region.getAttribute('role') !== 'timer';
    });
    expect(chatters).toBe(false);
  });
});
