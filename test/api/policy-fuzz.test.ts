import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { type Furnished, furnish } from './furnished.ts'
import { brokenReferences, LAN_RULE, newGroup, newPolicy, newRoute } from './policy-objects.ts'
import { JSON_TYPE, type RawAnswer, sendAsAdmin } from './raw.ts'
import { type Json, newOffice, newPeer, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let furnished: Furnished

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
  furnished = await furnish(app, 1)
})

afterAll(() => app[Symbol.asyncDispose]())

/** An answer is a success, or says in `error` and `code`, and perhaps with ids in `details`, what is wrong. */
function expectOrderly(answer: RawAnswer, context: string): void {
  expect(answer.status, `${context} ${answer.text}`).toBeLessThan(500)
  expect(answer.text, context).not.toMatch(/\n\s+at |node_modules|\.ts:\d|sqlite/i)
  if (answer.status >= 400)
    expect(answer.body, context).toMatchObject({ error: expect.any(String), code: expect.any(String) })
}

async function send(method: string, path: string, body?: Json): Promise<RawAnswer> {
  const text = body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }
  const answer = await sendAsAdmin(app, { method, path, ...text })
  expectOrderly(answer, `${method} ${path} ${JSON.stringify(body)}`)
  return answer
}

/** A body for each write, which would do in the network `n` below. */
const WRITES: readonly (readonly [method: string, path: string, body: Record<string, Json>])[] = [
  ['POST', '/groups', { name: 'g', description: '', priority: 5 }],
  ['PUT', '/groups/:group_id', { name: 'g', description: '', priority: 5 }],
  ['PUT', '/groups/:group_id/policies/order', { policy_ids: [] }],
  ['POST', '/policies', { name: 'p', description: '', rules: [LAN_RULE] }],
  ['PUT', '/policies/:policy_id', { name: 'p', description: '' }],
  ['POST', '/policies/:policy_id/rules', { ...LAN_RULE, id: 'r' }],
  ['POST', '/policies/:policy_id/rules', { ...LAN_RULE, target_type: 'peer', target: 'x' }],
  [
    'POST',
    '/routes',
    {
      name: 'r',
      description: '',
      destination_cidr: '10.0.0.0/8',
      destination_cidr_v6: '::/0',
      jump_peer_id: 'x',
      domain_suffix: 'a',
    },
  ],
  [
    'PUT',
    '/routes/:route_id',
    { name: 'r', description: '', destination_cidr: '', destination_cidr_v6: '', jump_peer_id: 'x', domain_suffix: '' },
  ],
  ['POST', '/routes/:route_id/dns', { name: 'n', ip_address: '192.168.9.9', ip_address_v6: '' }],
  ['PUT', '/routes/:route_id/dns/:dns_id', { name: 'n', ip_address: '192.168.9.9', ip_address_v6: '' }],
  [
    'PUT',
    '/security/config',
    {
      enabled: true,
      session_conflict_threshold_minutes: 1,
      max_endpoint_changes_per_day: 1,
      max_port_changes_per_window: 1,
    },
  ],
  ['PUT', '', { name: 'net', default_group_ids: [] }],
]

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', ' ', '\n', '\u0000', '\ud800', '\u202e', '*', '*.', '%', "'", '..', 'a'.repeat(5000), '1e309'),
  fc.constantFrom('0.0.0.0/0', '::/0', '::ffff:0.0.0.0/96', '255.255.255.255/32', '::', '0.0.0.0', 'fe80::1%eth0'),
)

const anyJson: fc.Arbitrary<Json> = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary', maxDepth: 2 }),
  anyText,
  fc.array(anyText, { maxLength: 3 }),
  fc.array(fc.record({ direction: anyText, action: anyText, target: anyText, target_type: anyText }), { maxLength: 2 }),
  fc.constantFrom(null, true, 0, -1, 0.5, 1e308, 2 ** 53, -(2 ** 63), [], {}, [[]], [null], [{}]),
)

/** One write with some of its fields replaced, dropped or all of it replaced by any JSON. */
const spoiltWrite = fc.constantFrom(...WRITES).chain(([method, path, body]) => {
  const spoilt = fc.dictionary(fc.constantFrom(...Object.keys(body)), anyJson, { minKeys: 1, maxKeys: 2 })
  return fc
    .oneof(
      { weight: 8, arbitrary: spoilt.map((fields) => ({ ...body, ...fields })) },
      { weight: 1, arbitrary: anyJson },
    )
    .map((sent) => ({ method, path, body: sent }))
})

test('whatever JSON stands in the fields of a write, the answer is a success or says what is wrong', async () => {
  const { ids } = furnished
  const fill = (path: string) => `/networks/${ids.network_id}${path.replace(/:(\w+)/g, (_all, name) => ids[name]!)}`
  const run = fc.asyncProperty(
    spoiltWrite,
    async ({ method, path, body }) => void (await send(method, fill(path), body)),
  )
  await fc.assert(run, { numRuns: 150 })
})

test('whatever id stands in a path, the answer is a success or says what is wrong', async () => {
  const { ids } = furnished
  const odd = fc.oneof(anyText, fc.constantFrom('order', 'policies', '__proto__', 'constructor', 'null'))
  const paths = ['/groups/:a/peers/:b', '/groups/:a/policies/:b', '/policies/:a/rules/:b', '/routes/:a/dns/:b']
  const request = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
    path: fc.constantFrom(...paths),
    a: odd,
    b: odd,
  })
  const run = fc.asyncProperty(request, async ({ method, path, a, b }) => {
    const [first, second] = [a, b].map((text) => encodeURIComponent(text.toWellFormed()))
    const concrete = path.replace(':a', first!).replace(':b', second!)
    await send(method, `/networks/${ids.network_id}${concrete}`, method === 'GET' ? undefined : {})
  })
  await fc.assert(run, { numRuns: 150 })
})

/** One step of somebody at work; the numbers choose among the objects there are, foreign ones too. */
const step = fc.record({
  verb: fc.constantFrom('add', 'add', 'add', 'remove', 'reorder', 'move', 'aim', 'default', 'delete', 'create'),
  kind: fc.constantFrom('peers', 'policies', 'routes'),
  group: fc.nat(3),
  thing: fc.nat(5),
  other: fc.nat(5),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Does one step in `network`, where what it names may have been deleted before. */
async function act(network: Json, objects: Record<'groups' | Step['kind'], Json[]>, number: number, chosen: Step) {
  const { verb, kind, group, thing, other } = chosen
  const id = (name: keyof typeof objects, index: number) => objects[name][index % objects[name].length].id
  const path = `/networks/${network.id}`
  const inGroup = `${path}/groups/${id('groups', group)}`
  if (verb === 'add') return send('POST', `${inGroup}/${kind}/${id(kind, thing)}`)
  if (verb === 'remove') return send('DELETE', `${inGroup}/${kind}/${id(kind, thing)}`)
  const policy_ids = [id('policies', thing), id('policies', other)]
  if (verb === 'reorder') return send('PUT', `${inGroup}/policies/order`, { policy_ids })
  if (verb === 'move') return send('PUT', `${path}/routes/${id('routes', thing)}`, { jump_peer_id: id('peers', other) })
  const rule = { ...LAN_RULE, target_type: 'group', target: id('groups', group) }
  if (verb === 'aim') return send('POST', `${path}/policies/${id('policies', thing)}/rules`, rule)
  if (verb === 'default') return send('PUT', path, { default_group_ids: [id('groups', group)] })
  if (verb === 'create') return send('POST', `${path}/groups`, { name: `made-${number}`, priority: 1 + thing })
  return thing % 2 ? send('DELETE', `${inGroup}`) : send('DELETE', `${path}/${kind}/${id(kind, other)}`)
}

/** A network with groups, policies, routes and peers; the last of each belongs to another network. */
async function newWorld() {
  const { network, jump, laptop, server } = await newOffice(admin)
  const secondJump = await newPeer(admin, network, { name: 'second', is_jump: true })
  const made = { groups: [] as Json[], policies: [] as Json[], routes: [] as Json[] }
  for (const name of ['a', 'b', 'c']) {
    made.groups.push(await newGroup(admin, network, { name }))
    made.policies.push(
      await newPolicy(admin, network, { name, rules: [{ ...LAN_RULE, target_type: 'peer', target: server.id }] }),
    )
    made.routes.push(await newRoute(admin, network, name === 'c' ? secondJump : jump, { name }))
  }
  const peers = [jump, secondJump, laptop, server, furnished.laptop]
  const { ids } = furnished
  return {
    network,
    objects: {
      peers,
      groups: [...made.groups, { id: ids.group_id }],
      policies: [...made.policies, { id: ids.policy_id }],
      routes: [...made.routes, { id: ids.route_id }],
    },
  }
}

test('whatever is done in whatever order, no group is circular and nothing refers to what is not there', async () => {
  const run = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
    const { network, objects } = await newWorld()
    for (const [number, each] of steps.entries()) await act(network, objects, number, each)
    const at = (tail: string) => read(admin, `/networks/${network.id}${tail}`)
    const [groups, policies, routes] = [await at('/groups'), await at('/policies'), await at('/routes')]
    const { data: peers } = await at('/peers?page_size=500')
    const idsOf = (things: Json[]) => new Set(things.map((thing) => thing.id))
    const known = { peers: idsOf(peers), policies: idsOf(policies), routes: idsOf(routes), groups: idsOf(groups) }
    for (const group of groups) {
      for (const kind of ['peer', 'policy', 'route'] as const) {
        const there = known[({ peer: 'peers', policy: 'policies', route: 'routes' } as const)[kind]]
        expect(group[`${kind}_ids`].filter((id: string) => !there.has(id))).toEqual([])
        expect(new Set(group[`${kind}_ids`]).size).toBe(group[`${kind}_ids`].length)
      }
      const gateways = routes
        .filter((route: Json) => group.route_ids.includes(route.id))
        .map((route: Json) => route.jump_peer_id)
      expect(gateways.filter((id: string) => group.peer_ids.includes(id))).toEqual([])
    }
    for (const { target_type, target } of policies.flatMap((policy: Json) => policy.rules)) {
      if (target_type !== 'cidr') expect(known[`${target_type as 'peer' | 'group'}s`].has(target)).toBe(true)
    }
    expect((await at('')).default_group_ids.filter((id: string) => !known.groups.has(id))).toEqual([])
    for (const peer of peers) await at(`/peers/${peer.id}/reachability`)
    expect(await brokenReferences(app)).toEqual([])
  })
  await fc.assert(run, { numRuns: 8 })
})

test('after all this nothing was logged as our own fault', () => {
  expect(app.logged.filter((line) => JSON.parse(line).level >= 50)).toEqual([])
})
