import { expect, test } from '../fixtures';

/** Every page of a signed-in person but those of the set-up itself. */
const closed = ['/agent', '/admin', '/profile', '/profile/security', '/profile/security/backup-codes'];

test.describe('where a second factor is required', { tag: '@journey' }, () => {
  test('an account without one is led through the app\'s set-up and lands', async ({ visitor, createCompany, createAccount, createApp, labels }) => {
    const company = await createCompany({ require_second_factor: 'everyone' });
    const account = await createAccount({ company: company.name, second_factor: 'none' });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.required.ready();
    await expect(visitor.required.sentence(labels.profile.required_intro)).toBeVisible();
    await visitor.required.app.click();
    const app = await visitor.takeSecret(createApp);
    await visitor.appCode.send(await app.code());
    expect(await visitor.newBackupCodes.read()).toHaveLength(10);
    await visitor.newBackupCodes.done.click();
    await visitor.agent.ready();
    await visitor.signOut();
    await visitor.passPassword(account);
    await visitor.code.enter(await app.code());
    await visitor.agent.ready();
  });

  test('an admin is led through the set-up by e-mail and lands in the console', async ({ visitor, createCompany, createAccount, mail }) => {
    const company = await createCompany({ require_second_factor: 'admins' });
    const account = await createAccount({ company: company.name, second_factor: 'none', roles: ['admin'] });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.required.ready();
    await visitor.required.email.click();
    await visitor.emailSetUp.ready();
    await visitor.emailSetUp.send(await mail.nextCode(account.email));
    await visitor.newBackupCodes.ready();
    await visitor.newBackupCodes.done.click();
    await visitor.admin.ready();
  });

  test('nothing else is open, not even in the middle of the set-up', async ({ visitor, createCompany, createAccount }) => {
    const company = await createCompany({ require_second_factor: 'everyone' });
    const account = await createAccount({ company: company.name, second_factor: 'none' });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.required.ready();
    const expectClosed = async () => {
      for (const path of closed) {
        await visitor.open(path);
        await visitor.required.ready();
        await expect(visitor.page).toHaveURL('/profile/security/set-up');
      }
    };
    await expectClosed();
    await expect(visitor.required.profile).toHaveCount(0);
    await visitor.required.app.click();
    await visitor.appSetUp.ready();
    await expectClosed();
    await visitor.open('/');
    await visitor.required.ready();
  });

  test('Cancel leads back to the choice, and the other method may be taken', async ({ visitor, createCompany, createAccount, mail }) => {
    const company = await createCompany({ require_second_factor: 'everyone' });
    const account = await createAccount({ company: company.name, second_factor: 'none' });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.required.ready();
    await visitor.required.app.click();
    await visitor.appSetUp.ready();
    await visitor.appSetUp.cancel.click();
    await visitor.required.ready();
    await visitor.required.email.click();
    await visitor.emailSetUp.ready();
    await visitor.emailSetUp.send(await mail.nextCode(account.email));
    await visitor.newBackupCodes.ready();
  });

  test('Logout works', async ({ visitor, createCompany, createAccount, labels }) => {
    const company = await createCompany({ require_second_factor: 'everyone' });
    const account = await createAccount({ company: company.name, second_factor: 'none' });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.required.ready();
    await visitor.signOut();
    await expect(visitor.login.sentence(labels.signIn.signed_out)).toBeVisible();
    await visitor.open('/profile/security/set-up');
    await visitor.login.ready();
  });

  test('it is asked of a session that runs already, with a proof when that is old', async ({ visitor, createCompany, createAccount, createApp, server, mail, clock }) => {
    const company = await createCompany();
    const account = await createAccount({ company: company.name, second_factor: 'none' });
    await visitor.signIn(account, mail);
    await clock.advance({ minutes: 6 });
    await server.kit.setRequireSecondFactor(company.name, 'everyone');
    await visitor.open('/agent');
    await visitor.required.ready();
    await visitor.required.app.click();
    await visitor.stepUp(account, mail);
    const app = await visitor.takeSecret(createApp);
    await visitor.appCode.send(await app.code());
    await visitor.newBackupCodes.ready();
    await visitor.newBackupCodes.done.click();
    await visitor.agent.ready();
  });

  test('the last one cannot be turned off, and says so', async ({ visitor, createCompany, createAccount, mail, labels }) => {
    const company = await createCompany({ require_second_factor: 'everyone' });
    const account = await createAccount({ company: company.name, second_factor: 'both' });
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await visitor.security.turnOff('email');
    await visitor.security.expectState('email', false);
    expect(await visitor.security.turnOff('app')).toBe(403);
    await expect(visitor.security.sentence(labels.errors.last_factor)).toBeVisible();
    await visitor.security.expectState('app', true);
    await visitor.signOut();
    await visitor.signIn(account, mail);
  });
});

test('whoever has a second factor notices nothing', async ({ visitor, createCompany, createAccount, mail }) => {
  const company = await createCompany({ require_second_factor: 'everyone' });
  const account = await createAccount({ company: company.name, second_factor: 'app' });
  await visitor.signIn(account, mail);
  await visitor.open('/profile/security/set-up');
  await visitor.security.ready();
});

test('agents of a company that requires it of admins notice nothing', async ({ visitor, createCompany, createAccount, mail }) => {
  const company = await createCompany({ require_second_factor: 'admins' });
  for (const role of ['agent', 'supervisor'] as const) {
    await visitor.signIn(await createAccount({ company: company.name, second_factor: 'none', roles: [role] }), mail);
    await visitor.signOut();
  }
});

test('the set-up that is required survives wrong codes and a change of language', async ({ visitor, createCompany, createAccount, createApp }) => {
  const company = await createCompany({ require_second_factor: 'everyone' });
  const account = await createAccount({ company: company.name, second_factor: 'none' });
  await visitor.login.goto();
  await visitor.login.send(account);
  await visitor.required.ready();
  await visitor.language.choose('de');
  const german = visitor.reading('de');
  await german.required.ready();
  await german.required.app.click();
  const app = await german.takeSecret(createApp);
  expect(await german.appCode.send(await app.wrongCode())).toBe(401);
  await visitor.language.choose('en');
  await visitor.appCode.ready();
  await visitor.appCode.send(await app.code());
  await visitor.newBackupCodes.ready();
});
