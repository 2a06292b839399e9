// npm oauth4webapi with requests signed (JAR), pushed (PAR) and bound to a key (DPoP), against a house.
import * as oauth from 'oauth4webapi'
import { claimsOf, play, sentBack, told } from './person.js'

const open = { [oauth.allowInsecureRequests]: true }
const client = { client_id: told.client_id }
const issuer = new URL(told.issuer)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, open))
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const key = { key: await crypto.subtle.importKey('jwk', told.key, algorithm, false, ['sign']), kid: told.key.kid }
const proof = oauth.PrivateKeyJwt(key)
const verifier = oauth.generateRandomCodeVerifier()

const asked = async () => new URLSearchParams({
  client_id: told.client_id, redirect_uri: told.redirect_uri, response_type: 'code', scope: told.scope, state: 'inside', nonce: 'n-1',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
})

const sealed = async () => new URLSearchParams({
  client_id: told.client_id, request: await oauth.issueRequestObject(as, client, await asked(), key),
})

function at(parameters) {
  const url = new URL(as.authorization_endpoint)
  url.search = parameters
  return url
}

async function redeemed(url, options = open) {
  const parameters = oauth.validateAuthResponse(as, client, sentBack(url), 'inside')
  const answer = await oauth.authorizationCodeGrantRequest(as, client, proof, parameters, told.redirect_uri, verifier, options)
  return oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: 'n-1', requireIdToken: true })
}

async function signed() {
  const tokens = await redeemed(at(new URLSearchParams({ ...Object.fromEntries(await sealed()), response_type: 'code', scope: 'openid' })))
  return { sub: oauth.getValidatedIdTokenClaims(tokens).sub }
}

async function pushed(parameters) {
  const options = { ...open, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
  const answer = await oauth.pushedAuthorizationRequest(as, client, proof, parameters, options)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, answer)
  const tokens = await redeemed(at(new URLSearchParams({ client_id: told.client_id, request_uri })), options)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const info = await oauth.userInfoRequest(as, client, tokens.access_token, options)
  const person = await oauth.processUserInfoResponse(as, client, sub, info)
  const bare = await fetch(as.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  return { type: tokens.token_type, bound: Boolean(claimsOf(tokens.access_token).cnf.jkt), sub: person.sub, stolen: bare.status }
}

// FAPI 2.0 with message signing: pushed, signed, bound, and answered in a JWT.
async function fapi() {
  const options = { ...open, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
  const answer = await oauth.pushedAuthorizationRequest(as, client, proof, await sealed(), options)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, answer)
  const back = sentBack(at(new URLSearchParams({ client_id: told.client_id, request_uri })))
  const parameters = await oauth.validateJwtAuthResponse(as, client, back, 'inside', open)
  const redeeming = await oauth.authorizationCodeGrantRequest(as, client, proof, parameters, told.redirect_uri, verifier, options)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, redeeming, { expectedNonce: 'n-1', requireIdToken: true })
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const info = await oauth.userInfoRequest(as, client, tokens.access_token, options)
  const person = await oauth.processUserInfoResponse(as, client, sub, info)
  const refreshing = await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token, options)
  const fresh = await oauth.processRefreshTokenResponse(as, client, refreshing)
  return { answered: [...back.searchParams.keys()], sub: person.sub, type: fresh.token_type, rotated: 'refresh_token' in fresh }
}

await play({ signed, fapi, pushed: async () => pushed(await asked()), pushedAndSigned: async () => pushed(await sealed()) })
