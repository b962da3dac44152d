import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { operations } from '../../src/api/operations/index.ts'
import { routeOf } from '../../src/api/rest.ts'
import { MCP_PATH } from '../../src/app.ts'
import { startTestApp, type TestApp } from '../harness.ts'
import { buildOffice } from '../topologies.ts'

async function metrics(app: TestApp, token: string | undefined = app.adminToken): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(`${app.url}/metrics`, { headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return response.text()
}

/** The value of one series. */
async function value(app: TestApp, series: string): Promise<number | undefined> {
  const line = (await metrics(app)).split('\n').find((found) => found.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length))
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100 && !(await isTrue()); i++) await sleep(10)
  expect(await isTrue()).toBe(true)
}

test('requests are counted by method, pattern of the route and status, with their duration', async () => {
  await using app = await startTestApp()
  const rest = app.as(app.adminToken)
  await rest.get('/networks/none')
  await rest.get('/networks/nobody')
  await rest.get('/no/such/path')
  const labels = 'method="GET",route="/api/v1/networks/:network_id"'
  await until(async () => (await value(app, `wirety_http_requests_total{${labels},status="404"}`)) === 2)
  expect(await value(app, `wirety_http_request_duration_seconds_count{${labels}}`)).toBe(2)
  expect(await value(app, 'wirety_http_requests_total{method="GET",route="(none)",status="404"}')).toBe(1)
})

test('tool calls are counted by tool and outcome', async () => {
  await using app = await startTestApp()
  await using mcp = await app.mcp(app.adminToken)
  await mcp.call('list_networks')
  await mcp.call('list_networks')
  await mcp.refusal('get_network', { network_id: 'nothing' })
  await expect(mcp.call('no_such_tool')).rejects.toThrow()
  expect(await value(app, 'wirety_tool_calls_total{tool="list_networks",outcome="ok"}')).toBe(2)
  expect(await value(app, 'wirety_tool_calls_total{tool="get_network",outcome="not_found"}')).toBe(1)
  expect(await metrics(app)).not.toContain('no_such_tool')
})

test('sessions, streams and sockets are counted while they are open, by generation', async () => {
  await using app = await startTestApp()
  const open = async (generation: string) => [
    await value(app, `wirety_mcp_sessions{generation="${generation}"}`),
    await value(app, `wirety_mcp_streams{generation="${generation}"}`),
  ]
  expect(await open('2025')).toEqual([0, 0])
  const stack = new AsyncDisposableStack()
  stack.use(await app.mcp(app.adminToken, 'sse'))
  stack.use(await app.mcp(app.adminToken, 'streamable'))
  await until(async () => String(await open('2025')) === '1,1')
  expect(await open('2024-11-05')).toEqual([1, 1])
  expect(await open('2026-07-28')).toEqual([0, 0])
  expect(await value(app, 'wirety_connections')).toBeGreaterThan(1)
  await stack.disposeAsync()
  await until(async () => String(await open('2024-11-05')) === '0,0')
})

test('the database, the process and the version are there', async () => {
  await using app = await startTestApp()
  const before = (await value(app, 'wirety_database_statements_total')) ?? 0
  await app.as(app.adminToken).get('/networks')
  expect(await value(app, 'wirety_database_statements_total')).toBeGreaterThan(before)
  expect(await value(app, 'wirety_database_wait_seconds_count')).toBeGreaterThan(10)
  expect(await value(app, 'process_resident_memory_bytes')).toBeGreaterThan(1e7)
  expect(await metrics(app)).toMatch(/^wirety_build_info\{version="\d+\.\d+\.\d+"\} 1$/m)
})

test('labels come from closed sets, whatever is sent', async () => {
  await using app = await startTestApp()
  const office = await buildOffice(app)
  const canary = 'canary-xyz'
  const rest = app.as(app.adminToken)
  for (const path of [`/${canary}`, `/networks/${canary}`, `/networks/${office.office}/peers?filter=${canary}`]) {
    await rest.get(path)
  }
  await fetch(`${app.url}/${canary}`, { method: 'PROPFIND' })
  const text = await metrics(app)
  const ids = [canary, office.office, office.laptop, office.alice.id, 'alice', 'admin@']
  expect(ids.filter((id) => text.includes(id))).toEqual([])
  const patterns = operations.map((operation) => `/api/v1${routeOf(operation).path}`)
  const rooted = ['(none)', '/metrics', MCP_PATH, '/api/v1/auth/login', '/api/v1/auth/logout']
  const routes = [...text.matchAll(/route="([^"]*)"/g)].map((match) => match[1])
  expect(new Set(routes).difference(new Set([...patterns, ...rooted]))).toEqual(new Set())
  expect(text).toContain('method="other"')
})

test('only administrators read them, unless they are public', async () => {
  await using app = await startTestApp()
  const { token } = await app.addUser('bob')
  const status = async (headers: Record<string, string>) => (await fetch(`${app.url}/metrics`, { headers })).status
  expect(await status({})).toBe(401)
  expect(await status({ authorization: 'Bearer wirety_no' })).toBe(401)
  expect(await status({ authorization: `Bearer ${token}` })).toBe(403)
  await using open = await startTestApp({ METRICS: 'public' })
  const response = await fetch(`${open.url}/metrics`)
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('wirety_connections')
})
