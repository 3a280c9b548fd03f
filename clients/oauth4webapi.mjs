// npm oauth4webapi, which checks every answer by the letter: sign in with an answer that names its issuer, userinfo, refresh.
import * as oauth from 'oauth4webapi';
import { application, base, browser, callback, company, expect, patience, scope, ways } from './kit.mjs';

const insecure = { [oauth.allowInsecureRequests]: true, signal: () => AbortSignal.timeout(patience) };

for (const { algorithm, kind } of ways) {
  const name = await company();
  const { client_id, client_secret } = await application(name, kind, algorithm);
  const go = await browser(name);
  const issuer = new URL(base);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client = { client_id, id_token_signed_response_alg: algorithm };
  const method = kind === 'web' ? oauth.ClientSecretPost(client_secret) : oauth.None();
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(server.authorization_endpoint);
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  const request = { client_id, redirect_uri: callback, response_type: 'code', scope, state, nonce, code_challenge: challenge, code_challenge_method: 'S256' };
  for (const [key, value] of Object.entries(request)) url.searchParams.set(key, value);
  const parameters = oauth.validateAuthResponse(server, client, await go(url), state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, method, parameters, callback, verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, answer, insecure);
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  const user = await oauth.processUserInfoResponse(server, client, sub, await oauth.userInfoRequest(server, client, tokens.access_token, insecure));
  expect('name', user.name, 'Alice');
  const refreshed = await oauth.refreshTokenGrantRequest(server, client, method, tokens.refresh_token, insecure);
  await oauth.processRefreshTokenResponse(server, client, refreshed);
  console.log(`oauth4webapi: ${kind} ${algorithm} good`);
}
