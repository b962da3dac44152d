import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Branch, type RequestFacts, route } from '../../src/transport/routing.ts'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
}
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
const MODERN = { ...LIST, params: { _meta: META } }

const bodies = fc.constantFrom(
  INITIALIZE,
  LIST,
  MODERN,
  [LIST],
  [INITIALIZE],
  [MODERN],
  [],
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 1, result: {} },
  null,
  7,
  { hello: 'world' },
)

const facts: fc.Arbitrary<RequestFacts> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PUT', 'PATCH', 'brew'),
    url: fc.constantFrom('/m', '/m/', '/m?sessionId=a', '/m/?x=1&sessionId=', '/m?other=1', '//m', '*', 'http://['),
    accept: fc.constantFrom(undefined, '*/*', 'text/event-stream', 'TEXT/HTML, */*', 'text/html,text/event-stream', ''),
    sessionId: fc.constantFrom(undefined, 's', ''),
    protocolVersion: fc.constantFrom(undefined, '2024-11-05', '2025-11-25', '2026-07-28', 'nonsense'),
    mcpMethod: fc.constantFrom(undefined, 'tools/list'),
    mcpName: fc.constantFrom(undefined, 'x'),
    body: fc.oneof(bodies, fc.jsonValue()),
  })
  .map((all) => ({ ...all, body: all.method === 'POST' ? all.body : undefined }))

const isPost = (f: RequestFacts) => f.method === 'POST'
const isGet = (f: RequestFacts) => f.method === 'GET'
const namesSession = (f: RequestFacts) => f.sessionId !== undefined
const namesStream = (f: RequestFacts) => f.url.includes('sessionId=')
const accepts = (f: RequestFacts, type: string) => (f.accept ?? '').toLowerCase().includes(type)
const isBare = (f: RequestFacts) => isPost(f) && !namesStream(f)
const hasEnvelope = (value: unknown) => JSON.stringify(value ?? null).includes('protocolVersion":"2026')
const isMessage = (value: unknown) =>
  typeof value === 'object' && value !== null && 'jsonrpc' in value && ('method' in value || 'result' in value)
const isOld = (f: RequestFacts) =>
  Array.isArray(f.body)
    ? f.body.length > 0 && f.body.every((m) => isMessage(m) && !hasEnvelope(m))
    : isMessage(f.body) &&
      !hasEnvelope(f.body) &&
      (f.protocolVersion ?? '').slice(0, 4) !== '2026' &&
      f.protocolVersion !== 'nonsense'
const isAnswer = (f: RequestFacts) => typeof f.body === 'object' && f.body !== null && 'result' in f.body
const isLegacy = (f: RequestFacts) => isOld(f) || isAnswer(f)

/** Says of each branch, by itself, which requests are its own. */
const claims: Record<Branch['kind'], (f: RequestFacts) => boolean> = {
  preflight: (f) => f.method === 'OPTIONS',
  session_stream: (f) => isGet(f) && namesSession(f),
  open_sse: (f) => isGet(f) && !namesSession(f) && accepts(f, 'text/event-stream'),
  landing: (f) => isGet(f) && !namesSession(f) && accepts(f, 'text/html') && !accepts(f, 'text/event-stream'),
  end_session: (f) => f.method === 'DELETE' && namesSession(f),
  sse_message: (f) => isPost(f) && namesStream(f) && !namesSession(f),
  modern: (f) => isBare(f) && !isLegacy(f),
  session_message: (f) => isBare(f) && isLegacy(f) && namesSession(f),
  initialize: (f) => isBare(f) && isLegacy(f) && !namesSession(f) && f.body === INITIALIZE,
  refuse: (f) =>
    !['GET', 'POST', 'DELETE', 'OPTIONS'].includes(f.method) ||
    (isGet(f) && !namesSession(f) && !accepts(f, 'text/event-stream') && !accepts(f, 'text/html')) ||
    (f.method === 'DELETE' && !namesSession(f)) ||
    (isPost(f) && namesStream(f) && namesSession(f)) ||
    (isBare(f) && isLegacy(f) && !namesSession(f) && f.body !== INITIALIZE),
}

test('every request belongs to exactly one branch, and goes there', () => {
  fc.assert(
    fc.property(facts, (request) => {
      const claimed = Object.entries(claims).filter(([, claim]) => claim(request))
      expect(claimed.map(([kind]) => kind)).toEqual([route(request).kind])
    }),
    { numRuns: 3000 },
  )
})

const FACTS: RequestFacts = {
  method: 'POST',
  url: '/m',
  accept: undefined,
  sessionId: undefined,
  protocolVersion: undefined,
  mcpMethod: undefined,
  mcpName: undefined,
  body: undefined,
}

test('a GET that names a version but no session opens an HTTP+SSE stream: it is a client that reconnects', () => {
  const request = { ...FACTS, method: 'GET', accept: 'text/event-stream', protocolVersion: '2025-11-25' }
  expect(route(request)).toEqual({ kind: 'open_sse' })
})

test('a session id in the URL and one in the header are refused', () => {
  expect(route({ ...FACTS, url: '/m?sessionId=a', sessionId: 'b', body: LIST })).toMatchObject({
    kind: 'refuse',
    code: 'invalid',
    message: expect.stringContaining('send one of them'),
  })
})

test('a request outside of a session is told what to send', () => {
  expect(route({ ...FACTS, body: LIST })).toMatchObject({
    kind: 'refuse',
    code: 'invalid',
    message: expect.stringMatching(/initialize.*Mcp-Session-Id.*2026-07-28/),
  })
})
