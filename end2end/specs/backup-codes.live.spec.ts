import { expect, test } from '../fixtures';

test('new backup codes can be copied, all at once', async ({ visitor, account, mail, labels }) => {
  await visitor.signIn(account, mail);
  await visitor.backupCodes.goto();
  await visitor.backupCodes.generate.click();
  const codes = await visitor.newBackupCodes.read();
  await visitor.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.newBackupCodes.copy.click();
  await expect(visitor.newBackupCodes.sentence(labels.profile.copied)).toBeVisible();
  expect((await visitor.page.evaluate(() => navigator.clipboard.readText())).split(/\r?\n/)).toEqual(codes);
});

test('a backup code typed key by key, or pasted, into the one field arrives whole', async ({ visitor, createAccount }) => {
  const account = await createAccount({ second_factor: 'app' });
  const [first = '', second = ''] = account.backupCodes;
  await visitor.passPassword(account);
  await visitor.code.code.focus();
  await visitor.page.keyboard.type(first);
  await visitor.page.keyboard.press('Enter');
  await visitor.agent.ready();
  await visitor.signOut();

  await visitor.passPassword(account);
  await visitor.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.page.evaluate((text) => navigator.clipboard.writeText(text), second);
  await visitor.code.code.focus();
  await visitor.page.keyboard.press('Control+V');
  await visitor.code.verify.click();
  await visitor.agent.ready();
});

test('a double click on Verify uses one backup code', async ({ visitor, createAccount }) => {
  const account = await createAccount({ second_factor: 'app' });
  await visitor.passPassword(account);
  await visitor.code.code.fill(account.backupCodes[0] ?? '');
  await visitor.code.verify.dblclick();
  await visitor.agent.ready();
  await visitor.backupCodes.goto();
  await visitor.backupCodes.expectLeft(9);
});
