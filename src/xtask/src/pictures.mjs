// Signs in to the demo as its people do, and takes the pictures of the README.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';

const [url, folder, systemChromium] = process.argv.slice(-3);
const password = 'marble-kettle-orchard-9';
const limit = 30_000;

const browser = await chromium.launch({
  args: [...(process.getuid() === 0 ? ['--no-sandbox'] : []), '--disable-gpu', '--no-first-run'],
  ...(existsSync(systemChromium) ? { executablePath: systemChromium } : {}),
});

/** A browser of its own, as somebody has it who comes for the first time. */
async function visitor(viewport, colorScheme = 'light') {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', deviceScaleFactor: 1.5 });
  context.setDefaultTimeout(limit);
  return context.newPage();
}

/** Goes to the sign-in page and past the password. */
async function passPassword(page, account) {
  await page.goto(`${url}/login`);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  await page.locator('#company').fill('Demo');
  await page.locator('#account').fill(account);
  await page.locator('#password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** The code of the newest mail to an account in the local mailbox. */
async function newestCode(context, account) {
  const page = await context.newPage();
  const until = Date.now() + limit;
  for (;;) {
    await page.goto(`${url}/mailbox`);
    const rows = page.locator('tr', { hasText: `${account}@demo.test` });
    const subject = rows.getByRole('link', { name: /\d{6}/ }).first();
    if ((await subject.count()) > 0) {
      const code = /\d{6}/.exec(await subject.innerText())[0];
      await page.close();
      return code;
    }
    if (Date.now() > until) throw new Error('no code came to the mailbox');
  }
}

async function take(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  console.log(`  ${name}.png`);
}

const card = { width: 1024, height: 720 };
const wide = { width: 1280, height: 800 };

const agent = await visitor(card);
await agent.goto(`${url}/login`);
await agent.locator('html[data-hydrated]').waitFor({ state: 'attached' });
await take(agent, 'login');
await passPassword(agent, 'alice');
await agent.waitForURL('**/login/code');
await agent.locator('[name=code]').waitFor();
await take(agent, 'code');

const admin = await visitor(wide);
await passPassword(admin, 'admin');
await admin.waitForURL('**/login/code');
const code = await newestCode(admin.context(), 'admin');
await admin.locator('[name=code]').first().fill(code);
await admin.locator('[name=code]').first().press('Enter');
await admin.waitForURL('**/admin');
await take(admin, 'overview');
await admin.goto(`${url}/admin/agents`, { waitUntil: 'load' });
await admin.locator('tbody tr').first().waitFor();
await take(admin, 'agents');
await admin.goto(`${url}/admin/audit`);
await admin.locator('tbody tr').first().waitFor();
await take(admin, 'audit');
await browser.close();
