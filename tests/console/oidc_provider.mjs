// An OpenID Connect provider of its own process: the package oidc-provider with its pages for development, which let in whoever types a
// name. Arguments: port, redirect addresses with a space between them, and who there is as JSON: {name typed: claims}.
import Provider from "oidc-provider";

const [port, redirects, people] = process.argv.slice(2);
const known = JSON.parse(people);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "rollbook",
      client_secret: "a secret between two processes",
      redirect_uris: redirects.split(" "),
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  claims: {
    openid: ["sub", "sourcedId", "identifier"],
    email: ["email", "email_verified"],
    profile: ["name", "role"],
    oneroster: ["classLink_tenant_id", "classLink_role", "classLink_sourcedId"],
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...known[id] }) }),
  cookies: { keys: ["a key of the tests"], names: { session: `s${port}`, interaction: `i${port}`, resume: `r${port}` } },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
