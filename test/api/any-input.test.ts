import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { expectCivil } from './civility.ts'
import { fill, type Ids, newObjects } from './endpoints.ts'
import { JSON_TYPE, type RawAnswer, type RawRequest, sendAsAdmin } from './raw.ts'
import type { Json } from './topologies.ts'

let app: TestApp
let ids: Ids

beforeAll(async () => {
  app = await startTestApp()
  ids = await newObjects(app)
})

afterAll(() => app[Symbol.asyncDispose]())

const asAdmin = (request: RawRequest) => sendAsAdmin(app, { ...request, path: fill(request.path, ids) })

/** A request of the administrator with this text as JSON. */
function sendText(path: string, body: string, method = 'POST'): Promise<RawAnswer> {
  return asAdmin({ method, path, headers: JSON_TYPE, body })
}

/** A good body for each write whose fields are then spoilt. The network and the users made on the way do no harm. */
const WRITES: readonly (readonly [method: string, path: string, body: Record<string, Json>])[] = [
  [
    'POST',
    '/networks',
    { name: 'office', cidr: '10.10.0.5/16', cidr_v6: 'fd10::/64', dns: ['1.1.1.1'], domain_suffix: 'internal' },
  ],
  [
    'PUT',
    '/networks/:network',
    { name: 'office', cidr: '172.31.0.0/24', cidr_v6: 'x', dns: [], domain_suffix: 'corp', default_group_ids: [] },
  ],
  [
    'POST',
    '/networks/:network/peers',
    {
      name: 'laptop',
      endpoint: '203.0.113.5:51820',
      listen_port: 51820,
      is_jump: false,
      use_agent: true,
      additional_allowed_ips: ['192.168.1.0/24'],
      owner_id: 'admin',
    },
  ],
  [
    'PUT',
    '/networks/:network/peers/:peer',
    { name: 'laptop', endpoint: '', listen_port: 0, additional_allowed_ips: [], owner_id: '' },
  ],
  [
    'PUT',
    '/networks/:network/acl',
    {
      name: 'default',
      enabled: true,
      blocked_peers: {},
      rules: [{ id: 'r', source_peer: '*', target_peer: '*', action: 'deny', description: '' }],
    },
  ],
  [
    'POST',
    '/users',
    { email: 'x', name: 'X', role: 'user', password: 'long enough', authorized_networks: ['nowhere'] },
  ],
  ['PUT', '/users/:user', { name: 'X', role: 'user', password: 'long enough', authorized_networks: [] }],
  ['PUT', '/users/defaults', { default_role: 'user', default_authorized_networks: [] }],
  ['POST', '/users/me/tokens', { name: 'bot', expires_at: '2125-01-01T00:00:00Z' }],
  ['POST', '/auth/login', { username: 'admin', password: 'wrong password' }],
  ['POST', '/auth/logout', { session_hash: 'x' }],
  ['POST', '/security/incidents/:incident/resolve', { note: 'x' }],
  ['DELETE', '/networks/none', { id: 'x' }],
]

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '\n', '\u0000', '\ud800', '\u202e', '*', '%', "'", '../..', 'a'.repeat(5000), '1e309', '-0'),
  fc.constantFrom('0.0.0.0/0', '::/0', '255.255.255.255/32', '9999-12-31T23:59:59-23:59', '-000001-01-01T00:00:00Z'),
)

const anyJson: fc.Arbitrary<Json> = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary' }),
  anyText,
  fc.array(anyText, { maxLength: 3 }),
  fc.dictionary(fc.oneof(anyText, fc.constantFrom('constructor', 'toString', 'length')), fc.jsonValue(), {
    maxKeys: 3,
  }),
  fc.constantFrom(null, true, 0, -1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 31, -(2 ** 63), [], {}, [[]], [null], [{}]),
)

/** One write with one of its fields, a field within them, or the whole body replaced by any JSON. */
const spoiltWrite = fc
  .constantFrom(...WRITES)
  .chain(([method, path, body]) =>
    fc
      .oneof(
        { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...Object.keys(body)), anyJson) },
        { weight: 1, arbitrary: fc.tuple(fc.constant(undefined), anyJson) },
      )
      .map(([field, value]) => ({ method, path, body: field === undefined ? value : { ...body, [field]: value } })),
  )

test('whatever JSON stands in a field, the answer is a success or a civil refusal', async () => {
  await fc.assert(
    fc.asyncProperty(spoiltWrite, async ({ method, path, body }) => {
      const text = JSON.stringify(body)
      expectCivil(await sendText(path, text, method), `${method} ${path} ${text}`)
    }),
    { numRuns: 200 },
  )
})

test('every field refuses every JSON type that is not its own', async () => {
  const samples: readonly (readonly [type: string, value: Json])[] = [
    ['boolean', true],
    ['number', 4.5],
    ['string', 'Not A Good Value\n'],
    ['array', [{ a: [7] }]],
    ['object', { nobody: 'text' }],
  ]
  const optional = ['POST /auth/logout', 'POST /security/incidents/:incident/resolve', 'DELETE /networks/none']
  for (const [method, path, body] of WRITES) {
    if (optional.includes(`${method} ${path}`)) continue
    for (const field of Object.keys(body)) {
      // any text may be a password or a login
      const isText = field === 'password' || field === 'username'
      const takes = Array.isArray(body[field]) ? 'none' : typeof body[field] === 'boolean' ? 'boolean' : 'none'
      for (const [type, value] of samples) {
        if (type === takes || (isText && type === 'string')) continue
        const text = JSON.stringify({ ...body, [field]: value })
        const answer = await sendText(path, text, method)
        expectCivil(answer, `${method} ${path} ${text}`)
        expect(answer.status, `${method} ${path} ${text}`).toBe(400)
      }
    }
  }
})

const QUERIES = [
  ['/networks', ['page', 'page_size', 'filter']],
  ['/networks/:network/peers', ['page', 'page_size', 'filter']],
  ['/ipam', ['page', 'page_size', 'filter']],
  ['/ipam/available-cidrs', ['max_peers', 'count', 'base_cidr']],
  ['/security/incidents', ['resolved']],
  ['/networks/:network/security/incidents', ['resolved']],
] as const

test('whatever stands in a query, the answer is a success or a civil refusal', async () => {
  const value = fc.oneof(
    anyText,
    fc.double().map(String),
    fc.bigInt().map(String),
    fc.constantFrom('true', 'TRUE', '1'),
  )
  const query = fc.constantFrom(...QUERIES).chain(([path, names]) =>
    fc
      .array(fc.tuple(fc.constantFrom(...names, 'other', '__proto__', 'page[]', 'filter[x]'), value), {
        maxLength: 4,
      })
      .map((pairs) => `${path}?${new URLSearchParams(pairs.map(([key, text]) => [key, text]))}`),
  )
  await fc.assert(
    fc.asyncProperty(query, async (path) => expectCivil(await asAdmin({ path }), path)),
    { numRuns: 150 },
  )
})

test.each(QUERIES)('%s answers any page number and filter civilly', async (path, names) => {
  const values = [
    '0',
    '-1',
    '1e18',
    'abc',
    '9'.repeat(15),
    '9'.repeat(400),
    '%25',
    '_',
    "'",
    '%22',
    '%00',
    '%0a',
    '%zz',
  ]
  for (const name of names) {
    for (const value of [...values, '%5C', `1&${name}=2`, '', 'x'.repeat(300)]) {
      const query = `${fill(path, ids)}?max_peers=5&${name}=${value}`
      expectCivil(await asAdmin({ path: query }), query)
    }
  }
})

test('after all this nothing was logged as our own fault', async () => {
  const faults = app.logged.filter((line) => JSON.parse(line).level >= 50)
  expect(faults).toEqual([])
})
