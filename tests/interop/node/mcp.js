// The official TypeScript SDK at the hotel's tools: `node mcp.js CASE '{"server": URL}' PYTHON ROOT` prints what it saw as JSON.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import { play, sentBack, told } from './person.js'

// A program of one person's: registers itself, keeps everything in memory, notes where it sent its person.
class Guest {
  redirectUrl = 'http://127.0.0.1:33418/callback'
  clientMetadata = { client_name: 'An agent', redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none' }
  asked = []
  clientInformation() { return this.client }
  saveClientInformation(client) { this.client = client }
  tokens() { return this.held }
  saveTokens(tokens) { this.held = tokens }
  codeVerifier() { return this.verifier }
  saveCodeVerifier(verifier) { this.verifier = verifier }
  redirectToAuthorization(url) {
    this.asked.push(url.searchParams.get('scope'))
    this.back = sentBack(url)
  }
}

// Call a tool; where that leads a person to the issuer's pages, finish there and call again.
async function called(guest, name, args = {}) {
  for (let tries = 0; tries < 3; tries++) {
    const transport = new StreamableHTTPClientTransport(new URL(told.server), { authProvider: guest })
    const client = new Client({ name: 'interop', version: '0' })
    try {
      await client.connect(transport)
      const result = await client.callTool({ name, arguments: args })
      return result.content[0].text
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !guest.back) throw error
      await transport.finishAuth(guest.back.searchParams)
      guest.back = undefined
    } finally {
      await client.close()
    }
  }
  throw new Error(`three sign-ins, and ${name} still says no`)
}

await play({
  async steps() {
    const guest = new Guest()
    const said = []
    for (const name of ['whoami', 'open_lounge', 'whoami']) said.push(await called(guest, name))
    return { said, asked: guest.asked, scope: guest.held.scope }
  },
})
