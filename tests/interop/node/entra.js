// Microsoft's libraries for Node against the Entra twin, with their own local settings and nothing else.
import { execFileSync } from 'node:child_process'
import { ClientSecretCredential } from '@azure/identity'
import { ConfidentialClientApplication, PublicClientApplication } from '@azure/msal-node'
import passportAzureAd from 'passport-azure-ad'
import { claimsOf, play, told } from './person.js'

const { authority, host, tenant, concierge, secret, app, api, scope, room, folder, port } = told

function sentBack(url) {
  const [python, root] = process.argv.slice(4)
  const out = execFileSync(python, ['-m', 'tests.twins.entra.person', folder, String(port), url], { cwd: root, encoding: 'utf8' })
  return new URL(out.trim())
}

const settings = (clientId, more = {}) => ({ auth: { clientId, authority, knownAuthorities: [host], ...more } })
const confidential = () => new ConfidentialClientApplication(settings(concierge, { clientSecret: secret }))

async function signedIn(client, redirectUri, scopes) {
  const url = await client.getAuthCodeUrl({ scopes, redirectUri, responseMode: 'query' })
  return client.acquireTokenByCode({ scopes, redirectUri, code: sentBack(url).searchParams.get('code') })
}

await play({
  async credentials() {
    const found = await confidential().acquireTokenByClientCredential({ scopes: [scope] })
    return claimsOf(found.accessToken)
  },

  async refused() {
    const client = new ConfidentialClientApplication(settings(concierge, { clientSecret: 'wrong' }))
    return client.acquireTokenByClientCredential({ scopes: [scope] })
  },

  async code() {
    const client = new PublicClientApplication(settings(app))
    const found = await signedIn(client, 'http://localhost:5000/callback', [room])
    const silent = await client.acquireTokenSilent({ account: found.account, scopes: [room], forceRefresh: true })
    return { access: claimsOf(found.accessToken), id: found.idTokenClaims, account: found.account.homeAccountId, silent: silent.fromCache }
  },

  async device() {
    const client = new PublicClientApplication(settings(app))
    const found = await client.acquireTokenByDeviceCode({
      scopes: [room],
      deviceCodeCallback: ({ verificationUri, userCode }) => sentBack(`${verificationUri}?user_code=${userCode}`),
    })
    return claimsOf(found.accessToken)
  },

  async behalf() {
    await signedIn(confidential(), 'http://127.0.0.1:8765/callback', [room])
    const incoming = await signedIn(new PublicClientApplication(settings(app)), 'http://localhost:5000/callback', [`api://${concierge}/user_impersonation`])
    const found = await confidential().acquireTokenOnBehalfOf({ oboAssertion: incoming.accessToken, scopes: [room] })
    return { incoming: claimsOf(incoming.accessToken), outgoing: claimsOf(found.accessToken) }
  },

  async identity() {
    const credential = new ClientSecretCredential(tenant, concierge, secret, { authorityHost: `https://${host}`, disableInstanceDiscovery: true })
    return claimsOf((await credential.getToken(scope)).token)
  },

  // The strategy for APIs; its successor is to verify tokens by hand.
  async passport() {
    const found = await confidential().acquireTokenByClientCredential({ scopes: [scope] })
    const strategy = new passportAzureAd.BearerStrategy(
      { identityMetadata: `${authority}/v2.0/.well-known/openid-configuration`, clientID: api, audience: api, loggingNoPII: true },
      (token, done) => done(null, { id: token.sub }, token),
    )
    const answer = (text) =>
      new Promise((resolve) => {
        strategy.success = (user, info) => resolve({ roles: info.roles })
        strategy.fail = (challenge) => resolve({ refused: String(challenge) })
        strategy.error = (error) => resolve({ error: String(error) })
        strategy.authenticate({ headers: { authorization: `Bearer ${text}` }, query: {}, body: {} }, {})
      })
    return { good: await answer(found.accessToken), changed: await answer(found.accessToken.slice(0, -8) + 'AAAAAAAA') }
  },
})
