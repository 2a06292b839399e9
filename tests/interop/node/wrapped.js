// npm openid-client and jose: answers in signed and encrypted JWTs, and a request encrypted to the issuer.
import * as client from 'openid-client'
import { CompactEncrypt, importJWK } from 'jose'
import { play, sentBack, told } from './person.js'

const ENC = 'A256GCM'

async function discovered() {
  const metadata = {
    client_secret: told.secret,
    id_token_signed_response_alg: 'PS256', id_token_encrypted_response_alg: 'RSA-OAEP-256',
    userinfo_signed_response_alg: 'ES256', userinfo_encrypted_response_alg: 'ECDH-ES+A256KW',
    authorization_signed_response_alg: 'ES384', authorization_encrypted_response_alg: 'ECDH-ES+A256KW',
    introspection_signed_response_alg: 'RS256',
  }
  const execute = [client.allowInsecureRequests, client.useJwtResponseMode, client.enableNonRepudiationChecks]
  const proof = client.ClientSecretBasic(told.secret)
  const config = await client.discovery(new URL(told.issuer), told.client_id, metadata, proof, { execute })
  const keys = await Promise.all(told.decrypting.map(async ({ alg, kid, ...jwk }) => ({ alg, kid, key: await importJWK(jwk, alg) })))
  client.enableDecryptingResponses(config, [ENC], ...keys)
  return config
}

async function asked(config) {
  const verifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
  const parameters = {
    redirect_uri: told.redirect_uri, scope: told.scope, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }
  return { checks, parameters }
}

// The guest signs in; whatever comes back is a JWT, and every signature and key is the library's to check.
async function signedIn(config, url, checks) {
  const back = sentBack(url)
  const tokens = await client.authorizationCodeGrant(config, back, checks)
  const identity = tokens.claims()
  const person = await client.fetchUserInfo(config, tokens.access_token, identity.sub)
  const looked = await client.tokenIntrospection(config, tokens.access_token)
  return { back: [...back.searchParams.keys()], identity, person, looked, parts: tokens.id_token.split('.').length }
}

async function answers() {
  const config = await discovered()
  const { checks, parameters } = await asked(config)
  return signedIn(config, client.buildAuthorizationUrl(config, parameters), checks)
}

async function request() {
  const config = await discovered()
  const { checks, parameters } = await asked(config)
  const key = { key: await importJWK(told.key, 'ES256'), kid: told.key.kid }
  const url = await client.buildAuthorizationUrlWithJAR(config, parameters, key)
  const published = await (await fetch(config.serverMetadata().jwks_uri)).json()
  const to = published.keys.find((one) => one.use === 'enc')
  const alg = config.serverMetadata().request_object_encryption_alg_values_supported[0]
  const packed = new TextEncoder().encode(url.searchParams.get('request'))
  const header = { alg, enc: ENC, cty: 'oauth-authz-req+jwt', kid: to.kid }
  const sealed = await new CompactEncrypt(packed).setProtectedHeader(header).encrypt(await importJWK(to, alg))
  url.searchParams.set('request', sealed)
  return signedIn(config, url, checks)
}

await play({ answers, request })
