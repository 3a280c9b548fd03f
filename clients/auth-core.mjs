// npm @auth/core, which Auth.js and its frameworks are made of, here without one: sign in, session, refresh, step up, sign out.
import { Auth, customFetch } from '@auth/core';
import { application, base, browser, bye, company, expect, patience, scope } from './kit.mjs';

const site = 'http://127.0.0.1:4000';

/** A visitor of an application with this configuration: keeps its cookies. */
class Visitor {
  cookies = new Map();
  constructor(config) {
    this.config = config;
  }
  async ask(path, form) {
    const headers = { cookie: [...this.cookies].map((pair) => pair.join('=')).join('; ') };
    const body = form && new URLSearchParams({ csrfToken: await this.csrf(), callbackUrl: `${site}/desk`, ...form });
    const answer = await Auth(new Request(new URL(path, site), { method: body ? 'POST' : 'GET', headers, body }), this.config);
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value && !/max-age=0/i.test(line)) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }
  csrf = async () => (await (await this.ask('/auth/csrf')).json()).csrfToken;
  session = async () => (await this.ask('/auth/session')).json();
  /** Goes to Vestibule and comes back; gives where it ends. */
  async signIn(go, query = '') {
    const sent = (await this.ask(`/auth/signin/vestibule${query}`, {})).headers.get('location');
    expect('sent to', new URL(sent).origin, base);
    return (await this.ask(await go(sent))).headers.get('location');
  }
}

for (const algorithm of ['RS256', 'ES256']) {
  for (const method of ['client_secret_basic', 'client_secret_post']) {
    const name = await company();
    const redirect_uris = [`${site}/auth/callback/vestibule`];
    const { client_id, client_secret } = await application(name, 'web', algorithm, { redirect_uris });
    let ended;
    const renew = async (refresh_token) => {
      // As in the guide of Auth.js: the library itself never refreshes.
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id, client_secret });
      const answer = await fetch(`${base}/oauth/token`, { method: 'POST', body, signal: AbortSignal.timeout(patience) });
      expect('refresh', answer.status, 200);
      return answer.json();
    };
    const visitor = new Visitor({
      secret: 'a secret of the application alone',
      trustHost: true,
      basePath: '/auth',
      providers: [
        {
          id: 'vestibule',
          name: 'Vestibule',
          type: 'oidc',
          issuer: base,
          clientId: client_id,
          clientSecret: client_secret,
          authorization: { params: { scope } },
          checks: ['pkce', 'state', 'nonce'],
          [customFetch]: (url, options) => fetch(url, { ...options, signal: AbortSignal.timeout(patience) }),
          client: { token_endpoint_auth_method: method, id_token_signed_response_alg: algorithm },
        },
      ],
      callbacks: {
        jwt: async ({ token, account, profile }) => {
          if (account) return { ...token, company: profile.company, acr: profile.acr, refresh: account.refresh_token, id: account.id_token };
          return { ...token, refresh: (await renew(token.refresh)).refresh_token };
        },
        session: ({ session, token }) => ({ ...session, company: token.company, acr: token.acr }),
      },
      events: { signOut: ({ token }) => (ended = token.id) },
      // A refused step-up is wanted here, and no line of the log.
      logger: { error: () => {}, warn: () => {} },
    });
    expect('signed in before', await visitor.session(), null);
    const go = await browser(name);
    expect('led back to', await visitor.signIn(go), `${site}/desk`);
    const session = await visitor.session();
    expect('session', JSON.stringify([session.user.name, session.user.email, session.company]), JSON.stringify(['Alice', 'alice@acme.test', name]));
    expect('after another refresh', (await visitor.session()).company, name);
    const more = '?acr_values=urn:vestibule:acr:mail-code';
    expect('refused step-up', await visitor.signIn(go, more), `${site}/auth/signin?error=OAuthCallbackError`);
    const proved = await browser(name, 'email_code');
    expect('step-up', await visitor.signIn(proved, more), `${site}/desk`);
    expect('proof', (await visitor.session()).acr, 'urn:vestibule:acr:mail-code');
    await visitor.ask('/auth/signout', {});
    expect('signed in after', await visitor.session(), null);
    const out = new URL(`${base}/oauth/logout`);
    out.search = new URLSearchParams({ id_token_hint: ended, post_logout_redirect_uri: bye });
    expect('sign-out', (await proved(out)).href, bye);
    console.log(`@auth/core: ${algorithm} ${method} good`);
  }
}
