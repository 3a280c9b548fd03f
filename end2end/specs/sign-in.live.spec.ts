import { expect, test } from '../fixtures';

test('the password can be shown and hidden', async ({ visitor }) => {
  await visitor.login.goto();
  await visitor.login.password.fill('correct horse');
  await expect(visitor.login.showPassword).toHaveAttribute('aria-pressed', 'false');
  await visitor.login.showPassword.click();
  await expect(visitor.login.showPassword).toHaveAttribute('aria-pressed', 'true');
  await expect(visitor.login.password).toHaveAttribute('type', 'text');
  await expect(visitor.login.password).toHaveValue('correct horse');
  await visitor.login.showPassword.click();
  await expect(visitor.login.password).toHaveAttribute('type', 'password');
});

test('a double click on Sign in sends one mail', async ({ visitor, account, mail }) => {
  await visitor.login.goto();
  await visitor.login.type(account);
  await visitor.login.submit.dblclick();
  await visitor.code.ready();
  await visitor.code.enter(await mail.nextCode(account.email));
  await visitor.agent.ready();
  expect(await mail.countCodes(account.email)).toBe(1);
});

test('a double click on Verify signs in', async ({ visitor, account, mail }) => {
  await visitor.passPassword(account);
  await visitor.code.code.fill(await mail.nextCode(account.email));
  await visitor.code.verify.dblclick();
  await visitor.agent.ready();
});

test('Enter held down on a wrong code counts once', async ({ visitor, account, mail, labels }) => {
  await visitor.passPassword(account);
  const code = await mail.nextCode(account.email);
  const wrong = code === '000000' ? '000001' : '000000';
  await visitor.code.code.fill(wrong);
  await visitor.code.code.focus();
  for (let repeat = 0; repeat < 5; repeat += 1) await visitor.page.keyboard.down('Enter');
  await visitor.page.keyboard.up('Enter');
  await expect(visitor.code.code).toHaveValue('');
  await expect(visitor.code.verify).toBeEnabled();
  expect(await visitor.code.send(wrong), 'the second').toBe(401);
  await expect(visitor.code.sentence(labels.errors.wrong_code)).toBeVisible();
  await expect(visitor.page.getByText(labels.errors.two_left)).toHaveCount(0);
  await visitor.code.enter(code);
  await visitor.agent.ready();
});

test('a server that cannot be reached is said, and nothing typed is lost', async ({ visitor, account, console, labels }) => {
  console.allow(/ERR_INTERNET_DISCONNECTED|Failed to fetch|NetworkError/);
  await visitor.login.goto();
  await visitor.login.type(account);
  await visitor.page.context().setOffline(true);
  await visitor.login.submit.click();
  await expect(visitor.login.sentence(labels.errors.offline)).toBeVisible();
  await expect(visitor.login.company).toHaveValue(account.company);
  await expect(visitor.login.account).toHaveValue(account.account);
  await visitor.page.context().setOffline(false);
  await visitor.login.send(account);
  await visitor.code.ready();
});
