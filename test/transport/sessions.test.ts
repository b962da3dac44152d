import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { as, beginSession, call, initialize, JSON_HEADERS, post, startEndpoint, textOf, until } from './harness.ts'

const stream = (user: string) => ({ headers: { ...as(user), Accept: 'text/event-stream' } })

/** Reads the endpoint that an HTTP+SSE stream names; the stream stays open. */
async function openSse(url: URL, user: string) {
  const response = await fetch(url, stream(user))
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const { value = '' } = await reader.read()
  return { endpoint: new URL(/data: (\S+)/.exec(value)![1]!, url), reader }
}

test('the session of somebody else is as unknown as one that never was, on both kinds', async () => {
  await using app = await startEndpoint()
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada') }
  const { endpoint, reader } = await openSse(app.url, 'ada')
  const never = await (await post(app.url, 'eve', call('whoami'), { 'Mcp-Session-Id': 'never' })).json()
  const attempts = [
    await post(app.url, 'eve', call('whoami'), headers),
    await fetch(app.url, { headers: { ...stream('eve').headers, ...headers } }),
    await fetch(app.url, { method: 'DELETE', headers: { ...as('eve'), ...headers } }),
    await post(endpoint, 'eve', initialize('2024-11-05')),
  ]
  expect(attempts.map((attempt) => attempt.status)).toEqual([404, 404, 404, 404])
  expect(JSON.stringify(await attempts[0]!.json()).replace(headers['Mcp-Session-Id'], 'never')).toBe(
    JSON.stringify(never),
  )
  expect((await post(app.url, 'ada', call('whoami'), headers)).status).toBe(200)
  await reader.cancel()
})

test('the identity is that of each request, never of the one that began the session', async () => {
  let role = 'administrator'
  await using app = await startEndpoint({
    authenticate: async () => ({
      id: 'ada',
      email: '',
      name: '',
      role: 'user',
      credential: 'api_token',
      credential_id: role,
    }),
  })
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada') }
  const ask = async () => {
    const answer = await (await post(app.url, 'ada', call('credential'), headers)).json()
    return textOf((answer as { result: unknown }).result)
  }
  expect(await ask()).toBe('administrator')
  role = 'user'
  expect(await ask()).toBe('user')
})

test('a session in which nothing happens ends, one with an open stream stays', async () => {
  await using app = await startEndpoint({ limits: { idleMs: 200, keepAliveMs: 20 } })
  const idle = await beginSession(app.url, 'ada')
  const listening = await beginSession(app.url, 'ada')
  const open = await fetch(app.url, { headers: { ...stream('ada').headers, 'Mcp-Session-Id': listening } })
  const sse = await openSse(app.url, 'ada')
  await sleep(600)
  const status = async (id: string) => (await post(app.url, 'ada', call('whoami'), { 'Mcp-Session-Id': id })).status
  expect([await status(idle), await status(listening)]).toEqual([404, 200])
  expect((await post(sse.endpoint, 'ada', initialize('2024-11-05'))).status).toBe(202)
  await Promise.all([open.body!.cancel(), sse.reader.cancel()])
  await sleep(600)
  expect(await status(listening)).toBe(404)
})

test('a session that is busy answering is not idle', async () => {
  await using app = await startEndpoint({ limits: { idleMs: 100 } })
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada') }
  const held = post(app.url, 'ada', call('hold', {}, 9), headers)
  await sleep(400)
  await post(app.url, 'ada', { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }, headers)
  expect((await held).status).toBe(200)
})

test('one session too many ends the least recently used one of the same principal', async () => {
  await using app = await startEndpoint({ limits: { maxSessionsPerPrincipal: 2 } })
  const status = async (user: string, id: string) =>
    (await post(app.url, user, call('whoami'), { 'Mcp-Session-Id': id })).status
  const others = await beginSession(app.url, 'bob')
  const first = await beginSession(app.url, 'ada')
  const second = await beginSession(app.url, 'ada')
  expect(await status('ada', first)).toBe(200)
  const held = post(app.url, 'ada', call('hold', {}, 9), { 'Mcp-Session-Id': second })
  await sleep(50)
  await status('ada', first)
  const third = await beginSession(app.url, 'ada')
  expect(await Promise.all([first, second, third].map((id) => status('ada', id)))).toEqual([200, 404, 200])
  expect(await status('bob', others)).toBe(200)
  // What the evicted session was still answering is answered, and aborted.
  expect([(await held).status, app.aborted()]).toEqual([404, 1])
})

test('one stream too many of any kind is refused with a time to retry, and a closed one makes room', async () => {
  await using app = await startEndpoint({ limits: { maxStreamsPerPrincipal: 2 } })
  const session = await beginSession(app.url, 'ada')
  const sse = await openSse(app.url, 'ada')
  const get = await fetch(app.url, { headers: { ...stream('ada').headers, 'Mcp-Session-Id': session } })
  const tooMany = await fetch(app.url, stream('ada'))
  expect([tooMany.status, tooMany.headers.get('retry-after')]).toEqual([429, '30'])
  expect((await listen(app.url, 'ada')).status).toBe(429)
  const bob = await openSse(app.url, 'bob')
  await get.body!.cancel()
  await until(async () => {
    const room = await fetch(app.url, stream('ada'))
    await room.body!.cancel()
    return room.status === 200
  })
  await Promise.all([sse.reader.cancel(), bob.reader.cancel()])
})

test('a client that leaves while it is being authenticated leaves nothing behind', async () => {
  const arrived = Promise.withResolvers<void>()
  const proceed = Promise.withResolvers<void>()
  let isFirst = true
  await using app = await startEndpoint({
    limits: { maxStreamsPerPrincipal: 1 },
    authenticate: async () => {
      if (isFirst) {
        isFirst = false
        arrived.resolve()
        await proceed.promise
      }
      return { id: 'ada', email: '', name: '', role: 'user', credential: 'api_token', credential_id: null }
    },
  })
  const abort = new AbortController()
  const gone = fetch(app.url, { ...stream('ada'), signal: abort.signal }).catch(() => 'gone')
  await arrived.promise
  abort.abort()
  expect(await gone).toBe('gone')
  await sleep(50)
  proceed.resolve()
  await sleep(50)
  const { reader } = await openSse(app.url, 'ada')
  await reader.cancel()
})

test('disposing of the endpoint ends streams with a reason, sessions and what they wait for', async () => {
  const app = await startEndpoint({ limits: { drainMs: 100 } })
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada') }
  const { reader } = await openSse(app.url, 'ada')
  const held = post(app.url, 'ada', call('hold'), headers).then((response) => response.status)
  await sleep(50)
  await app[Symbol.asyncDispose]()
  expect(await held).toBe(404)
  const last = (await reader.read()).value
  expect(last).toBe(': closing: the server is shutting down\n\n')
  expect((await reader.read()).done).toBe(true)
  await expect(post(app.url, 'ada', call('whoami'))).rejects.toThrow()
})

/** Opens a subscription of version 2026-07-28. */
function listen(url: URL, user: string) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const body = { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { _meta, notifications: {} } }
  const headers = { ...JSON_HEADERS, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'subscriptions/listen' }
  return post(url, user, body, headers)
}
