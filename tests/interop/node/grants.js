// The grants without a redirect, by clients that nobody here wrote: `node grants.js STEP ISSUER CLIENT_ID SECRET [MORE...]`
// prints what the step gave as JSON; a refusal as {"error": ...}.
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const [step, issuer, id, secret, ...more] = process.argv.slice(2)
const http = { [oauth.allowInsecureRequests]: true }
const client = { client_id: id }
const proof = secret ? oauth.ClientSecretBasic(secret) : oauth.None()

async function metadata() {
  const url = new URL(issuer)
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, http))
}

async function configuration() {
  return openid.discovery(new URL(issuer), id, undefined, secret ? openid.ClientSecretPost(secret) : openid.None(), {
    execute: [openid.allowInsecureRequests],
  })
}

const steps = {
  async device(scope) {
    const as = await metadata()
    const answer = await oauth.deviceAuthorizationRequest(as, client, proof, new URLSearchParams({ scope }), http)
    return oauth.processDeviceAuthorizationResponse(as, client, answer)
  },
  async redeemDevice(deviceCode) {
    const as = await metadata()
    return oauth.processDeviceCodeResponse(as, client, await oauth.deviceCodeGrantRequest(as, client, proof, deviceCode, http))
  },
  async exchange(token, scope) {
    return openid.genericGrantRequest(await configuration(), 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope,
    })
  },
  async ask(loginHint, message) {
    const sought = { scope: 'openid room:enter', login_hint: loginHint, binding_message: message }
    return openid.initiateBackchannelAuthentication(await configuration(), sought)
  },
  async redeemAsked(authReqId) {
    const as = await metadata()
    const answer = await oauth.backchannelAuthenticationGrantRequest(as, client, proof, authReqId, http)
    return oauth.processBackchannelAuthenticationGrantResponse(as, client, answer)
  },
}

try {
  console.log(JSON.stringify(await steps[step](...more)))
} catch (problem) {
  if (!problem.error) throw problem
  console.log(JSON.stringify({ error: problem.error }))
}
