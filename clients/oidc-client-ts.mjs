// npm oidc-client-ts, the bundle that browsers load, in Chromium: sign in on the page, userinfo, silent refresh, step up, sign
// out. Everything that its scripts ask of Vestibule comes from another origin.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { application, base, company, expect, get, patience, post, scope } from './kit.mjs';

/** The system's Chromium without a window where there is one, else the one that Playwright fetched: `end2end/` has the same version. */
const systemChromium = '/usr/bin/chromium-headless-shell';
const password = 'violet harbour kettle';
const bundle = readFileSync(new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url));

/** The application: one page at every address, and all else in scripts of the browser. */
const page = `<!doctype html><meta charset="utf-8"><title>Desk</title><link rel="icon" href="data:,"><script src="/library.js"></script>`;
const server = createServer((request, response) => {
  const isScript = request.url === '/library.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? bundle : page);
});
await new Promise((done, failed) => server.on('error', failed).listen(0, '127.0.0.1', done));
const site = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-gpu'],
  ...(existsSync(systemChromium) ? { executablePath: systemChromium } : {}),
});

/** The application in a new window of Chromium. */
async function open(name, algorithm) {
  const { client_id } = await application(name, 'single_page', algorithm, {
    redirect_uris: [`${site}/callback`],
    post_logout_redirect_uris: [`${site}/bye`],
  });
  const context = await browser.newContext();
  context.setDefaultTimeout(patience);
  const desk = await context.newPage();
  const said = [];
  desk.on('console', (message) => message.type() === 'error' && said.push(message.text()));
  desk.on('pageerror', (error) => said.push(error.message));
  const settings = {
    authority: base,
    client_id,
    redirect_uri: `${site}/callback`,
    post_logout_redirect_uri: `${site}/bye`,
    scope,
    loadUserInfo: true,
    // How somebody proved who they are is left out of the profile otherwise.
    filterProtocolClaims: false,
    automaticSilentRenew: false,
    requestTimeoutInSeconds: patience / 1000,
  };
  /** Runs a method of the library's UserManager in the page; gives what it resolves to. */
  const manager = (method, ...given) =>
    desk.evaluate(
      async ([settings, method, given]) => {
        const found = await new globalThis.oidc.UserManager(settings)[method](...given);
        return found && JSON.parse(JSON.stringify(found));
      },
      [settings, method, given],
    );
  /** Leaves the page with a method of the library; ends at the address that begins so. */
  const leave = async (method, to, ...given) => {
    // The answer is lost with the page.
    manager(method, ...given).catch((error) => /destroyed|navigat/i.test(error.message) || said.push(error.message));
    await desk.waitForURL((url) => url.href.startsWith(to));
  };
  await desk.goto(site);
  return { context, desk, said, manager, leave };
}

/** Signs in on the page, and does everything that needs no second factor. */
async function visit(name, { desk, said, manager, leave }) {
  await leave('signinRedirect', `${base}/login`, { extraQueryParams: { login_hint: `${name}/alice` } });
  await desk.locator('html[data-hydrated]').waitFor();
  expect('company filled in', await field(desk, 'Company').inputValue(), name);
  await fill(desk, 'Password', password);
  await desk.waitForURL((url) => url.href.startsWith(`${site}/callback?`));
  const user = await manager('signinCallback');
  expect('profile', JSON.stringify([user.profile.name, user.profile.email, user.profile.company]), JSON.stringify(['Alice', 'alice@acme.test', name]));
  const renewed = await manager('signinSilent');
  expect('refreshed for', renewed.profile.sub, user.profile.sub);
  if (renewed.access_token === user.access_token || renewed.refresh_token === user.refresh_token) throw new Error('nothing was refreshed');
  const info = await desk.evaluate(
    async ([address, token]) => (await fetch(address, { headers: { authorization: `Bearer ${token}` } })).json(),
    [`${base}/oauth/userinfo`, renewed.access_token],
  );
  expect('userinfo', info.company, name);
  expect('errors of the page', said.join('\n'), '');
  const stranger = await desk.evaluate((address) => fetch(address).then(() => 'read', () => 'closed'), `${base}/login`);
  expect('a page of Vestibule', stranger, 'closed');
  said.length = 0;
  await leave('signinRedirect', `${site}/callback?error=unmet_authentication_requirements`, { acr_values: 'urn:vestibule:acr:mail-code' });
  const refused = await manager('signinCallback').catch((error) => error.message);
  if (!/cannot prove/.test(refused)) throw new Error(`step-up: ${refused}`);
  await leave('signoutRedirect', `${site}/bye`);
  await manager('signoutCallback');
  expect('signed in after', await manager('getUser'), null);
  await leave('signinRedirect', `${base}/login`);
  expect('errors of the page', said.join('\n'), '');
}

/** Somebody whose browser is trusted comes in at once, and proves the second factor when the application asks for it. */
async function stepUp(name, { context, desk, said, manager, leave }) {
  const email = `${crypto.randomUUID()}@acme.test`;
  await post('accounts', { company: name, account: 'bob', email, first_name: 'Bob', password, second_factor: 'email' });
  const session = await post('sessions', { company: name, account: 'bob', proof: 'trusted_browser' });
  await context.addCookies([{ name: session.cookie, value: session.value, url: base }]);
  await leave('signinRedirect', `${site}/callback?`);
  expect('proof', (await manager('signinCallback')).profile.acr, 'urn:vestibule:acr:password');
  await leave('signinRedirect', `${base}/`, { acr_values: 'urn:vestibule:acr:mail-code' });
  await fill(desk, 'Password', password);
  await desk.waitForURL(`${base}/login/code`);
  await desk.locator('html[data-hydrated]').waitFor();
  await fill(desk, /code/i, await code(email));
  await desk.waitForURL((url) => url.href.startsWith(`${site}/callback?`));
  expect('proof after', (await manager('signinCallback')).profile.acr, 'urn:vestibule:acr:mail-code');
  expect('errors of the page', said.join('\n'), '');
}

const field = (desk, label) => desk.getByLabel(label, { exact: true }).first();

async function fill(desk, label, text) {
  await field(desk, label).fill(text);
  await field(desk, label).press('Enter');
}

/** The code in the newest mail to this address. */
async function code(email) {
  for (const begun = Date.now(); Date.now() - begun < patience; await sleep(100)) {
    const [mail] = await get(`mail?to=${email}`);
    if (mail?.code) return mail.code;
  }
  throw new Error(`no code was mailed to ${email}`);
}

try {
  for (const algorithm of ['RS256', 'ES256']) {
    for (const act of [visit, stepUp]) {
      const name = await company();
      const window = await open(name, algorithm);
      try {
        await act(name, window);
      } catch (error) {
        throw new Error(`at ${window.desk.url()}: ${error.message}\n${window.said.join('\n')}`);
      }
      await window.context.close();
    }
    console.log(`oidc-client-ts: ${algorithm} good`);
  }
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
