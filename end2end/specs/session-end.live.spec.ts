import { expect, test } from '../fixtures';

test.describe('two minutes before an unused session ends', () => {
  test('a bar offers to stay, and staying puts the end off', async ({ visitor, createAccount, mail, clock, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.page.clock.install();
    await visitor.agent.goto();
    const bar = visitor.page.locator('#session-end');
    await expect(bar).toBeHidden();
    await clock.advance({ minutes: 28, seconds: 10 });
    await visitor.page.clock.fastForward('28:10');
    await expect(bar).toBeVisible();
    await bar.getByRole('button', { name: labels.console.session_stay, exact: true }).click();
    await expect(bar).toBeHidden();
    await clock.advance({ minutes: 29 });
    await visitor.agent.goto();
  });

  test('and after its end it says so, and leaves what was typed', async ({ visitor, createAccount, mail, clock, labels }) => {
    await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
    await visitor.page.clock.install();
    await visitor.profile.goto();
    await visitor.profile.phone.fill('+49 170 7654321');
    await clock.advance({ minutes: 31 });
    await visitor.page.clock.fastForward('31:00');
    await expect(visitor.page.getByText(labels.console.session_over)).toBeVisible();
    await expect(visitor.profile.phone).toHaveValue('+49 170 7654321');
  });
});
