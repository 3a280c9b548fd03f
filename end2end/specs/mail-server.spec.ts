import { expect, test, unique } from '../fixtures';
import { fill } from '../fixtures/labels';
import { Server } from '../fixtures/server';
import { MailServer } from '../fixtures/smtp';
import { LoginPage, CodePage, AgentPage } from '../pages';

test.describe('with a real mail server', { tag: '@journey' }, () => {
  test('the code arrives by SMTP and signs in; while it is down the page says so and the mail comes later', async ({ page, database, labels, live }) => {
    const mailServer = await MailServer.start();
    const server = await Server.start(database, () => ({ VESTIBULE_SMTP_URL: `smtp://127.0.0.1:${mailServer.port}?tls=optional` }));
    try {
      const company = `Acme ${unique()}`;
      const account = { company, account: 'alice', email: `alice@mail-${unique()}.test`, password: 'Correct horse battery!', first_name: 'Alice' };
      await server.kit.createCompany({ name: company, language: 'en', two_factor_policy: 0 });
      await server.kit.createAccount({ ...account, roles: ['agent'], second_factor: 'email' });
      const login = new LoginPage(page, labels, live);
      const code = new CodePage(page, labels, live);
      const agent = new AgentPage(page, labels, live);

      await page.goto(`${server.url}/login`);
      await login.ready();
      await login.send(account);
      await code.ready();
      await expect.poll(() => mailServer.received.length).toBe(1);
      const mail = mailServer.received[0];
      if (!mail) throw new Error('no mail');
      expect(mail.to).toEqual([account.email]);
      const digits = /\b\d{6}\b/.exec(mail.message.subject ?? '')?.[0] ?? '';
      expect(mail.message.subject).toBe(fill(labels.mail.code_subject, { code: digits }));
      expect(mail.message.from?.value[0]?.address).toBe('vestibule@example.test');
      expect(mail.message.messageId).toBeTruthy();
      expect(mail.message.date).toBeTruthy();
      expect(mail.message.text).toContain(digits);
      expect(mail.message.html).toContain(digits);
      expect(mail.raw).toMatch(/^Auto-Submitted: auto-generated/im);

      await code.enter(digits);
      await agent.ready();

      await agent.signOut();
      await login.ready();
      await mailServer.stop();
      await login.send(account);
      await code.ready();
      await expect(async () => {
        await page.goto(`${server.url}/login/code`);
        await expect(code.sentence(labels.signIn.code_mail_failing)).toBeVisible({ timeout: 500 });
      }).toPass();
    } finally {
      await server.stop();
      await mailServer.stop().catch(() => {});
    }
  });

  test('a mail that was taken while the process was killed comes once more, and no third time', async ({ database, live }) => {
    test.skip(!live, 'it is about the server alone');
    let server: Server | undefined;
    let kills = 0;
    const mailServer = await MailServer.start(async () => {
      // Between the last byte of the mail and the answer to it.
      if (kills === 0) {
        kills += 1;
        await server?.kill();
      }
    });
    server = await Server.start(database, () => ({ VESTIBULE_SMTP_URL: `smtp://127.0.0.1:${mailServer.port}?tls=optional` }));
    try {
      const company = `Acme ${unique()}`;
      const account = { company, account: 'alice', email: `alice@mail-${unique()}.test`, password: 'Correct horse battery!', first_name: 'Alice' };
      await server.kit.createCompany({ name: company, language: 'en', two_factor_policy: 0 });
      await server.kit.createAccount({ ...account, roles: ['agent'], second_factor: 'none' });
      // The answer may get lost with the process; the request was written down before.
      const form = new URLSearchParams({ company, email: account.email });
      await fetch(`${server.url}/forgot-password`, { method: 'POST', headers: { Origin: server.url }, body: form, redirect: 'manual' });
      await expect.poll(() => mailServer.received.length).toBe(1);
      await expect.poll(() => kills).toBe(1);
      await server.startAgain();
      await server.kit.advanceClock(61);
      await expect.poll(() => mailServer.received.length).toBe(2);
      const [first, second] = mailServer.received;
      expect(second?.message.messageId).toBe(first?.message.messageId);
      // Its claim would have ended by now, if it had not been marked.
      await server.kit.advanceClock(61);
      const other = new URLSearchParams({ company, email: account.email });
      await fetch(`${server.url}/forgot-password`, { method: 'POST', headers: { Origin: server.url }, body: other, redirect: 'manual' });
      await expect.poll(() => mailServer.received.length).toBe(3);
      expect(mailServer.received[2]?.message.messageId, 'the next mail is another').not.toBe(first?.message.messageId);
    } finally {
      await server.stop();
      await mailServer.stop().catch(() => {});
    }
  });
});
