import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures';
import { selectors } from '../kit/src/selectors';

async function each(page: Page, group: Record<string, string>): Promise<void> {
  for (const [name, selector] of Object.entries(group)) await expect(page.locator(selector), `${name} of ${page.url()}`).toHaveCount(1);
}

test('every selector that is published is found once', async ({ visitor, account, signedInPage }) => {
  const { page, login, code } = visitor;
  await login.goto();
  if (visitor.live) await expect(page.locator(selectors.hydrated)).toBeAttached();
  await each(page, selectors.everywhere);
  await each(page, selectors.login);
  await page.goto('/forgot-password');
  await each(page, selectors.everywhere);
  await each(page, selectors.forgot);
  await visitor.passPassword(account);
  await code.ready();
  await each(page, selectors.everywhere);
  await each(page, selectors.code);

  const admin = await signedInPage('admin');
  for (const [path, group] of [
    ['/profile', selectors.profile],
    ['/admin/agents', selectors.agents],
    ['/admin/agents/new', selectors.newAgent],
    ['/admin/agents/import', selectors.import],
    ['/admin/audit', selectors.audit],
  ] as const) {
    await admin.goto(path);
    await each(admin, selectors.everywhere);
    await each(admin, selectors.signedIn);
    await each(admin, group);
  }
});
