import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { NOT_FOUND, newMapping, newRoute, routePath } from './policy-objects.ts'
import { bodyOf, type Json, newNetwork, newPeer, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const records = (network: Json) => read(admin, `/networks/${network.id}/dns`)

test('the names of a network are those of its peers, then those of its DNS mappings', async () => {
  const network = await newNetwork(admin, { name: 'office', cidr: '10.10.0.0/16' })
  expect(await records(network)).toEqual([])
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true })
  const route = await newRoute(admin, network, jump, { name: 'office-lan', domain_suffix: 'office.internal' })
  await newMapping(admin, route)
  await newPeer(admin, network, { name: 'laptop-alice' })
  expect(await records(network)).toEqual([
    { name: 'jump', ip_address: '10.10.0.1', fqdn: 'jump.office.internal', type: 'peer' },
    { name: 'laptop-alice', ip_address: '10.10.0.2', fqdn: 'laptop-alice.office.internal', type: 'peer' },
    { name: 'server1', ip_address: '192.168.1.10', fqdn: 'server1.office-lan.office.internal', type: 'route' },
  ])
})

test('a name has the addresses of both families where there are both', async () => {
  const network = await newNetwork(admin, {
    name: 'dual',
    cidr: '10.20.0.0/24',
    cidr_v6: 'fd20::/64',
    domain_suffix: 'corp',
  })
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true })
  const route = await newRoute(admin, network, jump, { destination_cidr_v6: 'fd00:1::/64' })
  await newMapping(admin, route, { name: 'both', ip_address_v6: 'fd00:1::10' })
  await newMapping(admin, route, { name: '*.Apps', ip_address: '', ip_address_v6: 'fd00:1::11' })
  expect(await records(network)).toEqual([
    { name: 'jump', ip_address: jump.address, ip_address_v6: jump.address_v6, fqdn: 'jump.dual.corp', type: 'peer' },
    { name: 'both', ip_address: '192.168.1.10', ip_address_v6: 'fd00:1::10', fqdn: 'both.lan.internal', type: 'route' },
    { name: '*.Apps', ip_address_v6: 'fd00:1::11', fqdn: '*.Apps.lan.internal', type: 'route' },
  ])
})

test('a peer of a network without IPv4 has a name for its IPv6 address', async () => {
  const network = await newNetwork(admin, { name: 'six', cidr: '', cidr_v6: 'fd21::/64' })
  const peer = await newPeer(admin, network, { name: 'laptop' })
  expect(await records(network)).toEqual([
    { name: 'laptop', ip_address_v6: peer.address_v6, fqdn: 'laptop.six.internal', type: 'peer' },
  ])
})

test('names follow the names and suffixes that they are made of', async () => {
  const network = await newNetwork(admin, { name: 'before', cidr: '10.30.0.0/24', domain_suffix: 'kept.example' })
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true })
  const route = await newRoute(admin, network, jump)
  const mapping = await newMapping(admin, route)
  const fqdns = async () => (await records(network)).map((record: Json) => record.fqdn)
  expect(await fqdns()).toEqual(['jump.before.kept.example', 'server1.lan.internal'])
  bodyOf(await admin.put(`/networks/${network.id}`, { name: 'after', domain_suffix: 'corp' }), 200)
  bodyOf(await admin.put(routePath(route), { name: 'wan', domain_suffix: 'branch.corp' }), 200)
  bodyOf(await admin.put(peerPath(network, jump), { name: 'hub' }), 200)
  bodyOf(await admin.put(`${routePath(route)}/dns/${mapping.id}`, { name: 'printer' }), 200)
  expect(await fqdns()).toEqual(['hub.after.corp', 'printer.wan.branch.corp'])
  bodyOf(await admin.delete(routePath(route)), 204)
  expect(await fqdns()).toEqual(['hub.after.corp'])
})

test('each network has its own names', async () => {
  const [one, two] = [await newNetwork(admin, { name: 'one' }), await newNetwork(admin, { name: 'two' })]
  const jump = await newPeer(admin, one, { name: 'jump', is_jump: true })
  await newMapping(admin, await newRoute(admin, one, jump))
  await newPeer(admin, two, { name: 'laptop' })
  expect((await records(one)).map((record: Json) => record.name)).toEqual(['jump', 'server1'])
  expect((await records(two)).map((record: Json) => record.name)).toEqual(['laptop'])
  expect(await admin.get('/networks/none/dns')).toMatchObject(NOT_FOUND)
})
