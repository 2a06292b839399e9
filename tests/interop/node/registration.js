// Clients that register themselves with openid-client and oauth4webapi: `node registration.js LIBRARY ISSUER METADATA`
// prints what the library made of the answer as JSON; a refusal as {"error": ...}.
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const [library, issuer, said] = process.argv.slice(2)
const url = new URL(issuer)
const metadata = JSON.parse(said)
const http = { [oauth.allowInsecureRequests]: true }

const libraries = {
  async 'openid-client'() {
    const proof = metadata.token_endpoint_auth_method === 'none' ? openid.None() : undefined
    const how = { execute: [openid.allowInsecureRequests] }
    return (await openid.dynamicClientRegistration(url, metadata, proof, how)).clientMetadata()
  },
  async oauth4webapi() {
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, http))
    return oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, metadata, http))
  },
}

try {
  console.log(JSON.stringify(await libraries[library]()))
} catch (error) {
  console.log(JSON.stringify({ error: error.error ?? String(error), status: error.status }))
}
