// A small application behind Vestibule: whoever is signed in is greeted by name.
import { createServer } from 'node:http';
import * as oidc from 'openid-client';

export async function start(url, { issuer, client_id, client_secret }) {
  const vestibule = await oidc.discovery(new URL(issuer), client_id, client_secret, undefined, { execute: [oidc.allowInsecureRequests] });
  const redirect_uri = `${url}/callback`;
  const verifiers = new Map();
  const server = createServer(async (request, response) => {
    const address = new URL(request.url, url);
    if (address.pathname === '/') {
      const [state, verifier] = [oidc.randomState(), oidc.randomPKCECodeVerifier()];
      verifiers.set(state, verifier);
      const code_challenge = await oidc.calculatePKCECodeChallenge(verifier);
      const way = { redirect_uri, scope: 'openid profile', state, code_challenge, code_challenge_method: 'S256' };
      return response.writeHead(303, { Location: oidc.buildAuthorizationUrl(vestibule, way).href }).end();
    }
    const expectedState = address.searchParams.get('state');
    const checks = { expectedState, pkceCodeVerifier: verifiers.get(expectedState) };
    const tokens = await oidc.authorizationCodeGrant(vestibule, address, checks);
    const person = await oidc.fetchUserInfo(vestibule, tokens.access_token, tokens.claims().sub);
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(`<!DOCTYPE html><h1>Hello ${person.name}</h1>`);
  });
  await new Promise((ready) => server.listen(Number(new URL(url).port), '127.0.0.1', ready));
  return server;
}
