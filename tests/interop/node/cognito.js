// Unmodified clients of Amazon Cognito, each doing what applications do with it. Answers one JSON line.
import { createHmac } from "node:crypto";
import {
  CognitoIdentityProviderClient,
  GetUserCommand,
  InitiateAuthCommand,
  ListUsersCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoRefreshToken, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { Amplify } from "aws-amplify";
import { fetchAuthSession, fetchUserAttributes, getCurrentUser, signIn, signOut } from "aws-amplify/auth";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

const { url, pool, app, confidential, username, password, tokens, jwks } = JSON.parse(process.argv[3]);

const told = (error) => ({ name: error.name, code: error.code, message: error.message });

/** amazon-cognito-identity-js: secure remote password, a session, its refresh, attributes, sign-out. */
async function identityJs() {
  const users = new CognitoUserPool({ UserPoolId: pool, ClientId: app, endpoint: url });
  const attempt = (secret) =>
    new Promise((resolve) => {
      const user = new CognitoUser({ Username: username, Pool: users });
      user.authenticateUser(new AuthenticationDetails({ Username: username, Password: secret }), {
        onSuccess: (session) => resolve({ user, session }),
        onFailure: (error) => resolve({ error: told(error) }),
      });
    });
  const { user, session } = await attempt(password);
  const call = (method, ...more) =>
    new Promise((resolve, reject) => user[method](...more, (error, found) => (error ? reject(error) : resolve(found))));
  const refreshed = await call("refreshSession", new CognitoRefreshToken({ RefreshToken: session.getRefreshToken().getToken() }));
  const attributes = await call("getUserAttributes");
  const out = await new Promise((resolve, reject) => user.globalSignOut({ onSuccess: resolve, onFailure: reject }));
  return {
    username: session.getIdToken().payload["cognito:username"],
    refreshed: refreshed.getAccessToken().getJwtToken() !== session.getAccessToken().getJwtToken(),
    email: attributes.find((one) => one.getName() === "email").getValue(),
    out,
    wrong: (await attempt("Wrong-Horse-7")).error,
  };
}

/** aws-amplify 6: sign in, who is it, tokens, sign out. */
async function amplify() {
  Amplify.configure({ Auth: { Cognito: { userPoolId: pool, userPoolClientId: app, userPoolEndpoint: url } } });
  const wrong = await signIn({ username, password: "Wrong-Horse-7" }).catch(told);
  const done = await signIn({ username, password });
  const { tokens } = await fetchAuthSession();
  const fresh = await fetchAuthSession({ forceRefresh: true });
  const answer = {
    wrong,
    done,
    who: (await getCurrentUser()).username,
    email: (await fetchUserAttributes()).email,
    use: tokens.accessToken.payload.token_use,
    refreshed: fresh.tokens.accessToken.toString() !== tokens.accessToken.toString(),
  };
  await signOut({ global: true });
  return answer;
}

/** aws-jwt-verify: access and ID tokens of a pool whose issuer is spelt as the cloud spells it; each refused as the other. */
async function verify() {
  const verifier = (tokenUse, clientId, more = {}) => {
    const made = CognitoJwtVerifier.create({ userPoolId: pool, tokenUse, clientId, ...more });
    made.cacheJwks(jwks);
    return made;
  };
  const refused = (made, token) => made.verify(token).then(() => "taken", (error) => error.constructor.name);
  const access = verifier("access", app), id = verifier("id", app);
  return {
    access: (await access.verify(tokens.access)).username,
    id: (await id.verify(tokens.id))["cognito:username"],
    crossed: [await refused(access, tokens.id), await refused(id, tokens.access)],
    another: await refused(verifier("access", "another"), tokens.access),
    machine: (await verifier("access", confidential.id, { scope: tokens.scope }).verify(tokens.machine)).client_id,
    scope: await refused(verifier("access", confidential.id, { scope: "nothing/at-all" }), tokens.machine),
    fetched: (await fetched()).sub !== undefined,
  };
}

/** The verifier that fetches its keys by itself, through a fetcher that knows where the pool really is. */
async function fetched() {
  const fetcher = { fetch: async (uri) => new Uint8Array(await (await fetch(uri.replace(/^https:\/\/[^/]+/, url))).arrayBuffer()) };
  const jwksCache = new SimpleJwksCache({ fetcher });
  return CognitoJwtVerifier.create({ userPoolId: pool, tokenUse: "id", clientId: app }, { jwksCache }).verify(tokens.id);
}

/** @aws-sdk/client-cognito-identity-provider 3: unsigned and signed operations, typed errors, SECRET_HASH. */
async function sdk() {
  const client = new CognitoIdentityProviderClient({
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const hash = createHmac("sha256", confidential.secret).update(username + confidential.id).digest("base64");
  const ask = (more, ClientId = confidential.id) =>
    client.send(
      new InitiateAuthCommand({
        AuthFlow: "USER_PASSWORD_AUTH",
        ClientId,
        AuthParameters: { USERNAME: username, PASSWORD: password, ...more },
      }),
    );
  const { AuthenticationResult } = await ask({ SECRET_HASH: hash });
  const user = await client.send(new GetUserCommand({ AccessToken: AuthenticationResult.AccessToken }));
  const { Users } = await client.send(new ListUsersCommand({ UserPoolId: pool, Filter: `email = "${username}"` }));
  return {
    username: user.Username,
    found: Users.map((one) => one.Username),
    created: Users[0].UserCreateDate instanceof Date,
    missing: await ask({}).catch(told),
    wrong: await ask({ SECRET_HASH: "bm8=" }).catch(told),
    nobody: await ask({ USERNAME: "nobody" }, app).catch(told),
  };
}

/** Auth.js (next-auth 5) with its Cognito provider: its own request, our pages, its callback, its session. */
async function authjs() {
  const { Auth } = await import("@auth/core");
  const { default: Cognito } = await import("@auth/core/providers/cognito");
  const provider = Cognito({ clientId: confidential.id, clientSecret: confidential.secret, issuer: `${url}/${pool}` });
  const origin = "http://127.0.0.1:8765";
  const config = { providers: [provider], secret: "s".repeat(32), trustHost: true, basePath: "/auth" };
  const jar = new Map();
  const ask = async (path, init = {}) => {
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "), ...init.headers };
    const answer = await Auth(new Request(`${origin}${path}`, { ...init, headers }), config);
    keep(jar, answer);
    return answer;
  };
  const { csrfToken } = await (await ask("/auth/csrf")).json();
  const sent = await ask("/auth/signin/cognito", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ csrfToken, callbackUrl: origin }),
  });
  const back = new URL(await browse(sent.headers.get("location")));
  await ask(back.pathname + back.search);
  return { asked: new URL(sent.headers.get("location")).searchParams.get("scope"), session: await (await ask("/auth/session")).json() };
}

function keep(jar, answer) {
  for (const line of answer.headers.getSetCookie()) {
    const [pair] = line.split(";");
    jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
  }
}

/** A browser that signs in on the hosted page: where it is sent in the end. */
async function browse(address) {
  const jar = new Map();
  const get = async (to, init = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(to, { redirect: "manual", ...init, headers: { cookie, ...init.headers } });
    keep(jar, answer);
    return answer;
  };
  const login = new URL((await get(address)).headers.get("location"), url);
  const page = await (await get(login)).text();
  const csrf = /name="_csrf" value="([^"]+)"/.exec(page)[1];
  const form = new URLSearchParams({ _csrf: csrf, username, password, cognitoAsfData: "" });
  return (await get(login, { method: "POST", body: form })).headers.get("location");
}

const walks = { identityJs, amplify, verify, sdk, authjs };
console.log(JSON.stringify(await walks[process.argv[2]]()));
