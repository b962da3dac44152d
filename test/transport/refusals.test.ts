import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { as, beginSession, call, initialize, JSON_HEADERS, post, startEndpoint, type TestEndpoint } from './harness.ts'

let app: TestEndpoint
beforeAll(async () => {
  app = await startEndpoint({ limits: { maxBodyBytes: 10_000 } })
})
afterAll(() => app[Symbol.asyncDispose]())

/** Sends what `fetch` does not let a page or program choose, such as Host and Origin. */
async function send(method: string, headers: Record<string, string>, body = '') {
  const { promise, resolve, reject } = Promise.withResolvers<{ status?: number; headers: object; body: string }>()
  const req = request(app.url, { method, headers }, async (res) =>
    resolve({ status: res.statusCode ?? 0, headers: res.headers, body: await text(res) }),
  )
  req.on('error', reject).end(body)
  return await promise
}

test('a foreign Host is refused before anything else, naming the setting and the value', async () => {
  expect(await send('POST', { Host: 'evil.example:80' }, 'not json')).toMatchObject({
    status: 403,
    body: JSON.stringify({
      jsonrpc: '2.0',
      error: { code: -32000, message: 'Host "evil.example:80" is not allowed: add it to ALLOWED_HOSTS' },
      id: null,
    }),
  })
})

test('a foreign Origin is refused before authentication, naming the setting and the value', async () => {
  const answer = await send('GET', { Origin: 'https://evil.example', Accept: 'text/event-stream' })
  expect(answer.status).toBe(403)
  expect(JSON.parse(answer.body).error.message).toBe(
    'Origin "https://evil.example" is not allowed: add it to ALLOWED_ORIGINS',
  )
})

test('an allowed Host and Origin pass', async () => {
  const headers = { ...JSON_HEADERS, ...as('ada'), Host: 'mcp.example', Origin: 'https://app.example' }
  expect(await send('POST', headers, JSON.stringify(initialize('2025-11-25')))).toMatchObject({ status: 200 })
})

test('a cookie is only good for requests from this site', async () => {
  const body = JSON.stringify(initialize('2025-11-25'))
  const headers = { ...JSON_HEADERS, Cookie: 'user=ada' }
  const refused = await send('POST', { ...headers, 'Sec-Fetch-Site': 'cross-site' }, body)
  expect([refused.status, JSON.parse(refused.body).error.message]).toEqual([
    403,
    expect.stringContaining('Sec-Fetch-Site: same-origin, not "cross-site"'),
  ])
  expect(await send('POST', { ...headers, 'Sec-Fetch-Site': 'same-origin' }, body)).toMatchObject({ status: 200 })
  expect(await send('POST', { ...headers, Origin: app.url.origin }, body)).toMatchObject({ status: 200 })
})

test('who has no credential is told how to prove who they are', async () => {
  for (const init of [
    { method: 'POST', body: '{' },
    { headers: { Accept: 'text/event-stream' } },
    { method: 'DELETE' },
  ]) {
    const response = await fetch(app.url, init)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="wirety"')
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      error: { code: -32001, message: 'send an API token as bearer token' },
      id: null,
    })
  }
})

test('a failure of ours shows no detail outside and all of it in the log', async () => {
  const response = await post(app.url, 'broken', initialize('2025-11-25'))
  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('fire')])
  expect(app.log.at(-1)).toMatchObject({ level: 'error', fields: { err: { message: 'the database is on fire' } } })
})

test.each([
  ['not JSON', 400, -32700, {}, '{"jsonrpc":'],
  ['not UTF-8', 400, -32700, {}, Buffer.from([0x22, 0xff, 0x22])],
  ['empty', 400, -32700, {}, ''],
  ['not JSON-RPC', 400, -32600, {}, '{"hello":"world"}'],
  ['null', 400, -32600, {}, 'null'],
  ['too large', 413, -32000, {}, `"${'x'.repeat(20_000)}"`],
  ['a form', 415, -32000, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=b'],
  ['compressed', 415, -32000, { 'Content-Encoding': 'gzip' }, '{}'],
  ['a request without a session', 400, -32600, {}, JSON.stringify(call('whoami'))],
  ['initialize in a batch', 400, -32600, {}, JSON.stringify([initialize('2025-03-26')])],
])('a body that is %s is answered %i and %i', async (_, status, code, headers, body) => {
  const response = await fetch(app.url, {
    method: 'POST',
    headers: { ...JSON_HEADERS, ...as('ada'), ...headers },
    body,
  })
  expect([response.status, await response.json()]).toMatchObject([status, { jsonrpc: '2.0', error: { code } }])
})

test('a body too large is refused while it is still being sent, though its length was not announced', async () => {
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(5_000)) })
  const init = { method: 'POST', headers: { ...JSON_HEADERS, ...as('ada') }, body: endless, duplex: 'half' as const }
  const outcome = await fetch(app.url, init).then(
    (response) => response.status,
    () => 'connection closed',
  )
  expect([413, 'connection closed']).toContain(outcome)
})

test('methods that mean nothing here are answered 405 with those that do', async () => {
  for (const method of ['PUT', 'HEAD', 'DELETE', 'GET']) {
    const response = await fetch(app.url, { method, headers: as('ada') })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE, OPTIONS'])
  }
  expect((await fetch(app.url, { method: 'OPTIONS' })).status).toBe(204)
})

test('a person with a browser is told what this is, without logging in', async () => {
  const response = await fetch(app.url, { headers: { Accept: 'text/html' } })
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('not a web page')])
})

test('answers are never cached', async () => {
  const response = await post(app.url, 'ada', initialize('2025-11-25'))
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('an unknown session is 404 in every branch that names one', async () => {
  const headers = { 'Mcp-Session-Id': 'gone' }
  const answers = [
    await post(app.url, 'ada', call('whoami'), headers),
    await post(`${app.url}?sessionId=gone`, 'ada', call('whoami')),
    await fetch(app.url, { headers: { ...as('ada'), ...headers, Accept: 'text/event-stream' } }),
    await fetch(app.url, { method: 'DELETE', headers: { ...as('ada'), ...headers } }),
  ]
  for (const answer of answers) {
    expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: -32001 } }])
  }
})

test('a version that nobody speaks is refused within a session', async () => {
  const headers = { 'Mcp-Session-Id': await beginSession(app.url, 'ada'), 'MCP-Protocol-Version': '1999-01-01' }
  expect((await post(app.url, 'ada', call('whoami'), headers)).status).toBe(400)
  expect((await fetch(app.url, { method: 'DELETE', headers: { ...as('ada'), ...headers } })).status).toBe(400)
})
