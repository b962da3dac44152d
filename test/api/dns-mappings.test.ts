import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { GONE, INVALID, NOT_FOUND, newMapping, newRoute, routePath, TEXT, taken } from './policy-objects.ts'
import { bodyOf, type Json, newOffice, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let time = '2030-01-01T12:00:00.000Z'

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(time) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const listed = (route: Json) => read(admin, `${routePath(route)}/dns`)
const post = (route: Json, body: object) => admin.post(`${routePath(route)}/dns`, body)
const mappingPath = (route: Json, mapping: Json) => `${routePath(route)}/dns/${mapping.id}`

/** A route to a prefix of each family. */
async function newDualRoute(): Promise<Json> {
  const { network, jump } = await newOffice(admin)
  return newRoute(admin, network, jump, { destination_cidr_v6: 'fd00:1::/64' })
}

test('a DNS mapping is created as given and listed with its route', async () => {
  const { network, jump } = await newOffice(admin)
  const route = await newRoute(admin, network, jump)
  expect(await listed(route)).toEqual([])
  const given = { name: 'server1', ip_address: '192.168.1.10' }
  const mapping = bodyOf(await post(route, given), 201)
  expect(mapping).toEqual({ id: TEXT, route_id: route.id, ...given, created_at: time, updated_at: time })
  expect(await listed(route)).toEqual([mapping])
})

test('a DNS mapping has an address of either family or of both', async () => {
  const route = await newDualRoute()
  const v6 = { name: 'v6', ip_address: undefined, ip_address_v6: 'fd00:1::10' }
  expect(await newMapping(admin, route, v6)).toMatchObject({ ip_address: '', ip_address_v6: 'fd00:1::10' })
  const both = { name: 'both', ip_address: '192.168.1.10', ip_address_v6: 'fd00:1::10' }
  expect(await newMapping(admin, route, both)).toMatchObject(both)
  expect(await newMapping(admin, route, { name: 'v4', ip_address_v6: '' })).not.toHaveProperty('ip_address_v6')
})

test('DNS mappings are listed oldest first', async () => {
  const route = await newDualRoute()
  const names = ['c', 'a', 'b']
  for (const name of names) await newMapping(admin, route, { name })
  expect((await listed(route)).map((mapping: Json) => mapping.name)).toEqual(names)
})

test('an update changes the given fields of a DNS mapping and no others', async () => {
  const route = await newDualRoute()
  const mapping = await newMapping(admin, route)
  time = '2030-01-01T13:00:00.000Z'
  let wanted = { ...mapping, updated_at: time }
  const changes = [{ name: 'server1-new' }, { ip_address: '192.168.1.11' }, { ip_address_v6: 'fd00:1::11' }, {}]
  for (const change of changes) {
    wanted = { ...wanted, ...change }
    expect(bodyOf(await admin.put(mappingPath(route, mapping), change), 200)).toEqual(wanted)
  }
  for (const nothing of ['', null]) {
    const body = { name: nothing, ip_address: nothing, ip_address_v6: nothing }
    expect(bodyOf(await admin.put(mappingPath(route, mapping), body), 200)).toEqual(wanted)
  }
  expect(await listed(route)).toEqual([wanted])
})

test.each(['a', '1', 'server1', 'Server-1', 'UPPER', 'x'.repeat(63), '*', '*.apps', '*.A.b-c'])(
  'the name of a DNS mapping may be %s',
  async (name) => {
    const route = await newDualRoute()
    expect(await newMapping(admin, route, { name })).toMatchObject({ name })
    const other = await newMapping(admin, route, { name: 'other' })
    bodyOf(await admin.delete(mappingPath(route, (await listed(route))[0])), 204)
    expect(bodyOf(await admin.put(mappingPath(route, other), { name }), 200)).toMatchObject({ name })
  },
)

test('a name that is no DNS label and no wildcard is refused', async () => {
  const route = await newDualRoute()
  const mapping = await newMapping(admin, route)
  const names = [
    '-a',
    'a-',
    'a_b',
    'a b',
    'a.b',
    '.',
    '*.',
    '**',
    '*a',
    'a*',
    'a.*',
    '*.*',
    '*.a_b',
    '*.-a',
    'ü',
    'a\n',
    ' a',
    '@',
  ]
  for (const name of [...names, 'x'.repeat(64), `*.${'x'.repeat(64)}`, `*${'.x'.repeat(130)}`, 7, true, ['a']]) {
    const body = { name, ip_address: '192.168.1.20' }
    expect(await post(route, body), JSON.stringify(name)).toMatchObject(INVALID)
    expect(await admin.put(mappingPath(route, mapping), body), JSON.stringify(name)).toMatchObject(INVALID)
  }
  for (const name of ['', null, undefined]) {
    expect(await post(route, { name, ip_address: '192.168.1.20' })).toMatchObject(INVALID)
  }
  expect(await listed(route)).toEqual([mapping])
})

test('the name of a DNS mapping is unique on its route', async () => {
  const route = await newDualRoute()
  const mapping = await newMapping(admin, route)
  const other = await newMapping(admin, route, { name: 'other' })
  expect(await post(route, { name: 'server1', ip_address: '192.168.1.11' })).toMatchObject(taken('server1'))
  expect(await admin.put(mappingPath(route, other), { name: 'server1' })).toMatchObject(taken('server1'))
  expect(await listed(route)).toEqual([mapping, other])
  bodyOf(await admin.put(mappingPath(route, mapping), { name: 'server1' }), 200)
  expect(await newMapping(admin, await newDualRoute())).toMatchObject({ name: 'server1' })
})

test('an address of a DNS mapping lies within the prefix of its family', async () => {
  const route = await newDualRoute()
  const inside = [
    { ip_address: '192.168.1.0' },
    { ip_address: '192.168.1.255' },
    { ip_address: '', ip_address_v6: 'fd00:1::' },
    { ip_address: '', ip_address_v6: 'fd00:1::ffff:ffff:ffff:ffff' },
  ]
  for (const [number, fields] of inside.entries()) await newMapping(admin, route, { name: `n${number}`, ...fields })
  const before = await listed(route)
  const outside: Json[] = [
    ...[
      '192.168.0.255',
      '192.168.2.0',
      '0.0.0.0',
      'fd00:1::1',
      '192.168.1.10/32',
      '192.168.1',
      '192.168.1.010',
      'x',
      7,
      [],
    ].map((ip_address) => ({ ip_address })),
    ...[
      'fd00:2::',
      'fd00:0:ffff::',
      '::',
      '192.168.1.10',
      '::ffff:192.168.1.10',
      'fd00:1::1%eth0',
      'fd00:1::/64',
      'x',
    ].map((ip_address_v6) => ({ ip_address_v6 })),
    { ip_address: '192.168.1.10', ip_address_v6: 'fd00:2::1' },
  ]
  for (const fields of outside) {
    expect(await post(route, { name: 'new', ...fields }), JSON.stringify(fields)).toMatchObject(INVALID)
    expect(await admin.put(mappingPath(route, before[0]), fields), JSON.stringify(fields)).toMatchObject(INVALID)
  }
  for (const body of [{}, { ip_address: '' }, { ip_address: null, ip_address_v6: null }]) {
    expect(await post(route, { name: 'new', ...body })).toMatchObject(INVALID)
  }
  expect(await listed(route)).toEqual(before)
})

test('a DNS mapping has no address of a family that its route lacks', async () => {
  const { network, jump } = await newOffice(admin)
  const v4 = await newRoute(admin, network, jump)
  const only = { destination_cidr: undefined, destination_cidr_v6: 'fd00:1::/64' }
  const v6 = await newRoute(admin, network, jump, { name: 'v6', ...only })
  expect(await post(v4, { name: 'a', ip_address_v6: 'fd00:1::1' })).toMatchObject(INVALID)
  expect(await post(v6, { name: 'a', ip_address: '192.168.1.1' })).toMatchObject(INVALID)
  expect([await listed(v4), await listed(v6)]).toEqual([[], []])
})

test('a route does not change to a prefix that leaves one of its DNS mappings outside', async () => {
  const route = await newDualRoute()
  const mapping = await newMapping(admin, route, { ip_address: '192.168.1.200', ip_address_v6: 'fd00:1::200' })
  const put = (body: object) => admin.put(routePath(route), body)
  const narrow = ['192.168.1.0/25', '192.168.2.0/24', '10.0.0.0/8', '192.168.1.201/32']
  for (const destination_cidr of narrow) expect(await put({ name: 'x', destination_cidr })).toMatchObject(INVALID)
  for (const destination_cidr_v6 of ['fd00:1::/120', 'fd00:2::/64']) {
    expect(await put({ destination_cidr: '192.168.0.0/16', destination_cidr_v6 })).toMatchObject(INVALID)
  }
  expect(await read(admin, routePath(route))).toEqual(route)
  const fitting = { destination_cidr: '192.168.1.128/25', destination_cidr_v6: 'fd00:1::200/128' }
  expect(bodyOf(await put(fitting), 200)).toMatchObject(fitting)
  bodyOf(await admin.delete(mappingPath(route, mapping)), 204)
  expect(bodyOf(await put({ destination_cidr: '10.0.0.0/8' }), 200)).toMatchObject({ destination_cidr: '10.0.0.0/8' })
})

test('a DNS mapping is found on its own route only, until it is deleted', async () => {
  const [route, other] = [await newDualRoute(), await newDualRoute()]
  const mapping = await newMapping(admin, route)
  const body = { name: 'stolen', ip_address: '192.168.1.66' }
  const wrong = [
    other,
    { ...route, network_id: other.network_id },
    { ...route, id: 'none' },
    { ...route, network_id: 'none' },
  ]
  for (const absent of wrong) {
    expect(await admin.put(mappingPath(absent, mapping), body)).toMatchObject(NOT_FOUND)
    expect(await admin.delete(mappingPath(absent, mapping))).toMatchObject(NOT_FOUND)
  }
  for (const absent of wrong.slice(1)) {
    expect(await admin.get(`${routePath(absent)}/dns`)).toMatchObject(NOT_FOUND)
    expect(await post(absent, body)).toMatchObject(NOT_FOUND)
  }
  expect(await listed(route)).toEqual([mapping])
  expect(await admin.delete(mappingPath(route, mapping))).toMatchObject(GONE)
  expect(await admin.delete(mappingPath(route, mapping))).toMatchObject(NOT_FOUND)
  expect(await admin.put(mappingPath(route, mapping), body)).toMatchObject(NOT_FOUND)
  expect([await listed(route), await listed(other)]).toEqual([[], []])
})
