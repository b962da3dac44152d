import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { MCP_PATH } from '../../src/app.ts'
import { startTestApp, type TestApp } from '../harness.ts'
import type { Row } from './trail.ts'

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** Keeps the database busy, so that whatever needs it is still running. */
function holdDatabase(app: TestApp): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  void app.app.env.database.read(() => promise)
  return resolve
}

const authorization = (app: TestApp) => ({ authorization: `Bearer ${app.adminToken}` })

function postMcp(app: TestApp, message: object, headers: Record<string, string> = {}) {
  const init = { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', ...message }) }
  return fetch(`${app.url}${MCP_PATH}`, { ...init, headers: { ...JSON_HEADERS, ...authorization(app), ...headers } })
}

async function beginSession(app: TestApp): Promise<Record<string, string>> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const answer = await postMcp(app, { id: 1, method: 'initialize', params })
  await answer.text()
  return { 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' }
}

const createNetwork = (name: string, cidr: string) => ({
  id: 2,
  method: 'tools/call',
  params: { name: 'create_network', arguments: { name, cidr } },
})

test('running requests finish, over REST and MCP, and the log says how long it took', async () => {
  const app = await startTestApp()
  const session = await beginSession(app)
  const release = holdDatabase(app)
  const rest = app.as(app.adminToken).post('/networks', { name: 'by-rest', cidr: '10.1.0.0/24' })
  const mcp = postMcp(app, createNetwork('by-mcp', '10.2.0.0/24'), session).then((answer) => answer.json())
  await sleep(100)
  const stopped = app[Symbol.asyncDispose]()
  await sleep(100)
  release()
  expect((await rest).status).toBe(201)
  expect(await mcp).toMatchObject({ id: 2, result: { structuredContent: { name: 'by-mcp' } } })
  await stopped
  const lines: Row[] = app.logged.map((line) => JSON.parse(line))
  expect(lines.at(-1)).toMatchObject({ msg: 'stopped', ms: expect.any(Number) })
  expect(lines.at(-1)!.ms).toBeGreaterThan(90)
  await expect(fetch(`${app.url}/livez`)).rejects.toThrow()
})

test('a tool call over HTTP+SSE is answered on its stream before the stream ends with a reason', async () => {
  const app = await startTestApp()
  const headers = { accept: 'text/event-stream', ...authorization(app) }
  const stream = await fetch(`${app.url}${MCP_PATH}`, { headers })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  const endpoint = /data: (\S+)/.exec((await reader.read()).value ?? '')?.[1] ?? ''
  const send = async (message: object) => {
    const init = { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', ...message }) }
    const answer = await fetch(`${app.url}${endpoint}`, {
      ...init,
      headers: { ...JSON_HEADERS, ...authorization(app) },
    })
    expect(answer.status).toBe(202)
  }
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  await send({ id: 1, method: 'initialize', params })
  await reader.read()
  const release = holdDatabase(app)
  const sent = send(createNetwork('by-sse', '10.3.0.0/24'))
  await sleep(50)
  const stopped = app[Symbol.asyncDispose]()
  await sleep(50)
  release()
  await Promise.all([sent, stopped])
  let rest = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value
  expect(rest).toMatch(/^event: message\ndata: \{.*"name":"by-sse".*\}\n\n: closing: the server is shutting down\n\n$/)
})

test('a request that hangs does not hold up the end for longer than the grace', async () => {
  const app = await startTestApp()
  const release = holdDatabase(app)
  const hanging = app
    .as(app.adminToken)
    .get('/networks')
    .catch(() => 'cut off')
  await sleep(50)
  const began = performance.now()
  const stopped = app[Symbol.asyncDispose]()
  expect(await hanging).toBe('cut off')
  expect(performance.now() - began).toBeLessThan(7_000)
  release()
  await stopped
})
