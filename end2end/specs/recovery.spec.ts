import { expect, test, type Account } from '../fixtures';
import { linkOf, temporaryPasswordOf } from '../fixtures/letters';

/** Hard to guess, and none of the names of a test's account is in it. */
const chosen = 'orchard marble thunder';

for (const language of ['en', 'ar']) {
  test.describe(`in ${language}`, () => {
    test.use({ language });

    test('a forgotten password is replaced with a mailed link', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
      const account = await createAccount({ second_factor: 'email' });
      const { login, forgot, choosePassword } = visitor;
      await login.goto(`?company=${encodeURIComponent(account.company)}`);
      await login.forgot.click();
      await forgot.ready();
      await expect(forgot.company, 'the company is kept').toHaveValue(account.company);
      expect(await forgot.send('alice')).toBe(422);
      await forgot.ready();
      await expect(forgot.email).toHaveAccessibleDescription(labels.errors.not_an_address);
      await forgot.send(`nobody-${account.email}`);
      await expect(forgot.sent).toBeVisible();
      await forgot.goto();
      await expect(forgot.company).toHaveValue('');
      await forgot.send(account.email.toUpperCase(), account.company);
      await expect(forgot.sent).toBeVisible();

      const link = linkOf(await mail.next(account.email, labels.mail.reset_subject));
      const scanner = await anotherVisitor();
      for (let times = 0; times < 2; times += 1) await scanner.open(link);
      await visitor.open(link);
      await choosePassword.ready();
      expect(await choosePassword.send('short')).toBe(422);
      await choosePassword.send(chosen);
      await login.ready();
      await expect(login.sentence(labels.signIn.password_changed)).toBeVisible();
      await expect(login.company).toHaveValue(account.company);
      await expect(login.account).toHaveValue(account.account);
      expect(await login.send(account)).toBe(401);
      await login.send({ ...account, password: chosen });
      await visitor.code.ready();
      await visitor.code.enter(await mail.nextCode(account.email));
      await visitor.agent.ready();
      await scanner.open(link);
      await expect(scanner.page.getByText(labels.errors.link_over, { exact: true })).toBeVisible();
    });

    test('the own e-mail address is changed from the new mailbox, and stopped from the old one', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
      const account = await createAccount({ second_factor: 'none' });
      await visitor.signIn(account, mail);
      const { profile } = visitor;
      await profile.goto();
      expect(await profile.sendEmail(account.email)).toBe(422);
      await expect(profile.newEmail).toHaveValue(account.email);
      const first = `first-${account.email}`;
      await profile.sendEmail(first);
      await expect(profile.sentence(labels.agents.email_sent)).toBeVisible();
      await expect(profile.waiting(first)).toBeVisible();
      const owner = await anotherVisitor();
      await owner.open(linkOf(await mail.next(account.email, labels.mail.email_change_subject)));
      await owner.emailLink.stop();
      await expect(owner.emailLink.sentence(labels.agents.email_stopped)).toBeVisible();
      await profile.goto();
      await expect(profile.waiting(first)).toHaveCount(0);

      const second = `second-${account.email}`;
      await profile.sendEmail(second);
      await owner.open(linkOf(await mail.next(second, labels.mail.confirm_email_subject)));
      await owner.emailLink.confirm();
      await expect(owner.emailLink.sentence(labels.agents.email_confirmed)).toBeVisible();
      await visitor.open('/agent');
      await visitor.login.ready();
      await visitor.login.send({ ...account, account: second });
      await visitor.agent.ready();
    });

    test('a new agent comes in with the mailed temporary password, or with the link', async ({ visitor, anotherVisitor, createAccount, createCompany, mail, labels }) => {
      const admin = { roles: ['admin'], second_factor: 'none' } satisfies Partial<Account>;
      for (const mode of ['account_details', 'activation_link'] as const) {
        const company = await createCompany({ new_agent_mail: mode });
        const boss = await anotherVisitor();
        await boss.signIn(await createAccount({ ...admin, company: company.name }), mail);
        const typed = { account: 'eve', email: `eve@mail-${Date.now()}.test`, firstName: 'Eve' };
        await boss.agentForm.gotoNew();
        await boss.agentForm.add(typed);
        if (mode === 'account_details') {
          const details = await mail.next(typed.email, labels.mail.details_subject);
          await visitor.login.goto();
          await visitor.login.send({ company: company.name, account: 'eve', password: temporaryPasswordOf(details, labels) });
        } else {
          await visitor.open(linkOf(await mail.next(typed.email, labels.mail.activation_subject)));
        }
        await visitor.choosePassword.ready();
        await visitor.choosePassword.send(chosen);
        await visitor.login.ready();
        const news = mode === 'account_details' ? labels.signIn.password_changed : labels.signIn.password_chosen;
        await expect(visitor.login.sentence(news)).toBeVisible();
        await expect(visitor.login.company).toHaveValue(company.name);
        await expect(visitor.login.account).toHaveValue('eve');
        await visitor.login.send({ company: company.name, account: 'eve', password: chosen });
        await visitor.agent.ready();
        await visitor.page.context().clearCookies();
      }
    });
  });
}
