import type { APIResponse } from '@playwright/test';
import { appOf, expect, test, type Account } from '../fixtures';
import type { Http } from '../fixtures/http';
import { counted, fill, pattern } from '../fixtures/labels';

/** Well-formed and none of anybody's. */
const nobodys = 'ZZZZ-ZZZZ-ZZZZ-ZZZZ';

/** The code of an account with that number. */
function codeOf({ backupCodes }: Account, number: number): string {
  const code = backupCodes[number];
  if (!code) throw new Error(`no backup code ${number}`);
  return code;
}

/** Signs in without a browser. */
async function signInWith(http: Http, { company, account, password }: Account, code: string): Promise<APIResponse> {
  expect((await http.post('/login', { company, account, password })).status()).toBe(200);
  return http.post('/login/code', { code });
}

test.describe('a backup code', { tag: '@journey' }, () => {
  test('signs in through the one field, and a mail tells of it', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    await visitor.code.enter(codeOf(account, 6));
    await visitor.agent.ready();
    const { text } = await mail.next(account.email, labels.mail.backup_used_subject);
    expect(text).toContain(fill(labels.mail.backup_used_intro, account));
    expect(text).toContain(counted(labels.mail, 'backup_left', 9));
    expect(text).not.toContain(codeOf(account, 6));
  });

  test('signs in through Use a backup code, which leads back to six digits too', async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    await visitor.code.useBackupCode.click();
    await expect(visitor.code.backupCode).toBeVisible();
    await expect(visitor.code.backupCode).not.toHaveAttribute('inputmode', 'numeric');
    await visitor.code.useDigits.click();
    await expect(visitor.code.code).toBeVisible();
    await visitor.code.ready();
    await visitor.code.sendBackupCode(codeOf(account, 0));
    await visitor.agent.ready();
  });

  test('stands in for the mail too', async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'both' });
    await visitor.passPassword(account);
    await visitor.code.otherMethod.click();
    await expect(visitor.code.resend).toBeVisible();
    await visitor.code.sendBackupCode(codeOf(account, 9));
    await visitor.agent.ready();
  });

  test('works once, however it is spelt the second time, and counts', async ({ visitor, createAccount, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    const code = codeOf(account, 0);
    await visitor.passPassword(account);
    await visitor.code.enter(code);
    await visitor.agent.ready();
    await visitor.signOut();
    await visitor.passPassword(account);
    for (const [spelling, warning] of [
      [code, undefined],
      [code.toLowerCase(), undefined],
      [code.replaceAll('-', ' '), labels.errors.two_left],
    ] as const) {
      expect(await visitor.code.sendBackupCode(spelling)).toBe(401);
      await expect(visitor.code.sentence(labels.errors.code_used)).toBeVisible();
      if (warning) await expect(visitor.code.sentence(warning)).toBeVisible();
      await expect(visitor.code.verify).toBeEnabled();
    }
    await visitor.code.sendBackupCode(codeOf(account, 1));
    await visitor.agent.ready();
  });
});

for (const { name, spell } of [
  { name: 'without dashes', spell: (code: string) => code.replaceAll('-', '') },
  { name: 'in small letters with blanks', spell: (code: string) => ` ${code.toLowerCase().replaceAll('-', ' ')} ` },
  { name: 'with look-alikes', spell: (code: string) => code.replaceAll('0', 'o').replaceAll('1', 'l') },
]) {
  test(`a backup code may be typed ${name}`, async ({ visitor, createAccount }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    await visitor.code.enter(spell(codeOf(account, 3)));
    await visitor.agent.ready();
  });
}

test('something that is no code is said and does not count', async ({ visitor, createAccount, labels }) => {
  const account = await createAccount({ second_factor: 'app' });
  const code = codeOf(account, 0);
  await visitor.passPassword(account);
  await visitor.code.useBackupCode.click();
  await expect(visitor.code.backupCode).toBeVisible();
  await visitor.code.ready();
  for (const entry of [code.slice(1), `${code}0`, 'UUUU-UUUU-UUUU-UUUU', 'x'.repeat(200), '12345', '<b>']) {
    await visitor.code.backupCode.fill(entry);
    await visitor.code.verify.click();
    await expect(visitor.code.sentence(labels.errors.code_malformed)).toBeVisible();
    await expect(visitor.code.backupCode).toHaveAttribute('aria-invalid', 'true');
    await expect(visitor.code.verify).toBeEnabled();
  }
  expect(await visitor.code.sendBackupCode(nobodys)).toBe(401);
  await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
  await expect(visitor.page.getByText(labels.errors.two_left)).toHaveCount(0);
  await expect(visitor.code.verify).toBeEnabled();
  await visitor.code.sendBackupCode(code);
  await visitor.agent.ready();
});

test.describe('the backup codes that are left', () => {
  test('are listed with the date of those that were used', { tag: '@journey' }, async ({ visitor, createAccount, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.passPassword(account);
    await visitor.code.enter(codeOf(account, 4));
    await visitor.agent.ready();
    await visitor.backupCodes.goto();
    await visitor.backupCodes.expectLeft(9);
    const used = visitor.backupCodes.codes.filter({ hasText: fill(labels.profile.code_number, { number: 5 }) });
    await expect(used).toContainText(pattern(labels.profile.used_on));
    await expect(used.locator('time')).toHaveText(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{2}:\d{2}$/);
    for (const code of account.backupCodes) expect(await visitor.page.content()).not.toContain(code);
  });

  test('are warned about from three on, on the pages and in the mail', async ({ visitor, http, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    for (let number = 0; number < 6; number += 1) expect((await signInWith(http, account, codeOf(account, number))).status()).toBe(200);
    expect((await mail.next(account.email, labels.mail.backup_used_subject)).text).not.toContain(labels.mail.backup_low);
    await visitor.signIn(account, mail);
    const warning = (count: number) => counted(labels.console, 'few_backup_codes', count);
    await expect(visitor.page.getByText(warning(4))).toHaveCount(0);
    await visitor.signOut();

    await visitor.passPassword(account);
    await visitor.code.enter(codeOf(account, 6));
    await visitor.agent.ready();
    await expect(visitor.page.getByText(warning(3))).toBeVisible();
    await visitor.security.goto();
    await expect(visitor.page.getByText(warning(3))).toBeVisible();
    for (let left = 8; left >= 3; left -= 1) {
      const { text } = await mail.next(account.email, labels.mail.backup_used_subject);
      expect(text).toContain(counted(labels.mail, 'backup_left', left));
      expect(text.includes(labels.mail.backup_low)).toBe(left <= 3);
    }
  });

  test('may be none: the last one signs in, and new ones are made', async ({ visitor, http, createAccount }) => {
    const account = await createAccount({ second_factor: 'app' });
    for (let number = 0; number < 9; number += 1) expect((await signInWith(http, account, codeOf(account, number))).status()).toBe(200);
    await visitor.passPassword(account);
    await visitor.code.enter(codeOf(account, 9));
    await visitor.agent.ready();
    await visitor.backupCodes.goto();
    await visitor.backupCodes.expectLeft(0);
    await visitor.backupCodes.generate.click();
    expect(await visitor.newBackupCodes.read()).toHaveLength(10);
  });

  test('are none before a second factor, and the page says so', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.security.goto();
    await expect(visitor.security.viewBackupCodes).toHaveCount(0);
    await visitor.open('/profile/security/backup-codes');
    await expect(visitor.page.getByText(labels.profile.backup_unavailable)).toBeVisible();
    await expect(visitor.backupCodes.generate).toHaveCount(0);
  });

  test('can be made for an account that never had any', async ({ visitor, account, mail, labels }) => {
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await visitor.security.viewBackupCodes.click();
    await visitor.backupCodes.ready();
    await expect(visitor.page.getByText(labels.profile.backup_none)).toBeVisible();
    await visitor.backupCodes.generate.click();
    const [code = ''] = await visitor.newBackupCodes.read();
    await visitor.newBackupCodes.done.click();
    await visitor.security.ready();
    await visitor.signOut();
    await visitor.passPassword(account);
    await visitor.code.sendBackupCode(code);
    await visitor.agent.ready();
  });
});

test.describe('Generate new codes', { tag: '@journey' }, () => {
  test('shows ten new ones once, kills the old ones and tells by mail', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await visitor.backupCodes.goto();
    await expect(visitor.page.getByText(labels.profile.generate_hint)).toBeVisible();
    await visitor.backupCodes.generate.click();
    const codes = await visitor.newBackupCodes.read();
    for (const code of account.backupCodes) expect(codes).not.toContain(code);
    expect((await visitor.newBackupCodes.save()).text).toContain(codes[9]);
    expect((await mail.next(account.email, labels.mail.factor_subject)).text).toContain(fill(labels.mail.factor_backup_codes, account));
    const shownAt = visitor.page.url();
    await visitor.newBackupCodes.done.click();
    await visitor.security.ready();
    await visitor.open(shownAt);
    await visitor.backupCodes.ready();
    await visitor.backupCodes.expectLeft(10);
    expect(await visitor.page.content()).not.toContain(codes[0]);

    await visitor.signOut();
    await visitor.passPassword(account);
    expect(await visitor.code.sendBackupCode(codeOf(account, 0))).toBe(401);
    await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    await visitor.code.sendBackupCode(codes[0] ?? '');
    await visitor.agent.ready();
  });

  test('leaves the app as it is', async ({ visitor, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'app' });
    await visitor.signIn(account, mail);
    await visitor.backupCodes.goto();
    await visitor.backupCodes.generate.click();
    await visitor.newBackupCodes.ready();
    await visitor.signOut();
    await visitor.signIn(account, mail);
  });
});

test.describe('a code that an administrator issued', { tag: '@journey' }, () => {
  test('signs in once; a mail told of it without the code', async ({ visitor, account, server, mail, labels }) => {
    const code = await server.kit.issueBackupCode(account.company, account.account);
    const { text } = await mail.next(account.email, labels.mail.backup_issued_subject);
    expect(text).toContain(fill(labels.mail.backup_issued_intro, account));
    expect(text).not.toContain(code);
    await visitor.passPassword(account);
    await visitor.code.sendBackupCode(code);
    await visitor.agent.ready();
    await visitor.signOut();
    await visitor.passPassword(account);
    expect(await visitor.code.sendBackupCode(code)).toBe(401);
    await expect(visitor.code.sentence(labels.errors.code_used)).toBeVisible();
  });

  test('is good for an hour; later it is said and does not count', async ({ visitor, account, server, mail, clock, labels }) => {
    const code = await server.kit.issueBackupCode(account.company, account.account);
    await clock.advance({ minutes: 60, seconds: 1 });
    await visitor.passPassword(account);
    expect(await visitor.code.sendBackupCode(code)).toBe(422);
    await expect(visitor.code.sentence(labels.errors.code_expired)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    for (let number = 1; number <= 2; number += 1) {
      expect(await visitor.code.sendBackupCode(nobodys)).toBe(401);
      await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
      await expect(visitor.code.verify).toBeEnabled();
    }
    await expect(visitor.page.getByText(labels.errors.two_left)).toHaveCount(0);
    await visitor.code.useDigits.click();
    await expect(visitor.code.code).toBeVisible();
    await visitor.code.ready();
    await visitor.code.enter(await mail.nextCode(account.email));
    await visitor.agent.ready();
  });

  test('replaces the one before', async ({ visitor, account, server, labels }) => {
    const first = await server.kit.issueBackupCode(account.company, account.account);
    const second = await server.kit.issueBackupCode(account.company, account.account);
    await visitor.passPassword(account);
    expect(await visitor.code.sendBackupCode(first)).toBe(401);
    await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
    await expect(visitor.code.verify).toBeEnabled();
    await visitor.code.sendBackupCode(second);
    await visitor.agent.ready();
  });

  test('leaves the ten of the account alone', async ({ visitor, createAccount, server }) => {
    const account = await createAccount({ second_factor: 'app' });
    const code = await server.kit.issueBackupCode(account.company, account.account);
    await visitor.passPassword(account);
    await visitor.code.sendBackupCode(code);
    await visitor.agent.ready();
    await visitor.backupCodes.goto();
    await visitor.backupCodes.expectLeft(10);
  });
});

test('the codes of somebody else are wrong', { tag: '@journey' }, async ({ visitor, createAccount, labels }) => {
  const account = await createAccount({ second_factor: 'app' });
  const other = await createAccount({ second_factor: 'app' });
  await visitor.passPassword(account);
  expect(await visitor.code.send(codeOf(other, 0))).toBe(401);
  await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
  await expect(visitor.code.verify).toBeEnabled();
  await visitor.code.enter(await appOf(account).code());
  await visitor.agent.ready();
});
