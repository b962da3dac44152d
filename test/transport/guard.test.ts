import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGuard } from '../../src/transport/guard.ts'

const guard = createGuard({
  allowedHosts: ['Mcp.Example'],
  allowedOrigins: ['https://app.example/', 'moz-extension://5f0e'],
})

function refusal(headers: IncomingHttpHeaders): string | undefined {
  try {
    guard.checkHost(headers)
    guard.checkOrigin(headers)
    return undefined
  } catch (error) {
    return String(error)
  }
}

test.each([
  'localhost',
  'localhost:8080',
  'wirety.localhost',
  '127.0.0.1:3000',
  '192.0.2.7',
  '[::1]:3000',
  '[2001:db8::1]',
  'mcp.example',
  'MCP.example:8443',
  'mcp.example.',
])('host %s is allowed', (host) => {
  expect(refusal({ host })).toBeUndefined()
})

test.each([
  'evil.example',
  'localhost.evil.example',
  'mcp.example.evil',
  'notlocalhost',
  '',
  'a b',
  'user@localhost',
  '127.0.0.1.evil.example',
])('host %j is refused', (host) => {
  expect(refusal({ host })).toBe(`AppError: Host ${JSON.stringify(host)} is not allowed: add it to ALLOWED_HOSTS`)
})

test.each([
  ['http://localhost:8080', 'localhost:8080'],
  ['https://localhost', 'localhost:443'],
  ['https://mcp.example', 'mcp.example'],
  ['https://app.example', 'localhost'],
  ['https://APP.example:443', 'localhost'],
  ['moz-extension://5f0e', 'localhost'],
])('origin %s is allowed at %s', (origin, host) => {
  expect(refusal({ host, origin })).toBeUndefined()
})

test.each([
  ['null', 'localhost'],
  ['http://localhost:8081', 'localhost:8080'],
  ['http://app.example', 'localhost'],
  ['https://app.example.evil', 'localhost'],
  ['moz-extension://other', 'localhost'],
  ['ftp://localhost', 'localhost'],
  ['file:///etc/passwd', 'localhost'],
  ['', 'localhost'],
])('origin %j is refused at %s', (origin, host) => {
  expect(refusal({ host, origin })).toBe(
    `AppError: Origin ${JSON.stringify(origin)} is not allowed: add it to ALLOWED_ORIGINS`,
  )
})

test('a refusal quotes at most 200 characters and nothing invisible', () => {
  const origin = `http://evil\u0085\u009b31m${'a'.repeat(500)}`
  const text = refusal({ host: 'localhost', origin })
  expect(text).toContain(`"http://evil\\u{85}\\u{9b}31m`)
  expect(text?.length).toBeLessThan(300)
})

test('no host name but those of the lists is allowed', () => {
  const name = fc.domain().filter((domain) => !/(^|\.)localhost$|^mcp\.example$/i.test(domain))
  fc.assert(fc.property(name, (host) => refusal({ host })?.includes('ALLOWED_HOSTS') === true))
})

test('a credential that the browser adds by itself needs a request from this site', () => {
  const check = (headers: IncomingHttpHeaders) => () => guard.checkCredential(headers)
  expect(check({ authorization: 'Bearer x' })).not.toThrow()
  expect(check({ cookie: 'a=b', origin: 'https://app.example' })).not.toThrow()
  expect(check({ cookie: 'a=b', 'sec-fetch-site': 'same-origin' })).not.toThrow()
  expect(check({ cookie: 'a=b', 'sec-fetch-site': 'cross-site' })).toThrow(/not "cross-site"/)
  expect(check({ cookie: 'a=b', 'sec-fetch-site': 'same-site' })).toThrow(/not "same-site"/)
  expect(check({ cookie: 'a=b' })).toThrow(/not none at all/)
})
