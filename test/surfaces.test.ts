import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../src/api/operations/index.ts'
import { MCP_PATH } from '../src/app.ts'
import { asObject, tools } from '../src/tools/catalog.ts'
import { CALLS, operationOf, overMcp, overRest } from './calls.ts'
import { countedRandom, fixedClock } from './deterministic.ts'
import { type Mcp, type Rest, startTestApp, type TestApp } from './harness.ts'
import { buildOffice, type Office } from './topologies.ts'

/** What an assistant may see of a REST answer: the value without secrets, or the code of the refusal. */
function expected(name: string, answer: { status: number; body: unknown }): unknown {
  if (answer.status >= 400) return { refused: (answer.body as { code: string }).code }
  return tools.get(name)!.output.parse(answer.body === undefined ? null : asObject(answer.body))
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
