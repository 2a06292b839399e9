// Loads the outside clients and prints the versions that were loaded, as JSON.
import { readFileSync } from 'node:fs'
import * as oauth4webapi from 'oauth4webapi'
import * as openidClient from 'openid-client'

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version

if (typeof oauth4webapi.discoveryRequest !== 'function' || typeof openidClient.discovery !== 'function') {
  throw new Error('the outside clients did not load')
}
console.log(JSON.stringify({ oauth4webapi: version('oauth4webapi'), 'openid-client': version('openid-client') }))
