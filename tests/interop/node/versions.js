// Loads outside clients that are no programs of their own, and prints the versions of all that are installed, as JSON.
import { readFileSync } from 'node:fs'
import * as oauth4webapi from 'oauth4webapi'
import * as oidcClient from 'oidc-client-ts'
import * as openidClient from 'openid-client'

if (![oauth4webapi.discoveryRequest, oidcClient.UserManager, openidClient.discovery].every((one) => typeof one === 'function')) {
  throw new Error('the outside clients did not load')
}
const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
const names = Object.keys(read('package.json').dependencies)
const versions = names.map((name) => [name, read(`node_modules/${name}/package.json`).version])
console.log(JSON.stringify(Object.fromEntries(versions)))
