// npm oauth4webapi, used as its examples show, against a house.
import * as oauth from 'oauth4webapi'
import { play, sentBack, told } from './person.js'

const open = { [oauth.allowInsecureRequests]: true }
const client = { client_id: told.client_id }

const authentication = {
  none: () => oauth.None(),
  client_secret_basic: () => oauth.ClientSecretBasic(told.secret),
  client_secret_post: () => oauth.ClientSecretPost(told.secret),
  private_key_jwt: async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const key = await crypto.subtle.importKey('jwk', told.key, algorithm, false, ['sign'])
    return oauth.PrivateKeyJwt({ key, kid: told.key.kid })
  },
}

async function discovered(algorithm) {
  const issuer = new URL(told.issuer)
  const answer = await oauth.discoveryRequest(issuer, { algorithm, ...open })
  return oauth.processDiscoveryResponse(issuer, answer)
}

// The access token as an API of the house would judge it, by RFC 9068 and the house's published keys.
async function judged(as, token) {
  const request = new Request(told.resource, { headers: { authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(as, request, told.resource, open)
}

async function machine() {
  const as = await discovered('oauth2')
  const parameters = { scope: 'room:enter', resource: told.resource }
  const proof = await authentication[told.way]()
  const answer = await oauth.clientCredentialsGrantRequest(as, client, proof, parameters, open)
  const tokens = await oauth.processClientCredentialsResponse(as, client, answer)
  return { tokens, claims: await judged(as, tokens.access_token) }
}

async function guest() {
  const as = await discovered('oidc')
  const proof = await authentication[told.way]()
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: told.client_id, redirect_uri: told.redirect_uri, response_type: 'code', scope: told.scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const parameters = oauth.validateAuthResponse(as, client, sentBack(url), state)
  const answer = await oauth.authorizationCodeGrantRequest(as, client, proof, parameters, told.redirect_uri, verifier, open)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, answer, open)
  const identity = oauth.getValidatedIdTokenClaims(tokens)
  const info = await oauth.userInfoRequest(as, client, tokens.access_token, open)
  const person = await oauth.processUserInfoResponse(as, client, identity.sub, info)
  const again = await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token, open)
  const fresh = await oauth.processRefreshTokenResponse(as, client, again)
  const claims = await judged(as, fresh.access_token)
  const gone = await oauth.revocationRequest(as, client, proof, fresh.refresh_token, open)
  await oauth.processRevocationResponse(gone)
  const late = await oauth.refreshTokenGrantRequest(as, client, proof, fresh.refresh_token, open)
  const afterwards = await oauth.processRefreshTokenResponse(as, client, late).catch((error) => error.error)
  return { identity, person, claims, rotated: fresh.refresh_token !== tokens.refresh_token, afterwards }
}

async function introspected() {
  const as = await discovered('oauth2')
  const proof = await authentication[told.way]()
  const answer = await oauth.clientCredentialsGrantRequest(as, client, proof, { scope: 'room:enter' }, open)
  const tokens = await oauth.processClientCredentialsResponse(as, client, answer)
  const asked = async () => {
    const told = await oauth.introspectionRequest(as, client, proof, tokens.access_token, open)
    return oauth.processIntrospectionResponse(as, client, told)
  }
  const before = await asked()
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, tokens.access_token, open))
  return { before, after: await asked() }
}

await play({ machine, guest, introspected })
