import { afterAll, beforeAll, expect, test } from 'vitest'
import { as, call, initialize, PATH, post, startEndpoint, type TestEndpoint } from './harness.ts'

let app: TestEndpoint
beforeAll(async () => {
  app = await startEndpoint()
})
afterAll(() => app[Symbol.asyncDispose]())

test('an HTTP+SSE stream names the public path and answers on the stream', async () => {
  await using stream = await openStream('ada')
  expect(stream.response.headers.get('cache-control')).toBe('no-store')
  expect(stream.response.headers.get('x-accel-buffering')).toBe('no')
  expect(stream.endpoint.pathname).toBe(PATH)
  const accepted = await post(stream.endpoint, 'ada', [
    initialize('2024-11-05', 'i'),
    { jsonrpc: '2.0', id: 'p', method: 'ping' },
  ])
  expect([accepted.status, await accepted.text()]).toEqual([202, 'Accepted'])
  expect([await stream.next(), await stream.next()]).toMatchObject([
    { id: 'i', result: { protocolVersion: '2024-11-05' } },
    { id: 'p', result: {} },
  ])
  await post(stream.endpoint, 'ada', [call('whoami', {}, 1), call('whoami', {}, 2)])
  expect([await stream.next(), await stream.next()]).toMatchObject([{ id: 1 }, { id: 2 }])
})

test('tools are refused on an HTTP+SSE stream before initialize', async () => {
  await using stream = await openStream('ada')
  await post(stream.endpoint, 'ada', call('whoami', {}, 5))
  expect(await stream.next()).toEqual({
    jsonrpc: '2.0',
    id: 5,
    error: { code: -32600, message: 'tools/call before initialize: send initialize first' },
  })
})

test('what is not a JSON-RPC message is refused on an HTTP+SSE stream', async () => {
  await using stream = await openStream('ada')
  for (const body of [{ hello: 'world' }, [], 7, Array.from({ length: 101 }, () => call('whoami'))]) {
    expect((await post(stream.endpoint, 'ada', body)).status).toBe(400)
  }
})

test('a quiet HTTP+SSE stream is kept open by comments', async () => {
  await using quick = await startEndpoint({ limits: { keepAliveMs: 50 } })
  const response = await fetch(quick.url, { headers: { ...as('ada'), Accept: 'text/event-stream' } })
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.match(/: keepalive\n\n/g)?.length === 2) break
  }
  expect(text).toMatch(/^event: endpoint\ndata: \/wirety\/api\/v1\/mcp\?sessionId=\S+\n\n: keepalive/)
})

/** Opens an HTTP+SSE stream by hand. */
async function openStream(user: string) {
  const response = await fetch(app.url, { headers: { ...as(user), Accept: 'text/event-stream' } })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  const data = async () => {
    for (;;) {
      const found = /^event: \w+\ndata: (.*)\n\n/.exec(buffer)
      if (found !== null) {
        buffer = buffer.slice(found[0].length)
        return found[1]!
      }
      buffer += (await reader.read()).value
    }
  }
  return {
    response,
    endpoint: new URL(await data(), app.url),
    next: async () => JSON.parse(await data()),
    [Symbol.asyncDispose]: () => reader.cancel(),
  }
}
