// What every script needs of the test kit: a company, an account, applications, and browsers that are signed in.

export const base = process.argv[2];
export const callback = 'http://127.0.0.1:4000/callback';
export const bye = 'http://127.0.0.1:4000/bye';
export const scope = 'openid profile email company roles offline_access';

/** How long anybody may take to answer. */
export const patience = 30_000;

async function ask(path, options) {
  const answer = await fetch(`${base}/_test/${path}`, { signal: AbortSignal.timeout(patience), ...options });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`/_test/${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

export const get = (path) => ask(path);
export const post = (path, body) =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** A company with the account alice. */
export async function company() {
  const name = `Acme ${crypto.randomUUID()}`;
  await post('companies', { name });
  await post('accounts', { company: name, account: 'alice', email: 'alice@acme.test', first_name: 'Alice', password: 'violet harbour kettle' });
  return name;
}

/** An application; `more` is said instead of what scripts mostly want. */
export const application = (company, kind, algorithm, more = {}) =>
  post('applications', {
    company,
    name: `${kind} ${algorithm}`,
    kind,
    redirect_uris: [callback],
    post_logout_redirect_uris: [bye],
    id_token_signed_response_alg: algorithm,
    ...more,
  });

/** A browser in which alice is signed in, having proved herself so: where it is sent on to. */
export async function browser(company, proof = 'password') {
  const { cookie, value } = await post('sessions', { company, account: 'alice', proof });
  return async (url) => {
    const headers = { cookie: `${cookie}=${value}` };
    const answer = await fetch(url, { redirect: 'manual', headers, signal: AbortSignal.timeout(patience) });
    const location = answer.headers.get('location');
    if (!location) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
    return new URL(location);
  };
}

export function expect(what, found, wanted) {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}

/** Every way in which an application is known: with a secret or without, by each algorithm. */
export const ways = ['RS256', 'ES256'].flatMap((algorithm) => ['web', 'single_page'].map((kind) => ({ algorithm, kind })));
