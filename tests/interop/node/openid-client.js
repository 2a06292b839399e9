// npm openid-client, used as its documentation shows, against a house.
import * as client from 'openid-client'
import { claimsOf, play, sentBack, told } from './person.js'

const authentication = {
  none: () => client.None(),
  client_secret_basic: () => client.ClientSecretBasic(told.secret),
  client_secret_post: () => client.ClientSecretPost(told.secret),
  private_key_jwt: async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const key = await crypto.subtle.importKey('jwk', told.key, algorithm, false, ['sign'])
    return client.PrivateKeyJwt({ key, kid: told.key.kid })
  },
}

async function discovered(id = told.client_id, way = told.way, secret = told.secret) {
  const proof = way === told.way ? await authentication[way]() : client.ClientSecretBasic(secret)
  return client.discovery(new URL(told.issuer), id, undefined, proof, { execute: [client.allowInsecureRequests] })
}

async function asked(config, more = {}) {
  const verifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
  const parameters = {
    redirect_uri: told.redirect_uri, scope: told.scope, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  }
  return { checks, parameters }
}

async function machine() {
  const config = await discovered()
  const tokens = await client.clientCredentialsGrant(config, { scope: 'room:enter', resource: told.resource })
  return { tokens, claims: claimsOf(tokens.access_token) }
}

async function guest() {
  const config = await discovered()
  const { checks, parameters } = await asked(config, { max_age: '3600' })
  const back = sentBack(client.buildAuthorizationUrl(config, parameters))
  const tokens = await client.authorizationCodeGrant(config, back, { ...checks, maxAge: 3600, idTokenExpected: true })
  const identity = tokens.claims()
  const person = await client.fetchUserInfo(config, tokens.access_token, identity.sub)
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
  const hotel = await discovered('concierge', 'hotel', 'concierge-secret')
  const before = await client.tokenIntrospection(hotel, fresh.access_token)
  await client.tokenRevocation(config, fresh.refresh_token)
  const after = await client.tokenIntrospection(hotel, fresh.access_token)
  const afterwards = await client.refreshTokenGrant(config, fresh.refresh_token).catch((error) => error.error)
  return { identity, person, rotated: fresh.refresh_token !== tokens.refresh_token, before, after, afterwards }
}

async function farewell() {
  const config = await discovered()
  const { checks, parameters } = await asked(config)
  const back = sentBack(client.buildAuthorizationUrl(config, parameters))
  const tokens = await client.authorizationCodeGrant(config, back, checks)
  const end = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: told.after_logout, state: 'bye',
  })
  return { end: end.href }
}

async function pushed() {
  const config = await discovered()
  const { checks, parameters } = await asked(config)
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters)
  const tokens = await client.authorizationCodeGrant(config, sentBack(url), checks)
  return { sent: [...url.searchParams.keys()], identity: tokens.claims() }
}

async function bound() {
  const config = await discovered()
  const { checks, parameters } = await asked(config)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  parameters.dpop_jkt = await DPoP.calculateThumbprint()
  const back = sentBack(client.buildAuthorizationUrl(config, parameters))
  const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP })
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP })
  const stolen = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub).catch((error) => error.status)
  return { type: tokens.token_type, jkt: claimsOf(tokens.access_token).cnf.jkt === parameters.dpop_jkt, person, stolen }
}

async function denied() {
  const config = await discovered()
  const { checks, parameters } = await asked(config, { prompt: 'consent' })
  const back = sentBack(client.buildAuthorizationUrl(config, parameters), 'deny')
  return client.authorizationCodeGrant(config, back, checks)
}

await play({ machine, guest, farewell, pushed, bound, denied })
