// A person at a browser: answers the pages behind an authorization URL, and says where they led.
import { execFileSync } from 'node:child_process'

export const told = JSON.parse(process.argv[3])

export function sentBack(url, decision = 'allow') {
  const [python, root] = process.argv.slice(4)
  const out = execFileSync(python, ['-m', 'tests.interop.visitor', url.href, decision], { cwd: root, encoding: 'utf8' })
  return new URL(out.trim())
}

// Runs the case named in the first argument, and prints what it saw as JSON: a result, or how the library failed.
export async function play(cases) {
  try {
    console.log(JSON.stringify(await cases[process.argv[2]]()))
  } catch (error) {
    const { name, code, status, message } = error
    const told = error.error ?? (await error.response?.json())?.error
    console.log(JSON.stringify({ failed: { name, code, error: told, status, message } }))
  }
}

export const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString())
