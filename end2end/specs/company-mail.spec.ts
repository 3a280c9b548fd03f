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
    await expect(mailServer.good).toContainText(labels.mailServer.untested);

    await mailServer.sendTest();
    await expect(mailServer.outcome('sent', own.email)).toBeVisible();
    await expect(mailServer.fact(labels.mailServer.answer)).toContainText('250');
    expect(sink.received[0]?.to).toEqual([own.email]);
    expect(sink.received[0]?.message.subject).toBe(labels.mail.test_subject);
    await mailServer.goto();
    await mailServer.fallBack.check();
    await mailServer.save();
    await expect(mailServer.good, 'mails go the same way').toHaveText(labels.company.saved);
    await mailServer.fallBack.uncheck();
    await mailServer.save();

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

test('a mail server is tried before anything of it is saved, and then saved without its password being typed again', async ({ visitor, createAccount, mail, labels }) => {
  const sink = await MailServer.start();
  try {
    const own = await createAccount(admin);
    const agent = await createAccount({ second_factor: 'none' });
    await visitor.signIn(own, mail);
    const { mailServer, agentAct } = visitor;
    await mailServer.goto();
    await expect(mailServer.tryOutButton, 'only for a server of the own').toBeHidden();
    await mailServer.own.check();
    await mailServer.type({ host: '127.0.0.1', port: 1, security: 'none', user: 'relay', password: 'hush-hush', from: 'Acme <no-reply@acme.test>' });
    expect(await mailServer.tryOut()).toBe(200);
    await expect(mailServer.outcome('failed', own.email)).toBeVisible();
    await expect(mailServer.sentence(labels.mailServer.why_refused)).toBeVisible();

    // Everything typed is still there, but for the password, which need not be typed again.
    await expect(mailServer.own).toBeChecked();
    await expect(mailServer.host).toHaveValue('127.0.0.1');
    await expect(mailServer.password).toHaveValue('');
    await expect(mailServer.sentence(labels.mailServer.password_tried)).toBeVisible();
    await mailServer.type({ port: sink.port });
    expect(await mailServer.tryOut()).toBe(200);
    await expect(mailServer.outcome('sent', own.email)).toBeVisible();
    await expect(mailServer.sentence(labels.company.not_saved)).toBeVisible();
    await expect(mailServer.fact(labels.mailServer.answer)).toContainText('250');
    expect(sink.received.map((received) => received.to)).toEqual([[own.email]]);
    expect(sink.received[0]?.message.from?.value[0]).toEqual({ address: 'no-reply@acme.test', name: 'Acme' });
    expect(sink.signIns).toEqual([['relay', 'hush-hush']]);

    // Nothing is live: mails go the old way.
    await agentAct.goto(agent.id, 'password');
    await agentAct.sendResetLink();
    await mail.next(agent.email, labels.mail.reset_subject);
    await mailServer.goto();
    await expect(mailServer.installation).toBeChecked();
    expect(sink.received).toHaveLength(1);

    await mailServer.own.check();
    await mailServer.type({ host: '127.0.0.1', port: sink.port, security: 'none', user: 'relay', from: 'Acme <no-reply@acme.test>' });
    expect(await mailServer.save()).toBe(303);
    await expect(mailServer.good, 'it was tried').toHaveText(labels.company.saved);
    await agentAct.goto(agent.id, 'password');
    await agentAct.sendResetLink();
    await expect.poll(() => sink.received.length).toBe(2);
    expect(sink.signIns.at(-1)).toEqual(['relay', 'hush-hush']);
  } finally {
    await sink.stop().catch(() => {});
  }
});
