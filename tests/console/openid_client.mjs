// A product's server by the package openid-client: prints where the browser is sent, reads where it came back to, and prints what it learnt.
// Arguments: issuer, client ID, secret, redirect address, address after signing out.
import * as readline from "node:readline/promises";
import * as oidc from "openid-client";

const [issuer, id, secret, back, bye] = process.argv.slice(2);
const local = { execute: [oidc.allowInsecureRequests] };
const config = await oidc.discovery(new URL(issuer), id, undefined, oidc.ClientSecretBasic(secret), local);
const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
const address = oidc.buildAuthorizationUrl(config, {
  redirect_uri: back,
  scope: "openid profile email",
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
  nonce: expectedNonce,
  max_age: "3600",
});
console.log(address.href);

const lines = readline.createInterface({ input: process.stdin });
const came = new URL((await lines[Symbol.asyncIterator]().next()).value);
lines.close();
const given = await oidc.authorizationCodeGrant(config, came, { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 3600 });
const claims = given.claims();
const info = await oidc.fetchUserInfo(config, given.access_token, claims.sub);
const again = await oidc.refreshTokenGrant(config, given.refresh_token);
const reused = await oidc.refreshTokenGrant(config, given.refresh_token).then(() => "taken", (fault) => fault.error);
const out = oidc.buildEndSessionUrl(config, { id_token_hint: again.id_token, post_logout_redirect_uri: bye, state: "s" });
console.log(JSON.stringify({ claims, info, again: again.claims(), reused, out: out.href }));
