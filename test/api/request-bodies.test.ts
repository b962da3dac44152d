import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { expectCivil, expectRefusal } from './civility.ts'
import { fill, type Ids, newObjects } from './endpoints.ts'
import { JSON_TYPE, type RawAnswer, type RawRequest, sendAsAdmin } from './raw.ts'

let app: TestApp
let ids: Ids

beforeAll(async () => {
  app = await startTestApp()
  ids = await newObjects(app)
})

afterAll(() => app[Symbol.asyncDispose]())

const asAdmin = (request: RawRequest) => sendAsAdmin(app, { ...request, path: fill(request.path, ids) })

/** A request of the administrator with this text as JSON. */
function sendText(path: string, body: string, method = 'POST'): Promise<RawAnswer> {
  return asAdmin({ method, path, headers: JSON_TYPE, body })
}

test.each([
  '{',
  '{"name":',
  '{"name":"x"',
  "{'name':'x'}",
  '{"name":"x",}',
  '{"name":"x"}}',
  'name=x',
  'null',
  'true',
  '7',
  '"text"',
  '[]',
  '[{"name":"x"}]',
  'NaN',
  '\u0000',
  '\ufeff',
  '{"name":"\ud800"}x',
  '{"a":1e400',
])('the body %j is refused as malformed', async (body) => {
  for (const path of ['/networks', '/users', '/users/me/tokens', '/networks/:network/peers']) {
    expectRefusal(await sendText(path, body), 400, 'invalid')
  }
  expectRefusal(await sendText('/networks/:network/acl', body, 'PUT'), 400, 'invalid')
  expectRefusal(await sendText('/auth/login', body), 400, 'invalid')
})

test('a missing body is refused like one without its fields', async () => {
  for (const path of ['/networks', '/users', '/users/me/tokens', '/networks/:network/peers', '/auth/login']) {
    expectRefusal(await asAdmin({ method: 'POST', path }), 400, 'invalid')
    expectRefusal(await asAdmin({ method: 'POST', path, headers: JSON_TYPE, body: '' }), 400, 'invalid')
  }
})

test('a field that nobody knows is ignored', async () => {
  const body = { name: 'tolerant', color: 'red', id: 'mine', __proto__: { use_agent: true }, constructor: {} }
  const answer = await sendText('/networks/:network/peers', JSON.stringify(body))
  expect(answer.status).toBe(201)
  expect(answer.body).toMatchObject({ name: 'tolerant', use_agent: false })
  expect(answer.body.id).not.toBe('mine')
})

test('a body cannot reach the prototype of objects nor stand in for the path', async () => {
  const text = '{"name":"proto","__proto__":{"is_jump":true},"network_id":"other","peer_id":"other"}'
  const answer = await sendText('/networks/:network/peers', text)
  expect(answer).toMatchObject({ status: 201, body: { name: 'proto', is_jump: false } })
  const acl = '{"enabled":true,"blocked_peers":{"__proto__":true}}'
  expectCivil(await sendText('/networks/:network/acl', acl, 'PUT'), acl)
  for (const peer of ['constructor', 'toString', 'hasOwnProperty']) {
    const body = `{"enabled":true,"blocked_peers":{"${peer}":true}}`
    expectRefusal(await sendText('/networks/:network/acl', body, 'PUT'), 400, 'invalid')
  }
})

test.each(['[', '{"a":'])('a body with 150 000 levels of %s is refused', async (opening) => {
  const depth = 150_000
  const deep = `${opening.repeat(depth)}1${(opening === '[' ? ']' : '}').repeat(depth)}`
  const net = '/networks/:network'
  for (const [path, field, method] of [
    ['/networks', 'name', 'POST'],
    ['/networks', 'dns', 'POST'],
    ['/users', 'email', 'POST'],
    ['/users/me/tokens', 'name', 'POST'],
    [`${net}/peers`, 'name', 'POST'],
    [`${net}/peers/:peer`, 'additional_allowed_ips', 'PUT'],
    [`${net}/acl`, 'rules', 'PUT'],
    [`${net}/acl`, 'blocked_peers', 'PUT'],
    ['/users/defaults', 'default_authorized_networks', 'PUT'],
    ['/auth/login', 'username', 'POST'],
  ] as const) {
    const answer = await sendText(path, `{"${field}":${deep}}`, method)
    expectRefusal(answer, 400, 'invalid')
  }
})

test('the refusal of a body in which much is wrong stays short', async () => {
  const names = Array.from({ length: 20_000 }, (_, index) => [`peer-${index}`, 'yes'] as const)
  for (const [path, method, body] of [
    ['/networks/:network/acl', 'PUT', { enabled: true, rules: Array(10_000).fill({}) }],
    ['/networks/:network/acl', 'PUT', { enabled: true, blocked_peers: Object.fromEntries(names) }],
    ['/users', 'POST', { email: 'x', name: 'x', authorized_networks: Array(10_000).fill(7) }],
    ['/users', 'POST', { email: 'x@example.com', name: 'x', authorized_networks: ['y'.repeat(255)] }],
    ['/networks', 'POST', { name: 'x'.repeat(500_000), cidr: '9'.repeat(500_000) }],
  ] as const) {
    const answer = await sendText(path, JSON.stringify(body), method)
    expectRefusal(answer, 400, 'invalid')
    expect(answer.text.length).toBeLessThan(4096)
  }
})

test('a body of more than 1 MiB is refused, announced or not, and one of 1 MiB is read', async () => {
  const text = (bytes: number) => `{"name":"${'x'.repeat(bytes - 11)}"}`
  const paths = ['/networks', '/auth/login', '/auth/logout', '/networks/:network/peers']
  for (const path of paths) {
    const request = { method: 'POST', path, headers: JSON_TYPE }
    expectRefusal(await asAdmin({ ...request, body: text(1024 * 1024 + 1) }), 413, 'too_large')
    expectRefusal(await asAdmin({ ...request, body: text(3 * 1024 * 1024), chunked: true }), 413, 'too_large')
  }
  expectRefusal(await sendText('/networks', text(1024 * 1024)), 400, 'invalid')
  expect(await asAdmin({ path: '/health' })).toMatchObject({ status: 200 })
})

test('a compressed body counts by its size when unpacked', async () => {
  const packed = gzipSync(`{"name":"${'x'.repeat(50 * 1024 * 1024)}"}`)
  expect(packed.length).toBeLessThan(100_000)
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  expectRefusal(await asAdmin({ method: 'POST', path: '/networks', headers, body: packed }), 413, 'too_large')
  const broken = Buffer.from('this is not gzip')
  expectRefusal(await asAdmin({ method: 'POST', path: '/networks', headers, body: broken }), 400, 'invalid')
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/merge-patch+json',
  'nonsense',
  '',
])('a body of the type "%s" is refused', async (type) => {
  const body = '{"name":"typed"}'
  const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
  for (const path of ['/networks/:network/peers', '/auth/login', '/nothing']) {
    const answer = await asAdmin({ method: 'POST', path, headers, body })
    expectRefusal(answer, 415, 'unsupported_media_type')
  }
  const unannounced = await asAdmin({ method: 'POST', path: '/networks', headers, body, chunked: true })
  expectRefusal(unannounced, 415, 'unsupported_media_type')
})

test('JSON in another character set or encoding is refused', async () => {
  const path = '/networks/:network/peers'
  const body = '{"name":"typed"}'
  for (const headers of [
    { 'content-type': 'application/json; charset=latin1' },
    { ...JSON_TYPE, 'content-encoding': 'zstandard' },
  ]) {
    const answer = await asAdmin({ method: 'POST', path, headers, body })
    expectRefusal(answer, 415, 'unsupported_media_type')
  }
  const good = { 'content-type': 'application/json; charset=UTF-8' }
  expect(await asAdmin({ method: 'POST', path, headers: good, body })).toMatchObject({ status: 201 })
})

test('after all this nothing was logged as our own fault', async () => {
  const faults = app.logged.filter((line) => JSON.parse(line).level >= 50)
  expect(faults).toEqual([])
})
