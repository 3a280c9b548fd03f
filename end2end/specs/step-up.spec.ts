import { appOf, expect, test } from '../fixtures';
import { fill } from '../fixtures/labels';

/** How long a proof of identity is good. */
const proofLife = { minutes: 5, seconds: 1 };

test('moments after signing in nothing is asked again', async ({ visitor, account, mail }) => {
  await visitor.signIn(account, mail);
  await visitor.security.goto();
  await visitor.security.begin('app');
  await visitor.appSetUp.ready();
});

test.describe('after five minutes', { tag: '@journey' }, () => {
  test('Set Up asks for the password and goes on with the set-up', async ({ visitor, createAccount, createApp, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    const session = await visitor.cookie('session');
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.begin('app');
    await visitor.confirm.ready();
    await expect(visitor.page.getByText(labels.errors.step_up_needed)).toBeVisible();
    await visitor.confirm.send(account.password);
    const app = await visitor.takeSecret(createApp);
    expect(await visitor.cookie('session'), 'the session goes on under a new token').not.toBe(session);
    await visitor.appCode.send(await app.code());
    await visitor.newBackupCodes.ready();
  });

  test('it asks for a code too where the account has one by e-mail', async ({ visitor, account, mail, clock, labels }) => {
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.begin('app');
    await visitor.confirm.ready();
    await visitor.confirm.send(account.password);
    await visitor.code.ready();
    const { subject, text, code } = await mail.nextWithCode(account.email);
    expect(subject).toBe(fill(labels.mail.confirm_subject, { code }));
    expect(text).toContain(labels.mail.account_code_not_you);
    await expect(visitor.code.anyTrust, 'it is no sign-in').toHaveCount(0);
    await visitor.open('/profile/security/app');
    await expect(visitor.appSetUp.qr, 'the password is half of the proof').toHaveCount(0);
    await visitor.code.reload();
    expect(await visitor.code.send(code === '000000' ? '000001' : '000000')).toBe(401);
    await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    await visitor.code.enter(code);
    await visitor.appSetUp.ready();
  });

  test('it asks for a code of the app, or for a backup code', async ({ visitor, createAccount, mail, clock }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.begin('email');
    await visitor.stepUp(account, mail);
    await visitor.emailSetUp.ready();

    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.begin('app');
    await visitor.confirm.ready();
    await visitor.confirm.send(account.password);
    await visitor.code.ready();
    await visitor.code.sendBackupCode(account.backupCodes[0] ?? '');
    await visitor.appSetUp.ready();
  });

  test('Turn off does nothing before the proof, and is chosen again after it', async ({ visitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.turnOff('app');
    await visitor.stepUp(account, mail);
    await visitor.security.ready();
    await expect(visitor.security.sentence(labels.profile.confirmed)).toBeVisible();
    await visitor.security.expectState('app', true);
    await visitor.security.turnOff('app');
    await visitor.security.expectState('app', false);
  });

  test('Generate new codes keeps the old ones until the proof', async ({ visitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.backupCodes.goto();
    await visitor.backupCodes.generate.click();
    await visitor.confirm.ready();
    await visitor.confirm.send(account.password);
    await visitor.code.ready();
    await visitor.code.sendBackupCode(account.backupCodes[0] ?? '');
    await visitor.backupCodes.ready();
    await expect(visitor.backupCodes.sentence(labels.profile.confirmed)).toBeVisible();
    await visitor.backupCodes.expectLeft(9);
    await visitor.backupCodes.generate.click();
    await visitor.newBackupCodes.ready();
  });

  test('Change Password asks an account with a second factor', async ({ visitor, account, mail, clock, labels }) => {
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    await expect(visitor.profile.oldPassword, 'not moments after signing in').toBeVisible();
    await clock.advance(proofLife);
    await visitor.profile.goto();
    await expect(visitor.profile.oldPassword).toHaveCount(0);
    await visitor.profile.confirmFirst.click();
    await visitor.stepUp(account, mail);
    await visitor.profile.ready();
    await expect(visitor.profile.sentence(labels.profile.confirmed)).toBeVisible();
    await visitor.profile.sendPassword(account.password, 'orchard marble thunder');
    await visitor.login.ready();
    await expect(visitor.login.sentence(labels.signIn.password_changed)).toBeVisible();
  });

  test('a form of Change Password that was opened before changes nothing', async ({ visitor, account, mail, clock, labels }) => {
    await visitor.signIn(account, mail);
    await visitor.profile.goto();
    await clock.advance(proofLife);
    await visitor.profile.sendPassword(account.password, 'orchard marble thunder');
    await visitor.confirm.ready();
    await expect(visitor.page.getByText(labels.errors.step_up_needed)).toBeVisible();
    await visitor.stepUp(account, mail);
    await visitor.profile.ready();
    await visitor.signOut();
    await visitor.passPassword(account);
  });
});

test.describe('a wrong password', { tag: '@journey' }, () => {
  test('is said, is not kept, and changes nothing', async ({ visitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.begin('email');
    await visitor.confirm.ready();
    expect(await visitor.confirm.send('wrong')).toBe(422);
    await expect(visitor.confirm.sentence(labels.errors.password_wrong)).toBeVisible();
    await expect(visitor.confirm.password).toHaveValue('');
    await expect(visitor.confirm.password).toHaveAttribute('aria-invalid', 'true');
    expect(await visitor.confirm.send('')).toBe(422);
    await expect(visitor.confirm.sentence(labels.errors.password_missing)).toBeVisible();
    expect(await mail.countCodes(account.email)).toBe(0);
    await visitor.confirm.send(account.password);
    await visitor.emailSetUp.ready();
  });

  test('counts: after five even the right one has to wait', async ({ visitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.open('/profile/confirm');
    for (let number = 1; number <= 5; number += 1) expect(await visitor.confirm.send(`wrong ${number}`)).toBe(422);
    expect(await visitor.confirm.send(account.password)).toBe(422);
    await expect(visitor.confirm.sentence(labels.errors.password_wrong)).toBeVisible();
    await clock.advance({ seconds: 31 });
    await visitor.confirm.send(account.password);
    await visitor.security.ready();
  });
});

test.describe('a proof that runs out in the middle of a set-up', { tag: '@journey' }, () => {
  test('of codes by e-mail: it goes on where it was', async ({ visitor, createAccount, mail, clock, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await visitor.security.begin('email');
    await visitor.emailSetUp.ready();
    const code = await mail.nextCode(account.email);
    await clock.advance(proofLife);
    await visitor.emailSetUp.send(code);
    await visitor.confirm.ready();
    await expect(visitor.page.getByText(labels.errors.step_up_needed)).toBeVisible();
    await visitor.confirm.send(account.password);
    await visitor.emailSetUp.ready();
    expect(await mail.countCodes(account.email)).toBe(1);
    await visitor.emailSetUp.send(code);
    await visitor.newBackupCodes.ready();
  });

  test('of an app, at the code: the same key goes on', async ({ visitor, createAccount, createApp, mail, clock }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await visitor.security.begin('app');
    const app = await visitor.takeSecret(createApp);
    await clock.advance(proofLife);
    await visitor.appCode.send(await app.code());
    await visitor.confirm.ready();
    await visitor.confirm.send(account.password);
    await visitor.appCode.ready();
    await visitor.appCode.send(await app.code());
    await visitor.newBackupCodes.ready();
  });
});

test('trust in a browser is no proof: password and code are asked', { tag: '@journey' }, async ({ visitor, createCompany, createAccount }) => {
  const company = await createCompany({ two_factor_policy: 30 });
  const account = await createAccount({ company: company.name, second_factor: 'app' });
  await visitor.passPassword(account);
  await visitor.code.trust(30).check();
  await visitor.code.enter(await appOf(account).code());
  await visitor.agent.ready();
  await visitor.signOut();
  await visitor.login.goto();
  await visitor.login.send(account);
  await visitor.agent.ready();
  await visitor.security.goto();
  await visitor.security.begin('email');
  await visitor.confirm.ready();
  await visitor.confirm.send(account.password);
  await visitor.code.ready();
  await visitor.code.enter(await appOf(account).code());
  await visitor.emailSetUp.ready();
  await visitor.security.goto();
  await expect(visitor.security.trusted, 'it goes on being trusted').toHaveCount(1);
});

test.describe('giving it up', () => {
  test('at the password leads back and changes nothing', async ({ visitor, createAccount, mail, clock }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.turnOff('app');
    await visitor.confirm.ready();
    await visitor.confirm.cancel.click();
    await visitor.security.ready();
    await visitor.security.expectState('app', true);
  });

  test('at the code leads back to the settings, still signed in', async ({ visitor, createAccount, mail, clock }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await clock.advance(proofLife);
    await visitor.security.goto();
    await visitor.security.turnOff('app');
    await visitor.confirm.ready();
    await visitor.confirm.send(account.password);
    await visitor.code.ready();
    await visitor.code.cancel.click();
    await visitor.security.ready();
    await visitor.security.expectState('app', true);
  });
});

test('a code that comes after ten minutes starts the proof again', async ({ visitor, createAccount, mail, clock, labels }) => {
  const account = await createAccount({ second_factor: 'app' });
  await visitor.signIn(account, mail);
  await clock.advance(proofLife);
  await visitor.security.goto();
  await visitor.security.turnOff('app');
  await visitor.confirm.ready();
  await visitor.confirm.send(account.password);
  await visitor.code.ready();
  await clock.advance({ minutes: 10, seconds: 1 });
  await visitor.code.type(await appOf(account).code());
  await visitor.confirm.ready();
  await expect(visitor.page.getByText(labels.profile.confirm_expired)).toBeVisible();
  await visitor.security.goto();
  await visitor.security.expectState('app', true);
});

test('five wrong codes lock, and the running session can change nothing more', { tag: '@journey' }, async ({ visitor, createAccount, mail, clock, labels }) => {
  const account = await createAccount({ second_factor: 'app' });
  await visitor.signIn(account, mail);
  await clock.advance(proofLife);
  await visitor.security.goto();
  await visitor.security.turnOff('app');
  await visitor.confirm.ready();
  await visitor.confirm.send(account.password);
  await visitor.code.ready();
  for (let number = 1; number <= 4; number += 1) {
    expect(await visitor.code.send(await appOf(account).wrongCode(number))).toBe(401);
    await expect(visitor.code.verify).toBeEnabled();
  }
  expect(await visitor.code.send(await appOf(account).wrongCode(5))).toBe(403);
  await visitor.locked.ready();
  await visitor.agent.goto();
  await visitor.security.goto();
  expect(await visitor.security.turnOff('app')).toBe(403);
  await expect(visitor.page.getByText(labels.errors.account_locked).first()).toBeVisible();
});
