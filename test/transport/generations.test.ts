import * as v2 from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as StreamableV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { as, beginSession, call, initialize, post, startEndpoint, type TestEndpoint, textOf, until } from './harness.ts'

let app: TestEndpoint
beforeAll(async () => {
  app = await startEndpoint()
})
afterAll(() => app[Symbol.asyncDispose]())

const INFO = { name: 'test', version: '1' }
const init = (user: string) => ({ requestInit: { headers: as(user) } })

function v1Sse(url: URL) {
  return new SseV1(url, {
    ...init('ada'),
    eventSourceInit: { fetch: (u, i) => fetch(u, { ...i, headers: { ...as('ada'), Accept: 'text/event-stream' } }) },
  })
}

test.each([
  [
    'v1 SDK over HTTP+SSE',
    async (url: URL) => {
      const client = new ClientV1(INFO)
      // The v1 classes do not declare their optional fields as exactOptionalPropertyTypes wants them.
      await client.connect(v1Sse(url) as never)
      return client
    },
  ],
  [
    'v1 SDK over Streamable HTTP',
    async (url: URL) => {
      const client = new ClientV1(INFO)
      await client.connect(new StreamableV1(url, init('ada')) as never)
      return client
    },
  ],
  [
    'v2 SDK over HTTP+SSE',
    async (url: URL) => {
      const client = new v2.Client(INFO)
      await client.connect(new v2.SSEClientTransport(url, init('ada')))
      return client
    },
  ],
  [
    'v2 SDK by default',
    async (url: URL) => {
      const client = new v2.Client(INFO)
      await client.connect(new v2.StreamableHTTPClientTransport(url, init('ada')))
      return client
    },
  ],
  [
    'v2 SDK that negotiates',
    async (url: URL) => {
      const client = new v2.Client(INFO, { versionNegotiation: { mode: 'auto' } })
      await client.connect(new v2.StreamableHTTPClientTransport(url, init('ada')))
      expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
      return client
    },
  ],
  [
    'v2 SDK pinned to 2026-07-28',
    async (url: URL) => {
      const client = new v2.Client(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
      await client.connect(new v2.StreamableHTTPClientTransport(url, init('ada')))
      return client
    },
  ],
])('a client of the %s works on the one path, with and without a trailing slash', async (_, connect) => {
  for (const url of [app.url, new URL(`${app.url}/`)]) {
    const client = await connect(url)
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toEqual(['whoami', 'big', 'hold', 'ask'])
    expect(textOf(await client.callTool({ name: 'whoami' }))).toBe('ada')
    expect(textOf(await client.callTool({ name: 'big', arguments: { bytes: 300_000 } }))).toHaveLength(300_000)
    await client.close()
  }
})

test.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
  'version %s is spoken when a client asks for it',
  async (version) => {
    const response = await post(app.url, 'ada', initialize(version))
    expect(await response.json()).toMatchObject({ id: 1, result: { protocolVersion: version } })
  },
)

test('a batch is answered as a batch in version 2025-03-26', async () => {
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada', '2025-03-26') }
  const response = await post(
    app.url,
    'ada',
    [call('whoami', {}, 'a'), { jsonrpc: '2.0', method: 'x' }, call('whoami', {}, 'b')],
    headers,
  )
  expect(await response.json()).toMatchObject([{ id: 'a' }, { id: 'b' }])
})

test('a batch is refused in the versions that have none', async () => {
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada', '2025-06-18') }
  const response = await post(app.url, 'ada', [call('whoami')], headers)
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: -32600, message: expect.stringContaining('2025-06-18 has no JSON-RPC batches') } },
  ])
})

test('a request id that still waits for its answer cannot be used again', async () => {
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada', '2025-03-26') }
  expect((await post(app.url, 'ada', [call('whoami'), call('whoami')], headers)).status).toBe(400)
  expect((await post(app.url, 'ada', call('whoami'), { ...headers, Accept: 'application/json' })).status).toBe(406)
  expect((await post(app.url, 'ada', call('whoami'), headers)).status).toBe(200)
  expect((await post(app.url, 'ada', call('whoami'), headers)).status).toBe(200)
})

test('a cancelled request of a session is aborted and its HTTP request ends', async () => {
  const before = app.aborted()
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada') }
  const held = post(app.url, 'ada', call('hold', {}, 9), headers)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }
  expect((await post(app.url, 'ada', cancel, headers)).status).toBe(202)
  expect(await (await held).json()).toMatchObject({ id: 9, error: { message: 'cancelled by the client' } })
  expect(app.aborted()).toBe(before + 1)
})

test('a request of version 2026-07-28 is aborted when its client closes it', async () => {
  const before = app.aborted()
  const client = new v2.Client(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new v2.StreamableHTTPClientTransport(app.url, init('ada')))
  const abort = new AbortController()
  const held = client.callTool({ name: 'hold' }, { signal: abort.signal }).catch(() => 'aborted')
  await new Promise((resolve) => setTimeout(resolve, 100))
  abort.abort()
  expect(await held).toBe('aborted')
  await until(() => app.aborted() === before + 1)
  await client.close()
})

test('the server can ask the user of a 2025 client while it answers a request', async () => {
  const client = new ClientV1(INFO, { capabilities: { elicitation: {} } })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }))
  await client.connect(new StreamableV1(app.url, init('ada')) as never)
  expect(textOf(await client.callTool({ name: 'ask' }))).toBe('accept')
  await client.close()
})

test('a question of the server waits for the stream that its client is about to open', async () => {
  const hello = initialize('2025-11-25') as { params: object } // built above with params
  const begun = await post(app.url, 'ada', { ...hello, params: { ...hello.params, capabilities: { elicitation: {} } } })
  const headers = { 'Mcp-Session-Id': begun.headers.get('mcp-session-id') ?? '' }
  const asked = post(app.url, 'ada', call('ask', {}, 7), headers)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const stream = await fetch(app.url, { headers: { ...as('ada'), ...headers, Accept: 'text/event-stream' } })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  const question = JSON.parse(/data: (.*)/.exec((await reader.read()).value!)![1]!)
  expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Sure?' } })
  await post(app.url, 'ada', { jsonrpc: '2.0', id: question.id, result: { action: 'decline' } }, headers)
  expect(await (await asked).json()).toMatchObject({ id: 7, result: { content: [{ text: 'decline' }] } })
  await reader.cancel()
})

test('a second stream of one session is refused while the first is open', async () => {
  const headers = { ...as('ada'), 'Mcp-Session-Id': await beginSession(app.url, 'ada'), Accept: 'text/event-stream' }
  const abort = new AbortController()
  const first = await fetch(app.url, { headers, signal: abort.signal })
  expect([first.status, first.headers.get('x-accel-buffering')]).toEqual([200, 'no'])
  expect((await fetch(app.url, { headers })).status).toBe(409)
  abort.abort()
  await until(async () => {
    const again = await fetch(app.url, { headers })
    await again.body?.cancel()
    return again.status === 200
  })
})

test('DELETE ends a session', async () => {
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada') }
  expect((await fetch(app.url, { method: 'DELETE', headers: { ...as('ada'), ...headers } })).status).toBe(200)
  expect((await post(app.url, 'ada', call('whoami'), headers)).status).toBe(404)
})
