// Debian's mod_auth_openidc, a certified relying party, in Apache: sign in, refresh, step up, sign out, back-channel sign-out.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { folder, freePort, start, stop } from '../end2end/proxies/programs.mjs';
import { application, base, browser, company, expect, patience, post } from './kit.mjs';

const template = readFileSync(new URL('apache.conf', import.meta.url), 'utf8');

/** A browser at the site in Apache: keeps its cookies, and goes to Vestibule as `go` does. */
class Visitor {
  cookies = new Map();
  constructor(go) {
    this.go = go;
  }
  async ask(url) {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
    const signal = AbortSignal.timeout(patience);
    // Not fetch, which says of itself that it reads no page: such requests get 401.
    const answer = await new Promise((done, failed) => get(url, { headers: { accept: 'text/html', cookie }, signal }, done).on('error', failed));
    let text = '';
    for await (const part of answer) text += part;
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value && !/max-age=0|expires=thu, 01 jan 1970/i.test(line)) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return { status: answer.statusCode, headers: answer.headers, text };
  }
  async follow(url) {
    for (let hops = 0; hops < 10; hops += 1) {
      if (url.startsWith(base)) url = (await this.go(url)).href;
      const answer = await this.ask(url);
      // The module asks for more proof on a page with status 200 that leads on.
      if (!answer.headers.location) return { ...answer, url };
      url = new URL(answer.headers.location, url).href;
    }
    throw new Error(`round in a circle at ${url}`);
  }
}

async function tryOut(site) {
  const name = await company();
  const visit = async () => new Visitor(await browser(name));
  const visitor = await visit();
  const page = `${site}/page.txt`;
  const sent = await visitor.ask(page);
  expect('first request', sent.status, 302);
  expect('sent to', sent.headers.location.split('?')[0], `${base}/oauth/authorize`);

  const entered = await visitor.follow(page);
  expect('page', `${entered.status} ${entered.text}`, '200 read');
  const seen = ['user', 'company', 'roles'].map((what) => entered.headers[`seen-${what}`]);
  expect('claims', JSON.stringify(seen), JSON.stringify(['alice', name, 'agent']));

  const token = entered.headers['seen-token'];
  const refreshed = await visitor.follow(`${site}/callback?${new URLSearchParams({ refresh: page, access_token: token })}`);
  expect('refreshed', refreshed.text, 'read');
  if (refreshed.headers['seen-token'] === token) throw new Error(`nothing was refreshed: ${refreshed.url}`);

  const more = await visitor.follow(`${site}/secret.txt`);
  expect('refused step-up', new URL(more.url).searchParams.get('error'), 'unmet_authentication_requirements');
  const proved = await visit();
  expect('before the step-up', (await proved.follow(page)).headers['seen-proof'], 'urn:vestibule:acr:password');
  proved.go = await browser(name, 'email_code');
  expect('step-up', (await proved.follow(`${site}/secret.txt`)).text, 'secret');

  const out = await visitor.follow(`${site}/callback?${new URLSearchParams({ logout: `${site}/bye` })}`);
  expect('signed out at', out.url, `${site}/bye`);
  expect('page after the sign-out', (await visitor.ask(page)).status, 302);

  expect('the other browser', (await proved.ask(page)).status, 200);
  await post('accounts/state', { company: name, account: 'alice', active: false });
  let status = 200;
  for (const begun = Date.now(); status === 200; await sleep(100)) {
    ({ status } = await proved.ask(page));
    if (Date.now() - begun > patience) throw new Error('the end of the session was not told');
  }
  expect('page after the end elsewhere', status, 302);
}

mkdirSync(join(folder, 'pages'), { mode: 0o755 });
writeFileSync(join(folder, 'pages/page.txt'), 'read');
writeFileSync(join(folder, 'pages/secret.txt'), 'secret');
for (const algorithm of ['RS256', 'ES256']) {
  for (const method of ['client_secret_basic', 'client_secret_post']) {
    const port = await freePort();
    const site = `http://127.0.0.1:${port}`;
    // Of the installation: those of a company are told at private addresses only where the operator says so.
    const { client_id: id, client_secret: secret } = await application(undefined, 'web', algorithm, {
      redirect_uris: [`${site}/callback`],
      post_logout_redirect_uris: [`${site}/bye`],
      backchannel_logout_uri: `${site}/callback?logout=backchannel`,
    });
    const values = { folder, port, site, base, id, secret, method, algorithm, passphrase: crypto.randomUUID(), modules: '/usr/lib/apache2/modules' };
    const file = join(folder, `${port}.conf`);
    writeFileSync(file, template.replace(/@([a-z]+)@/g, (word, name) => values[name] ?? word));
    const apache = await start('apache2', ['-DFOREGROUND', '-f', file], { port });
    try {
      await tryOut(site);
      console.log(`mod_auth_openidc: ${algorithm} ${method} good`);
    } catch (error) {
      throw new Error(`${error.message}\n${apache.printed()}`);
    } finally {
      await stop(apache);
    }
  }
}
