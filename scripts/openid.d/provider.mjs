// A certified OpenID provider (oidc-provider) for tests, on a free port of this machine alone.
// Usage: node provider.mjs FOLDER CONFIG
//   FOLDER has node_modules. CONFIG is JSON: `sites`, whom people are sent back to; `people`, the
//   roles of each by their name.
// Prints its issuer once it listens. At /as/MODE it is told to give tokens as it would not by itself
// (`spoilt` below), until it is told otherwise; at /as/itself it is honest. At /logout/NAME it makes
// the logout token of someone's latest session and answers with it, as the mode has it, instead of
// sending it; at /logout/NAME/all the token is of all of their sessions.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const [folder, config] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${folder}/node_modules/${path}`));
const { Provider } = await load("oidc-provider/lib/index.js");
const { SignJWT, UnsecuredJWT, decodeJwt, exportJWK } = await load("jose/dist/webapi/index.js");
const { sites, people } = JSON.parse(config);

const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const key = rsa();
const jwk = async (it, kid) => ({ ...await exportJWK(it), kid, use: "sig", alg: "RS256" });
const open = ({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg });

const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

let mode = "itself";
let next = null; // the key that a rotation brings
const signed = (claims, by = key, kid = "first") =>
  new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(by);
const spoilt = {
  "other-key": (claims) => signed(claims, rsa()),
  "unknown-key": (claims) => signed(claims, rsa(), "unknown"),
  "unsigned": (claims) => new UnsecuredJWT(claims).encode(),
  "secret-signed": (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode("a-secret-of-32-bytes-or-a-bit-more")),
  "wrong-nonce": (claims) => signed({ ...claims, nonce: "another" }),
  "no-nonce": ({ nonce, ...claims }) => signed(claims),
  "wrong-audience": (claims) => signed({ ...claims, aud: "another" }),
  "wrong-party": (claims) => signed({ ...claims, aud: ["caseline", "another"], azp: "another" }),
  "wrong-issuer": (claims) => signed({ ...claims, iss: "http://localhost:1" }),
  "expired": (claims) => signed({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 61 }),
  "just-expired": (claims) => signed({ ...claims, exp: claims.iat - 30 }),
  "not-anew": (claims) => signed({ ...claims, auth_time: claims.iat - 3600 }),
  "not-yet": (claims) => signed({ ...claims, nbf: claims.iat + 3600 }),
  "rotated": (claims) => signed(claims, next, "second"),
};
// Logout tokens that are none.
const spoiltLogouts = {
  ...Object.fromEntries(["other-key", "unknown-key", "unsigned", "secret-signed"].map((it) => [it, spoilt[it]])),
  "no-kind": (claims) => signed(claims),
};

const sids = {}; // what the provider calls the latest session of each
let caught = null; // the logout token that is not to be sent

const provider = new Provider(issuer, {
  clients: [{
    client_id: "caseline",
    client_secret: "a-secret-of-32-bytes-or-a-bit-more",
    redirect_uris: sites.map((site) => `${site}/sign-in/return`),
    post_logout_redirect_uris: sites.map((site) => `${site}/signed-out`),
    backchannel_logout_uri: `${sites[0]}/sign-out/back-channel`,
    backchannel_logout_session_required: true,
  }],
  jwks: { keys: [await jwk(key, "first")] },
  cookies: { keys: ["for tests"] },
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["preferred_username", "roles"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  fetch: (url, options) => {
    // By itself it asks no machine that is as near as this one.
    if (caught === null) return fetch(url, { ...options, dispatcher: undefined });
    caught = new URLSearchParams(options.body).get("logout_token");
    return Promise.resolve(new Response(null, { status: 200 }));
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => people[id] && {
    accountId: id,
    claims: () => ({ sub: id, preferred_username: `${id}@example.org`, roles: people[id] }),
  },
  // Whoever signs in agrees.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next_) => {
  await next_();
  const route = ctx.oidc?.route;
  if (route === "token" && ctx.body?.id_token) {
    const claims = decodeJwt(ctx.body.id_token);
    sids[claims.sub] = claims.sid;
    if (mode in spoilt) ctx.body.id_token = await spoilt[mode](claims);
  }
  if (route === "jwks" && next) ctx.body = { keys: [...ctx.body.keys, open(await jwk(next, "second"))] };
});

const page = `<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1>
<form method="post"><label>Name <input name="name" autofocus></label> <button>Continue</button></form>`;
const answer = provider.callback();

server.on("request", async (request, response) => {
  const told = request.url.match(/^\/as\/([a-z-]+)$/);
  if (told) {
    mode = told[1];
    if (mode === "rotated") next ??= rsa();
    response.end();
  } else if (request.url.startsWith("/logout/")) {
    const [name, of] = request.url.slice("/logout/".length).split("/");
    const client = await provider.Client.find("caseline");
    caught = "";
    client.backchannelLogoutSessionRequired = of !== "all";
    await client.backchannelLogout(name, sids[name]);
    client.backchannelLogoutSessionRequired = true;
    const token = caught;
    caught = null;
    response.end(mode in spoiltLogouts ? await spoiltLogouts[mode](decodeJwt(token)) : token);
  } else if (request.url.startsWith("/interaction/") && request.method === "POST") {
    let body = "";
    for await (const part of request) body += part;
    const accountId = new URLSearchParams(body).get("name");
    const result = people[accountId]
      ? { login: { accountId } }
      : { error: "access_denied", error_description: "<b>no such person</b>" };
    await provider.interactionFinished(request, response, result);
  } else if (request.url.startsWith("/interaction/")) {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page);
  } else {
    answer(request, response);
  }
});
console.log(issuer);
