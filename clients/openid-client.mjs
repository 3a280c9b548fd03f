// npm openid-client, a certified relying party: sign in, refresh, step up, introspect, revoke, sign out.
import * as oidc from 'openid-client';
import { application, base, browser, bye, callback, company, expect, scope, ways } from './kit.mjs';

for (const { algorithm, kind } of ways) {
  const name = await company();
  const { client_id, client_secret } = await application(name, kind, algorithm);
  const go = await browser(name);
  const method = kind === 'web' ? oidc.ClientSecretBasic(client_secret) : oidc.None();
  const metadata = { id_token_signed_response_alg: algorithm };
  const config = await oidc.discovery(new URL(base), client_id, metadata, method, { execute: [oidc.allowInsecureRequests] });
  const [pkceCodeVerifier, expectedState, expectedNonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const request = {
    redirect_uri: callback,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  const back = await go(oidc.buildAuthorizationUrl(config, request));
  const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
  const { sub } = tokens.claims();
  const user = await oidc.fetchUserInfo(config, tokens.access_token, sub);
  expect('company', user.company, name);
  const more = await go(oidc.buildAuthorizationUrl(config, { ...request, acr_values: 'urn:vestibule:acr:app-code' }));
  expect('refused step-up', more.searchParams.get('error'), 'unmet_authentication_requirements');
  const proved = await (await browser(name, 'email_code'))(oidc.buildAuthorizationUrl(config, { ...request, acr_values: 'urn:vestibule:acr:mail-code' }));
  const higher = await oidc.authorizationCodeGrant(config, proved, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
  expect('proof', higher.claims().acr, 'urn:vestibule:acr:mail-code');
  const again = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  if (kind === 'web') expect('introspection', (await oidc.tokenIntrospection(config, again.access_token)).active, true);
  await oidc.tokenRevocation(config, again.refresh_token);
  const refused = await oidc.fetchUserInfo(config, again.access_token, sub).then(
    () => 'good',
    () => 'refused',
  );
  expect('a revoked token', refused, 'refused');
  const out = await go(oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: bye, id_token_hint: tokens.id_token, state: 's' }));
  expect('sign-out', out.href, `${bye}?state=s`);
  console.log(`openid-client: ${kind} ${algorithm} good`);
}
