import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MCP_PATH } from '../../src/app.ts'
import { PASSWORD, startTestApp, type TestApp } from '../harness.ts'
import { buildOffice, type Office } from '../topologies.ts'
import { type Row, trail } from './trail.ts'

let app: TestApp
let office: Office
beforeAll(async () => {
  app = await startTestApp({ TRUSTED_PROXIES: 'loopback' })
  office = await buildOffice(app)
})
afterAll(() => app[Symbol.asyncDispose]())

const send = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
  fetch(`${app.url}${path}`, { ...init, headers: { authorization: `Bearer ${app.adminToken}`, ...init.headers } })

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })

/** The line of the access log of one request; it is written when the answer has left. */
async function lineOf(id: string): Promise<Row> {
  for (let i = 0; i < 100; i++) {
    const lines: Row[] = app.logged.map((line) => JSON.parse(line))
    const found = lines.filter((line) => line.msg === 'request' && line.request_id === id)
    if (found.length > 0) {
      expect(found).toHaveLength(1)
      return found[0]!
    }
    await sleep(10)
  }
  throw new Error(`no line for ${id}`)
}

test('a well-formed request id is kept in the answer, the access log and the audit row', async () => {
  const answer = await post(
    '/api/v1/networks',
    { name: 'ids', cidr: '10.77.0.0/24' },
    { 'x-request-id': 'trace-1.A_b' },
  )
  expect(answer.headers.get('x-request-id')).toBe('trace-1.A_b')
  expect((await trail(app)).rows[0]).toMatchObject({ action: 'create_network', request_id: 'trace-1.A_b' })
  const { time: _time, level: _level, hostname: _host, pid: _pid, ms, bytes, ...line } = await lineOf('trace-1.A_b')
  expect(line).toEqual({
    request_id: 'trace-1.A_b',
    remote_ip: '127.0.0.1',
    method: 'POST',
    route: '/api/v1/networks',
    status: 201,
    principal_id: 'admin',
    msg: 'request',
  })
  expect([ms > 0, bytes > 200]).toEqual([true, true])
})

test.each(['', 'a b', 'x'.repeat(65), 'a,b', '<script>', 'a;b'])(
  'the request id "%s" is replaced by one of our own',
  async (given) => {
    const id = (await send('/api/v1/health', { headers: { 'x-request-id': given } })).headers.get('x-request-id')
    expect(id).toMatch(/^[0-9a-f]{16}$/)
  },
)

test('each answer has an id of its own, errors and unknown paths as well', async () => {
  const paths = ['/api/v1/networks', '/api/v1/networks/none', '/api/v1/nothing', '/nothing', '/livez', '/metrics']
  const ids = await Promise.all(paths.map(async (path) => (await send(path)).headers.get('x-request-id')))
  expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id ?? ''))).toBe(true)
  expect(new Set(ids).size).toBe(paths.length)
})

test('within an MCP session each message has the id of its own HTTP request', async () => {
  const mcp = { accept: 'application/json, text/event-stream' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const hello = await post(MCP_PATH, { jsonrpc: '2.0', id: 1, method: 'initialize', params }, mcp)
  await hello.text()
  const session = { 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '', ...mcp }
  for (const id of ['mcp-1', 'mcp-2']) {
    const call = { name: 'create_peer', arguments: { network_id: office.office, name: id } }
    const message = { jsonrpc: '2.0', id, method: 'tools/call', params: call }
    const answer = await post(MCP_PATH, message, { ...session, 'x-request-id': id })
    expect(answer.headers.get('x-request-id')).toBe(id)
    await answer.text()
    expect((await trail(app)).rows[0]).toMatchObject({ surface: 'mcp', action: 'create_peer', request_id: id })
    expect(await lineOf(id)).toMatchObject({ route: MCP_PATH, status: 200, principal_id: 'admin' })
  }
})

test('a trusted proxy tells the address of the client', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-request-id': 'proxied' }
  await post('/api/v1/networks', { name: 'proxied', cidr: '10.78.0.0/24' }, headers)
  expect((await trail(app)).rows[0]).toMatchObject({ remote_ip: '203.0.113.9' })
  await using other = await startTestApp()
  await fetch(`${other.url}/api/v1/networks`, {
    headers: { authorization: 'Bearer wirety_no', 'x-forwarded-for': '203.0.113.9' },
  })
  expect((await trail(other)).rows[0]).toMatchObject({ action: 'rejected', remote_ip: '127.0.0.1' })
})

test('the access log tells the pattern of the route and never what was sent', async () => {
  const canary = 'canary-0123456789'
  const requests: [id: string, route: string, path: string][] = [
    ['r1', '/api/v1/networks/:network_id', `/api/v1/networks/${canary}?token=${canary}`],
    ['r2', '(none)', `/api/v1/${canary}`],
    ['r3', '(none)', `/${canary}?${canary}`],
    ['r4', '/livez', `/livez?${canary}`],
    ['r5', '/api/v1/networks', `/api/v1/networks?filter=${canary}`],
  ]
  for (const [id, route, path] of requests) {
    await send(path, { headers: { 'x-request-id': id, cookie: `wirety_session=${canary}`, 'user-agent': canary } })
    expect((await lineOf(id)).route).toBe(route)
  }
  await post('/api/v1/auth/login', { username: canary, password: canary })
  await post('/api/v1/users', { email: 'c@example.com', name: 'c', password: canary })
  await fetch(`${app.url}/api/v1/networks`, {
    headers: { authorization: `Bearer ${canary}`, 'x-request-id': canary.repeat(9) },
  })
  const everything = app.logged.join('\n')
  const secrets = [canary, PASSWORD, app.adminToken, office.alice.token, 'ses_', 'enr_']
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([])
})

test('a client that leaves early and an open stream are marked as such', async () => {
  const abort = new AbortController()
  const headers = { accept: 'text/event-stream', 'x-request-id': 'stream-1' }
  await send(MCP_PATH, { headers, signal: abort.signal })
  abort.abort()
  expect(await lineOf('stream-1')).toMatchObject({ route: MCP_PATH, status: 200, is_stream: true, is_cut: true })
})
