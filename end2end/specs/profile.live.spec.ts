import { expect, test } from '../fixtures';
import { counted } from '../fixtures/labels';

test('a new password is judged while it is typed', async ({ visitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none', first_name: 'Wolfeschlegel' });
  await visitor.signIn(account, mail);
  await visitor.profile.goto();
  await visitor.profile.newPassword.pressSequentially('kqzv');
  await expect(visitor.profile.sentence(counted(labels.errors, 'field_too_short', 12))).toBeVisible();
  await visitor.profile.newPassword.fill('passwordpassword');
  await expect(visitor.profile.sentence(labels.errors.password_weak)).toBeVisible();
  await visitor.profile.newPassword.fill('Wolfeschlegel2026');
  await expect(visitor.profile.sentence(labels.errors.password_weak)).toBeVisible();
  await visitor.profile.newPassword.fill('orchard marble thunder');
  const good = visitor.profile.sentence(labels.profile.password_good).or(visitor.profile.sentence(labels.profile.password_strong));
  await expect(good.first()).toBeVisible();
  expect(await good.first().evaluate((element) => element.closest('[role=status], [aria-live=polite]') !== null)).toBe(true);
  await visitor.profile.newPassword.fill('');
  await expect(good).toHaveCount(0);
  await expect(visitor.profile.oldPassword, 'nothing was sent').toHaveValue('');
});

test('judging a password changes nothing and is no try', async ({ visitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none' });
  await visitor.signIn(account, mail);
  await visitor.profile.goto();
  for (let number = 1; number <= 6; number += 1) {
    const answer = await visitor.post('/profile/password/check', { new_password: `short ${number}` });
    expect(answer.status()).toBe(200);
    expect(await answer.json()).toMatchObject({ good: false });
  }
  await visitor.signOut();
  await visitor.login.send(account);
  await visitor.agent.ready();
  expect(await mail.count(account.email, labels.mail.password_subject)).toBe(0);
});
