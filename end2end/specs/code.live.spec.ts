import { expect, test } from '../fixtures';

test('the countdown runs by itself while Resend waits', async ({ visitor, account }) => {
  await visitor.passPassword(account);
  await expect(visitor.code.resend).toBeDisabled();
  const before = await visitor.code.secondsLeft();
  expect(before).toBeGreaterThan(40);
  await expect.poll(() => visitor.code.secondsLeft()).toBeLessThan(before);
  await expect(visitor.code.resend).toBeDisabled();
});

test('the countdown follows the server\'s clock without a reload', async ({ visitor, account, clock, labels }) => {
  await visitor.passPassword(account);
  await clock.advance({ seconds: 30 });
  await expect.poll(() => visitor.code.secondsLeft(), { timeout: 15_000 }).toBeLessThanOrEqual(30);
  await expect(visitor.code.resend).toBeDisabled();
  await clock.advance({ seconds: 31 });
  await expect(visitor.code.resend).toBeEnabled({ timeout: 15_000 });
  await expect(visitor.code.sentence(labels.signIn.resend_now)).toBeVisible();
});

test('a double click on Resend sends one mail', async ({ visitor, account, mail, clock, labels }) => {
  await visitor.passPassword(account);
  await mail.nextCode(account.email);
  await clock.advance({ seconds: 61 });
  await visitor.code.reload();
  await visitor.code.resend.dblclick();
  await expect(visitor.code.sentence(labels.signIn.resent)).toBeVisible();
  await expect(visitor.code.resend).toBeDisabled();
  const code = await mail.nextCode(account.email);
  await visitor.code.enter(code);
  await visitor.agent.ready();
  expect(await mail.countCodes(account.email)).toBe(2);
});

test('a code pasted as "123 456" arrives whole', async ({ visitor, account, mail }) => {
  await visitor.passPassword(account);
  const code = await mail.nextCode(account.email);
  await visitor.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.page.evaluate((text) => navigator.clipboard.writeText(text), `${code.slice(0, 3)} ${code.slice(3)}`);
  await visitor.code.code.focus();
  await visitor.page.keyboard.press('Control+V');
  await visitor.code.verify.click();
  await visitor.agent.ready();
});

test('a code is not rewritten while a keyboard composes it, and is read when it is done', async ({ visitor, account, mail }) => {
  await visitor.passPassword(account);
  const code = await mail.nextCode(account.email);
  const wide = code.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
  const compose = (text: string) => visitor.code.code.evaluate((input: HTMLInputElement, value) => {
    input.value = value;
    input.dispatchEvent(new InputEvent('input', { bubbles: true, data: value, inputType: 'insertCompositionText', isComposing: true }));
  }, text);
  for (const text of [wide.slice(0, 1), wide.slice(0, 3), wide]) {
    await compose(text);
    await expect(visitor.code.code).toHaveValue(text);
  }
  await visitor.code.code.dispatchEvent('compositionend', { bubbles: true, data: wide });
  await expect(visitor.code.code).toHaveValue(code);
  await visitor.code.verify.click();
  await visitor.agent.ready();
});

test('a code that is whole is verified by itself, once, and not while it is mended', async ({ visitor, createCompany, createAccount, mail, labels }) => {
  const { name: company } = await createCompany({ two_factor_policy: 0 });
  const account = await createAccount({ company, second_factor: 'email' });
  await visitor.passPassword(account);
  const code = await mail.nextCode(account.email);
  const wrong = code === '000000' ? '000001' : '000000';
  await expect(visitor.code.sentence(labels.signIn.code_checked)).toBeVisible();
  await visitor.code.code.pressSequentially(wrong);
  await visitor.page.keyboard.press('Backspace');
  await visitor.code.code.fill('');
  await visitor.code.code.pressSequentially(wrong);
  await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
  await expect(visitor.code.code).toHaveValue('');
  await visitor.code.code.pressSequentially(code);
  await visitor.page.keyboard.press('Enter');
  await visitor.agent.ready();
});

test('a code typed key by key arrives whole', async ({ visitor, account, mail }) => {
  await visitor.passPassword(account);
  await visitor.code.code.focus();
  await visitor.page.keyboard.type(await mail.nextCode(account.email));
  await visitor.page.keyboard.press('Enter');
  await visitor.agent.ready();
});

test('an expired pending sign-in is said on the open page', async ({ visitor, account, mail, clock, labels }) => {
  await visitor.passPassword(account);
  const code = await mail.nextCode(account.email);
  await clock.advance({ minutes: 10, seconds: 1 });
  await visitor.code.type(code);
  await expect(visitor.code.sentence(labels.errors.sign_in_expired)).toBeVisible();
});
