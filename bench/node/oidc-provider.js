// oidc-provider for a bench: kept as ADAPTER says, RFC 9068 access tokens for one resource, confidential clients.
// What a bench redeems or looks up is made at /bench/..., by the library's own models, before the clock runs.
import { createServer } from 'node:http';
import { createHash, generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { default: adapter } = await import(`./${process.env.ADAPTER ?? 'memory'}.js`);

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const resource = `${issuer}/hotel`;
const redirectUri = 'http://127.0.0.1:8765/callback';
const verifier = 'bench-'.repeat(10);

const key = (alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
});

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'concierge',
    client_secret: 'concierge-secret',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
    redirect_uris: [redirectUri],
    scope: 'openid profile email offline_access room:enter gym:enter',
  }, ...Object.entries(JSON.parse(process.env.FLEET ?? '{}')).map(([id, secret]) => ({
    client_id: id,
    client_secret: secret,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: 'room:enter gym:enter',
  }))],
  scopes: ['openid', 'offline_access', 'profile', 'email', 'room:enter', 'gym:enter'],
  claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name'], email: ['email', 'email_verified'] },
  jwks: { keys: [key('ES256', 'ec', { namedCurve: 'P-256' }), key('RS256', 'rsa', { modulusLength: 2048 })] },
  adapter,
  cookies: { keys: ['bench'] },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  ttl: { ClientCredentials: 600, AccessToken: 600, AuthorizationCode: 300, Grant: 86400, RefreshToken: 86400 },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({
      sub, name: 'Ada Guest', given_name: 'Ada', family_name: 'Guest',
      email: 'guest@hotel.example', email_verified: true,
    }),
  }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'room:enter gym:enter',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: process.env.ALGORITHM ?? 'ES256' } },
      }),
    },
  },
});

async function granted(scope) {
  const client = await provider.Client.find('concierge');
  const grant = new provider.Grant({ clientId: client.clientId, accountId: 'guest-204' });
  grant.addOIDCScope(scope);
  grant.addResourceScope(resource, scope);
  return {
    client, accountId: 'guest-204', grantId: await grant.save(), scope, authTime: Math.floor(Date.now() / 1000),
    gty: 'authorization_code',
  };
}

const makers = {
  'refresh-tokens': async () => new provider.RefreshToken(
    { ...await granted('room:enter offline_access'), resource, rotations: 0, iiat: Math.floor(Date.now() / 1000) },
  ).save(),
  codes: async () => new provider.AuthorizationCode({
    ...await granted('room:enter offline_access'),
    resource,
    redirectUri,
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    codeChallengeMethod: 'S256',
  }).save(),
  'access-tokens': async () => new provider.AccessToken(await granted('openid profile email')).save(),
};

async function make(url, reply) {
  const maker = makers[url.pathname.slice('/bench/'.length)];
  const made = Array.from({ length: Number(url.searchParams.get('count')) }, () => maker());
  reply.setHeader('content-type', 'application/json').end(JSON.stringify(await Promise.all(made)));
}

const answer = provider.callback();

createServer((request, reply) => (
  request.url.startsWith('/bench/') ? make(new URL(request.url, issuer), reply) : answer(request, reply)
)).listen(port, '127.0.0.1');
