import { expect, test as base } from 'vestibule-test-kit';
import { freePort } from 'vestibule-test-kit/server';
import { start } from './application.mjs';

const test = base.extend<{ application: string }>({
  application: async ({ kit, company }, use) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const known = await kit.createApplication({ company: company.name, name: 'Desk', redirect_uris: [`${url}/callback`] });
    const server = await start(url, known);
    await use(url);
    server.close();
  },
});

test('asks who it is and greets', async ({ application, page, visitor, account, mail }) => {
  await page.goto(application);
  await visitor.login.ready();
  await visitor.login.send(account);
  await visitor.code.ready();
  await visitor.code.enter(await mail.waitForCode(account.email));
  await expect(page.getByRole('heading', { name: 'Hello Alice' })).toBeVisible();
});

test('greets whoever is signed in already', async ({ application, signedInPage }) => {
  const page = await signedInPage('supervisor');
  await page.goto(application);
  await expect(page.getByRole('heading', { name: 'Hello Alice' })).toBeVisible();
});
