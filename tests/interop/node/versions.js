// Loads the outside clients and prints the versions that were loaded, as JSON.
import { readFileSync } from 'node:fs'
import * as oauth4webapi from 'oauth4webapi'
import * as oidcClient from 'oidc-client-ts'
import * as openidClient from 'openid-client'

if (![oauth4webapi.discoveryRequest, oidcClient.UserManager, openidClient.discovery].every((one) => typeof one === 'function')) {
  throw new Error('the outside clients did not load')
}
const names = ['@modelcontextprotocol/conformance', 'oauth4webapi', 'oidc-client-ts', 'openid-client']
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, version(name)]))))
