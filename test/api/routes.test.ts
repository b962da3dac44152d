import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { everythingOf, GONE, INVALID, NO_NAMES, NOT_FOUND, newRoute, routePath, TEXT, taken } from './policy-objects.ts'
import { bodyOf, type Json, newOffice, newPeer, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let time = '2030-01-01T12:00:00.000Z'

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(time) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const listed = (network: Json) => read(admin, `/networks/${network.id}/routes`)
const post = (network: Json, body: object) => admin.post(`/networks/${network.id}/routes`, body)

test('a route is created as given and shown the same alone and in the list', async () => {
  const { network, jump } = await newOffice(admin)
  expect(await listed(network)).toEqual([])
  const given = {
    name: 'office-lan',
    description: 'Office internal network',
    destination_cidr: '192.168.1.0/24',
    jump_peer_id: jump.id,
    domain_suffix: 'office.internal',
  }
  const route = bodyOf(await post(network, given), 201)
  expect(route).toEqual({ id: TEXT, network_id: network.id, ...given, created_at: time, updated_at: time })
  expect(await read(admin, routePath(route))).toEqual(route)
  expect(await listed(network)).toEqual([route])
})

test('a route without description and suffix has none and internal', async () => {
  const { network, jump } = await newOffice(admin)
  expect(await newRoute(admin, network, jump)).toMatchObject({ description: '', domain_suffix: 'internal' })
  const empty = { name: 'empty', description: '', domain_suffix: '', destination_cidr_v6: '' }
  expect(await newRoute(admin, network, jump, empty)).toMatchObject({ description: '', domain_suffix: 'internal' })
})

test('a route leads to a prefix of either family or of both', async () => {
  const { network, jump } = await newOffice(admin)
  const made = async (name: string, fields: object) => newRoute(admin, network, jump, { name, ...fields })
  expect(await made('v4', {})).not.toHaveProperty('destination_cidr_v6')
  const v6 = { destination_cidr: undefined, destination_cidr_v6: 'fd00:1::/64' }
  expect(await made('v6', v6)).toMatchObject({ destination_cidr: '', destination_cidr_v6: 'fd00:1::/64' })
  const all = { destination_cidr: '0.0.0.0/0', destination_cidr_v6: '::/0' }
  expect(await made('everything', all)).toMatchObject(all)
  const loose = { destination_cidr: '192.168.1.7/24', destination_cidr_v6: 'FD00:1:0::7/64' }
  const canonical = { destination_cidr: '192.168.1.0/24', destination_cidr_v6: 'fd00:1::/64' }
  expect(await made('host-bits', loose)).toMatchObject(canonical)
  expect(await made('whole-network', { destination_cidr: network.cidr })).toMatchObject({
    destination_cidr: network.cidr,
  })
})

test('routes are listed oldest first', async () => {
  const { network, jump } = await newOffice(admin)
  const names = ['c', 'a', 'b']
  for (const name of names) await newRoute(admin, network, jump, { name })
  expect((await listed(network)).map((route: Json) => route.name)).toEqual(names)
})

test('an update changes the given fields of a route and no others', async () => {
  const { network, jump } = await newOffice(admin)
  const second = await newPeer(admin, network, { name: 'second', is_jump: true })
  const route = await newRoute(admin, network, jump)
  time = '2030-01-01T13:00:00.000Z'
  let wanted = { ...route, updated_at: time }
  const changes: object[] = [
    { name: 'office-lan-v2' },
    { description: 'Updated description' },
    { destination_cidr: '192.168.2.0/24' },
    { jump_peer_id: second.id },
    { domain_suffix: 'corp.internal' },
    { destination_cidr_v6: 'fd00:2::/64' },
    {},
    { description: '' },
  ]
  for (const change of changes) {
    wanted = { ...wanted, ...change }
    expect(bodyOf(await admin.put(routePath(route), change), 200)).toEqual(wanted)
  }
  const empty = { name: '', destination_cidr: '', destination_cidr_v6: '', domain_suffix: '' }
  expect(bodyOf(await admin.put(routePath(route), empty), 200)).toEqual(wanted)
  const none = { name: null, description: null, destination_cidr: null, jump_peer_id: null, domain_suffix: null }
  expect(bodyOf(await admin.put(routePath(route), none), 200)).toEqual(wanted)
  expect(await listed(network)).toEqual([wanted])
})

test('a route needs a name, a prefix and a jump peer', async () => {
  const { network, jump } = await newOffice(admin)
  const whole = { name: 'lan', destination_cidr: '192.168.1.0/24', jump_peer_id: jump.id }
  for (const field of Object.keys(whole)) {
    expect(await post(network, { ...whole, [field]: undefined }), field).toMatchObject(INVALID)
    expect(await post(network, { ...whole, [field]: '' }), field).toMatchObject(INVALID)
    expect(await post(network, { ...whole, [field]: null }), field).toMatchObject(INVALID)
  }
  expect(await listed(network)).toEqual([])
})

test('the gateway of a route is a jump peer of its network', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const elsewhere = await newOffice(admin)
  const route = await newRoute(admin, network, jump)
  for (const jump_peer_id of [laptop.id, elsewhere.jump.id, 'none', jump.name, '*', 7, [jump.id]]) {
    const body = { name: 'other', destination_cidr: '192.168.1.0/24', jump_peer_id }
    expect(await post(network, body), String(jump_peer_id)).toMatchObject(INVALID)
    expect(await admin.put(routePath(route), body), String(jump_peer_id)).toMatchObject(INVALID)
  }
  expect(await listed(network)).toEqual([route])
})

test('a prefix of the wrong family or none at all is refused and changes nothing', async () => {
  const { network, jump } = await newOffice(admin)
  const route = await newRoute(admin, network, jump)
  const before = await everythingOf(admin, network)
  const wrong = [
    { destination_cidr: 'fd00::/64' },
    { destination_cidr_v6: '192.168.1.0/24' },
    ...['192.168.1.0', '192.168.1.0/33', '192.168.1/24', 'lan', '/', '10.0.0.0/8\n', 7].map((destination_cidr) => ({
      destination_cidr,
    })),
    ...['fd00::', 'fd00::/129', 'fe80::%eth0/64', 'g::/64'].map((destination_cidr_v6) => ({ destination_cidr_v6 })),
  ]
  for (const fields of wrong) {
    const body = { name: 'other', jump_peer_id: jump.id, destination_cidr: '192.168.9.0/24', ...fields }
    expect(await post(network, body), JSON.stringify(fields)).toMatchObject(INVALID)
    expect(await admin.put(routePath(route), body), JSON.stringify(fields)).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('the suffix of a route is a DNS name in which upper case is allowed', async () => {
  const { network, jump } = await newOffice(admin)
  for (const domain_suffix of ['Office.Internal', 'a', 'x-1.y', `${'x'.repeat(63)}.example`]) {
    const route = await newRoute(admin, network, jump, { name: domain_suffix, domain_suffix })
    expect(route).toMatchObject({ domain_suffix })
  }
  const before = await listed(network)
  const long = Array.from({ length: 5 }, () => 'x'.repeat(60)).join('.')
  for (const domain_suffix of ['.a', 'a.', '-a', 'a-', 'a b', 'a_b', 'a\n', 'a..b', 'ü', '.', long, 7]) {
    const body = { name: 'other', destination_cidr: '10.0.0.0/8', jump_peer_id: jump.id, domain_suffix }
    expect(await post(network, body), String(domain_suffix)).toMatchObject(INVALID)
    expect(await admin.put(routePath(before[0]), body), String(domain_suffix)).toMatchObject(INVALID)
  }
  expect(await listed(network)).toEqual(before)
})

test('the name of a route is unique in its network', async () => {
  const { network, jump } = await newOffice(admin)
  const elsewhere = await newOffice(admin)
  const route = await newRoute(admin, network, jump, { name: 'one' })
  const other = await newRoute(admin, network, jump, { name: 'two' })
  const again = { name: 'one', destination_cidr: '192.168.7.0/24', jump_peer_id: jump.id }
  expect(await post(network, again)).toMatchObject(taken('one'))
  expect(await admin.put(routePath(other), again)).toMatchObject(taken('one'))
  expect(await listed(network)).toEqual([route, other])
  expect(bodyOf(await admin.put(routePath(route), { name: 'one' }), 200)).toMatchObject({ name: 'one' })
  expect(await newRoute(admin, elsewhere.network, elsewhere.jump, { name: 'one' })).toMatchObject({ name: 'one' })
})

test('the name of a route has one line of at most 255 characters', async () => {
  const { network, jump } = await newOffice(admin)
  const route = await newRoute(admin, network, jump, { name: 'x'.repeat(255) })
  for (const name of [...NO_NAMES, 'x'.repeat(256)]) {
    const body = { name, destination_cidr: '192.168.7.0/24', jump_peer_id: jump.id }
    expect(await post(network, body), JSON.stringify(name)).toMatchObject(INVALID)
    expect(await admin.put(routePath(route), body), JSON.stringify(name)).toMatchObject(INVALID)
  }
  for (const description of ['a\nb', 'x'.repeat(256), 7]) {
    expect(await admin.put(routePath(route), { description })).toMatchObject(INVALID)
  }
  expect(await listed(network)).toEqual([route])
})

test('a route is found in its own network only, until it is deleted', async () => {
  const { network, jump } = await newOffice(admin)
  const elsewhere = await newOffice(admin)
  const route = await newRoute(admin, network, jump)
  const body = { name: 'stolen', destination_cidr: '10.9.0.0/16', jump_peer_id: elsewhere.jump.id }
  for (const wrong of [
    routePath({ ...route, network_id: elsewhere.network.id }),
    routePath({ ...route, id: 'none' }),
  ]) {
    expect(await admin.get(wrong)).toMatchObject(NOT_FOUND)
    expect(await admin.put(wrong, body)).toMatchObject(NOT_FOUND)
    expect(await admin.delete(wrong)).toMatchObject(NOT_FOUND)
  }
  expect(await admin.get('/networks/none/routes')).toMatchObject(NOT_FOUND)
  expect(await admin.post('/networks/none/routes', body)).toMatchObject(NOT_FOUND)
  expect(await listed(network)).toEqual([route])
  expect(await admin.delete(routePath(route))).toMatchObject(GONE)
  expect(await admin.delete(routePath(route))).toMatchObject(NOT_FOUND)
  expect(await admin.get(routePath(route))).toMatchObject(NOT_FOUND)
  expect(await listed(network)).toEqual([])
})
