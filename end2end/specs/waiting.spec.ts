import { expect, test } from '../fixtures';
import { fill } from '../fixtures/labels';

test.describe('standing in line', () => {
  test.afterEach(async ({ server }) => {
    await server.kit.holdLine(false);
  });

  test('shows the number and goes on by itself', async ({ visitor, createAccount, server }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.login.goto();
    await visitor.login.type(account);
    await server.kit.holdLine(true);
    await visitor.login.submit.click();
    await expect(visitor.page).toHaveURL('/login/wait');
    await expect(visitor.page.getByRole('heading', { level: 1, name: visitor.labels.signIn.waiting_title })).toBeVisible();
    await expect(visitor.page.getByText(fill(visitor.labels.signIn.waiting, { number: 1 }))).toBeVisible();
    await expect(visitor.page.locator('input[type=password]')).toHaveCount(0);
    await server.kit.holdLine(false);
    await visitor.agent.ready();
  });

  test('ends with the reason and what was typed when it was wrong', async ({ visitor, account, server }) => {
    await visitor.login.goto();
    await visitor.login.type({ ...account, password: 'not the password' });
    await server.kit.holdLine(true);
    await visitor.login.submit.click();
    await expect(visitor.page).toHaveURL('/login/wait');
    await server.kit.holdLine(false);
    await visitor.login.ready();
    await expect(visitor.login.sentence(visitor.labels.errors.wrong_credentials)).toBeVisible();
    await expect(visitor.login.company).toHaveValue(account.company);
    await expect(visitor.login.account).toHaveValue(account.account);
    await expect(visitor.login.password).toHaveValue('');
  });
});
