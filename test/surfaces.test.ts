import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Operation } from '../src/api/operation.ts'
import { operations } from '../src/api/operations/index.ts'
import { MCP_PATH } from '../src/app.ts'
import { asObject, tools } from '../src/tools/catalog.ts'
import { countedRandom, fixedClock } from './deterministic.ts'
import { type Mcp, type Rest, startTestApp, type TestApp } from './harness.ts'
import { buildOffice, type Office } from './topologies.ts'

type Input = Record<string, unknown>

/** One call of every operation, in an order in which each finds what it needs. */
const CALLS: [name: string, input: (office: Office) => Input][] = [
  ['get_health', () => ({})],
  ['get_auth_config', () => ({})],
  ['get_current_user', () => ({})],
  ['list_networks', () => ({ filter: 'o', page_size: 5 })],
  ['get_network', ({ office }) => ({ network_id: office })],
  ['get_network', ({ lab }) => ({ network_id: lab })],
  ['list_peers', ({ office }) => ({ network_id: office, page: 1 })],
  ['get_peer', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['get_peer', ({ office, db }) => ({ network_id: office, peer_id: db })],
  ['get_peer_config', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['get_peer_session', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['compute_reachability', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['compute_reachability', ({ office, hub }) => ({ network_id: office, peer_id: hub })],
  ['get_acl', ({ office }) => ({ network_id: office })],
  ['list_incidents', () => ({ resolved: false })],
  ['list_network_incidents', ({ office }) => ({ network_id: office })],
  ['get_incident', ({ laptopIncident }) => ({ incident_id: laptopIncident })],
  ['get_incident', ({ dbIncident }) => ({ incident_id: dbIncident })],
  ['suggest_cidrs', () => ({ max_peers: 50, count: 3 })],
  ['suggest_cidrs', () => ({ max_peers: 0 })],
  ['list_allocations', () => ({})],
  ['list_network_allocations', ({ office }) => ({ network_id: office })],
  ['list_api_tokens', () => ({})],
  ['get_user_defaults', () => ({})],
  ['list_users', () => ({})],
  ['get_user', ({ alice }) => ({ user_id: alice.id })],
  ['create_network', () => ({ name: 'branch', cidr: '10.30.0.0/24', domain_suffix: 'corp' })],
  ['create_network', () => ({ name: 'clash', cidr: '10.10.0.0/16' })],
  ['update_network', ({ office }) => ({ network_id: office, dns: ['1.1.1.1'] })],
  ['create_peer', ({ office }) => ({ network_id: office, name: 'phone', listen_port: 51820 })],
  ['create_peer', ({ office }) => ({ network_id: office, name: 'hub2', is_jump: true })],
  ['update_peer', ({ office, laptop }) => ({ network_id: office, peer_id: laptop, endpoint: '198.51.100.7:4000' })],
  ['update_peer', ({ office, db }) => ({ network_id: office, peer_id: db, name: 'database' })],
  ['replace_acl', ({ office, laptop }) => ({ network_id: office, enabled: true, blocked_peers: { [laptop]: true } })],
  ['resolve_incident', ({ laptopIncident }) => ({ incident_id: laptopIncident })],
  ['create_user', () => ({ email: 'bob@example.com', name: 'Bob', role: 'user' })],
  ['update_user', ({ alice, office }) => ({ user_id: alice.id, name: 'Alice B.', authorized_networks: [office] })],
  ['update_user_defaults', ({ office }) => ({ default_authorized_networks: [office] })],
  ['delete_api_token', () => ({ token_id: 'none' })],
  ['delete_user', () => ({ user_id: 'nobody' })],
  ['delete_peer', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['delete_network', ({ lab }) => ({ network_id: lab })],
]

const operationOf = (name: string): Operation => operations.find((operation) => operation.name === name)!

/** Runs an operation as a person's program would. */
async function overRest(rest: Rest, operation: Operation, input: Input) {
  const [method = '', template = ''] = operation.http.split(' ')
  const left = { ...input }
  const path = template.replace(/\{(\w+)\}/g, (_, key) => {
    const value = String(left[key])
    delete left[key]
    return encodeURIComponent(value)
  })
  const query = new URLSearchParams(Object.entries(left).map(([key, value]) => [key, String(value)]))
  const send = { GET: rest.get, DELETE: rest.delete, POST: rest.post, PUT: rest.put }[method]!
  return method === 'GET' ? rest.get(`${path}?${query}`) : send(path, left)
}

/** What an assistant may see of a REST answer: the value without secrets, or the code of the refusal. */
function expected(name: string, answer: { status: number; body: unknown }): unknown {
  if (answer.status >= 400) return { refused: (answer.body as { code: string }).code }
  return tools.get(name)!.output.parse(answer.status === 204 ? null : asObject(answer.body))
}

/** Runs an operation as an assistant would. */
async function overMcp(mcp: Mcp, name: string, input: Input): Promise<unknown> {
  const result = await mcp.client.callTool({ name, arguments: input })
  const [{ text } = { text: '' }] = result.content as { text: string }[]
  return result.isError ? { refused: text.split(':')[0] } : (result.structuredContent ?? null)
}

test('every operation that assistants have is called here', () => {
  expect([...new Set(CALLS.map(([name]) => name))].sort()).toEqual([...tools.keys()])
})

describe.each(['administrator', 'user'] as const)('as %s', (role) => {
  let rest: Rest
  let mcp: Mcp
  let office: Office
  const stack = new AsyncDisposableStack()

  beforeAll(async () => {
    const start = async () => stack.use(await startTestApp({}, { now: fixedClock, random: countedRandom() }))
    const [one, other] = [await start(), await start()]
    office = await buildOffice(one)
    expect({ ...(await buildOffice(other)), alice: office.alice }).toEqual(office)
    const token = (app: TestApp) => (role === 'user' ? office.alice.token : app.adminToken)
    rest = one.as(token(one))
    mcp = stack.use(await other.mcp(token(other)))
  })
  afterAll(() => stack.disposeAsync())

  test.each(CALLS)('%s answers the same through REST and MCP', async (name, input) => {
    const answer = await overRest(rest, operationOf(name), input(office))
    expect(answer.status).toBeLessThan(500)
    expect(await overMcp(mcp, name, input(office))).toEqual(expected(name, answer))
  })

  test('tools/list has what the role permits and nothing else', async () => {
    const listed = (await mcp.client.listTools()).tools.map((tool) => tool.name)
    const refused: string[] = []
    for (const operation of operations.filter(({ mcp: shown }) => shown !== false)) {
      const answer = await overRest(rest, operation, {
        network_id: 'x',
        peer_id: 'x',
        user_id: 'x',
        incident_id: 'x',
        token_id: 'x',
      })
      if (answer.status === 403) refused.push(operation.name)
    }
    expect(listed).toEqual([...tools.keys()].filter((name) => !refused.includes(name)))
    expect(refused.length > 0).toBe(role === 'user')
  })
})

describe('without a credential', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startTestApp()
  })
  afterAll(() => app[Symbol.asyncDispose]())

  test.each(operations.map((operation) => [operation.name, operation] as const))(
    '%s answers only if it is public',
    async (_, operation) => {
      const answer = await overRest(app.as(undefined), operation, {
        network_id: 'x',
        peer_id: 'x',
        user_id: 'x',
        incident_id: 'x',
        token_id: 'x',
      })
      expect(answer.status).toBe(operation.permission === 'public' ? 200 : 401)
    },
  )

  test('MCP answers 401 and says how to authenticate', async () => {
    const response = await fetch(`${app.url}${MCP_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
  })
})
