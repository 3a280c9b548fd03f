import { expect, test, type Account } from '../fixtures';
import { MailServer } from '../fixtures/smtp';

const admin = { roles: ['admin'], second_factor: 'none', first_name: 'Rita' } satisfies Partial<Account>;

test("a company's own mail server is tried, used, and seen to fail", async ({ visitor, createAccount, mail, labels }) => {
  const sink = await MailServer.start();
  try {
    const own = await createAccount(admin);
    const agent = await createAccount({ second_factor: 'none' });
    await visitor.signIn(own, mail);
    const { mailServer, agentAct } = visitor;
    await mailServer.goto();
    await expect(mailServer.installation).toBeChecked();
    await mailServer.own.check();
    await mailServer.type({ host: 'mail.example.test', port: sink.port, security: 'none', from: 'Acme <no-reply@acme.test>', replyTo: 'help@acme.test' });
    expect(await mailServer.save()).toBe(422);
    await expect(mailServer.alert).toContainText(labels.errors.unencrypted);
    await expect(mailServer.host).toHaveValue('mail.example.test');
    await mailServer.type({ host: '127.0.0.1' });
    await mailServer.save();
    await expect(mailServer.good).toHaveText(labels.company.saved);

    await mailServer.sendTest();
    await expect(mailServer.outcome('sent', own.email)).toBeVisible();
    await expect(mailServer.fact(labels.mailServer.answer)).toContainText('250');
    expect(sink.received[0]?.to).toEqual([own.email]);
    expect(sink.received[0]?.message.subject).toBe(labels.mail.test_subject);

    await agentAct.goto(agent.id, 'password');
    await agentAct.sendResetLink();
    await expect.poll(() => sink.received.length).toBe(2);
    const letter = sink.received[1]?.message;
    expect(letter?.from?.value[0]).toEqual({ address: 'no-reply@acme.test', name: 'Acme' });
    expect(letter?.replyTo?.value[0]?.address).toBe('help@acme.test');
    expect(await mail.count(agent.email), 'nothing went the other way').toBe(0);

    await sink.stop();
    await mailServer.goto();
    await mailServer.sendTest();
    await expect(mailServer.outcome('failed', own.email)).toBeVisible();
    await expect(mailServer.sentence(labels.mailServer.why_refused)).toBeVisible();
    await mailServer.goto();
    await mailServer.installation.check();
    await mailServer.save();
    await expect(mailServer.good).toHaveText(labels.company.saved);
    await agentAct.goto(agent.id, 'password');
    await agentAct.sendResetLink();
    await mail.next(agent.email, labels.mail.reset_subject);
  } finally {
    await sink.stop().catch(() => {});
  }
});
