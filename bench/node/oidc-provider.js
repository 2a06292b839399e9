// oidc-provider for a bench: in memory, RFC 9068 access tokens in ES256 for one resource, one confidential client.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const resource = `${issuer}/hotel`;

const key = (alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
});

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'concierge',
    client_secret: 'concierge-secret',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['https://client.example/callback'],
    scope: 'openid profile email offline_access room:enter gym:enter',
  }],
  scopes: ['openid', 'offline_access', 'profile', 'email', 'room:enter', 'gym:enter'],
  claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name'], email: ['email', 'email_verified'] },
  jwks: { keys: [key('ES256', 'ec', { namedCurve: 'P-256' }), key('RS256', 'rsa', { modulusLength: 2048 })] },
  cookies: { keys: ['bench'] },
  ttl: { ClientCredentials: 600, AccessToken: 600, Grant: 86400, RefreshToken: 86400, IdToken: 600 },
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

createServer(provider.callback()).listen(port, '127.0.0.1');
