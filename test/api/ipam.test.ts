import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import {
  addressesOf,
  addressPlan,
  bodyOf,
  configOf,
  type Json,
  newNetwork,
  newOffice,
  newPeer,
  peerPath,
  read,
} from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

function allocation(network: Json, peer: Json, family: 'ipv4' | 'ipv6'): Json {
  return {
    network_id: network.id,
    network_name: network.name,
    network_cidr: family === 'ipv4' ? network.cidr : network.cidr_v6,
    family,
    ip: family === 'ipv4' ? peer.address : peer.address_v6,
    peer_id: peer.id,
    peer_name: peer.name,
    allocated: true,
  }
}

test('peers get the lowest free address first', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.0.0/24' })
  for (const name of ['a', 'b', 'c']) await newPeer(admin, network, { name })
  expect(await addressesOf(admin, network)).toEqual(['192.168.0.1', '192.168.0.2', '192.168.0.3'])
})

test('addresses of deleted peers are used again, the lowest first', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.1.0/24' })
  const peers: Json[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e']) peers.push(await newPeer(admin, network, { name }))
  for (const index of [3, 1, 2]) bodyOf(await admin.delete(peerPath(network, peers[index])), 204)
  const again: string[] = []
  for (const name of ['f', 'g', 'h', 'i']) again.push((await newPeer(admin, network, { name })).address)
  expect(again).toEqual(['192.168.1.2', '192.168.1.3', '192.168.1.4', '192.168.1.6'])
})

test('whatever is created and deleted, each new peer has the lowest address that no peer holds', async () => {
  const steps = fc.array(fc.oneof(fc.constant('create'), fc.nat(20)), { minLength: 10, maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const network = await newNetwork(admin, { cidr: '192.168.2.0/28' })
      const held = new Map<number, Json>()
      for (const step of given) {
        const free = Array.from({ length: 14 }, (_, index) => index + 1).find((host) => !held.has(host))
        if (step === 'create') {
          const answer = await admin.post(`/networks/${network.id}/peers`, { name: 'peer' })
          expect(answer.status).toBe(free === undefined ? 409 : 201)
          if (free !== undefined) expect(answer.body.address).toBe(`192.168.2.${free}`)
          if (free !== undefined) held.set(free, answer.body)
        } else if (held.has(step)) {
          bodyOf(await admin.delete(peerPath(network, held.get(step))), 204)
          held.delete(step)
        }
      }
      bodyOf(await admin.delete(`/networks/${network.id}`), 204)
    }),
    { numRuns: 8 },
  )
})

test('a /30 holds two peers; the third is refused in words until one is deleted', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.3.0/30' })
  const first = await newPeer(admin, network, { name: 'first' })
  await newPeer(admin, network, { name: 'second' })
  const third = await admin.post(`/networks/${network.id}/peers`, { name: 'third' })
  expect(third).toMatchObject({ status: 409, body: { code: 'exhausted' } })
  expect(third.body.error).toMatch(/192\.168\.3\.0\/30 has no free address/)
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 2 })
  bodyOf(await admin.delete(peerPath(network, first)), 204)
  expect(await newPeer(admin, network, { name: 'third' })).toMatchObject({ address: '192.168.3.1' })
})

test.each([
  ['cidr', '192.168.4.0/31'],
  ['cidr', '192.168.4.1/32'],
  ['cidr_v6', 'fd04::1/128'],
])('a network with the %s %s is refused, since no peer would fit', async (field, text) => {
  const before = await addressPlan(admin)
  const answer = await admin.post('/networks', { name: 'tiny', [field]: text })
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } })
  expect(answer.body.error).toContain(`${text} has no usable address`)
  const network = await newNetwork(admin, { cidr: '192.168.4.0/24' })
  expect(await admin.put(`/networks/${network.id}`, { [field]: text })).toMatchObject({ status: 400 })
  bodyOf(await admin.delete(`/networks/${network.id}`), 204)
  expect(await addressPlan(admin)).toEqual(before)
})

test.each([
  ['the same', '192.168.5.0/24', undefined],
  ['a part', '192.168.5.64/26', undefined],
  ['the whole', '192.168.4.0/23', undefined],
  ['everything', '0.0.0.0/0', undefined],
  ['the same IPv6', undefined, 'fd05::/64'],
  ['a part of the IPv6', undefined, 'fd05:0:0:0:8000::/65'],
  ['a free IPv4 and the same IPv6', '192.168.99.0/24', 'fd05::/64'],
])('a network on %s prefix of another one is refused and changes nothing', async (_what, cidr, cidr_v6) => {
  const holder = await newNetwork(admin, { name: 'holder', cidr: '192.168.5.0/24', cidr_v6: 'fd05::/64' })
  const before = await addressPlan(admin)
  const answer = await admin.post('/networks', { name: 'second', cidr, cidr_v6 })
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(answer.body.error).toContain('overlaps network "holder"')
  expect(await addressPlan(admin)).toEqual(before)
  bodyOf(await admin.delete(`/networks/${holder.id}`), 204)
})

test('of many who ask for the same CIDR at once, one gets it', async () => {
  const wishes = ['192.168.6.0/24', '192.168.6.0/25', '192.168.6.128/25', '192.168.6.0/24', '192.168.6.0/23']
  const asked = [...wishes, ...wishes].map((cidr) => admin.post('/networks', { name: 'race', cidr }))
  const answers = await Promise.all(asked)
  const { data } = await read(admin, '/networks?filter=race')
  expect(data.length).toBe(answers.filter((answer) => answer.status === 201).length)
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201, 409]))
  expect([1, 2]).toContain(data.length)
})

test('200 peers asked for at once all get an address of their own', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.7.0/24', cidr_v6: 'fd07::/64' })
  const names = Array.from({ length: 200 }, (_, index) => `peer-${index}`)
  const answers = await Promise.all(names.map((name) => admin.post(`/networks/${network.id}/peers`, { name })))
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]))
  const hosts = Array.from({ length: 200 }, (_, index) => index + 1)
  const taken = (field: string) => new Set(answers.map((answer) => answer.body[field]))
  expect(taken('address')).toEqual(new Set(hosts.map((host) => `192.168.7.${host}`)))
  expect(taken('address_v6')).toEqual(new Set(hosts.map((host) => `fd07::${host.toString(16)}`)))
  expect(taken('public_key').size).toBe(200)
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 200 })
})

test('peers deleted and created at once never share an address', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.8.0/27' })
  const peers = await Promise.all(Array.from({ length: 20 }, () => newPeer(admin, network)))
  const steps = peers.flatMap((peer) => [
    admin.delete(peerPath(network, peer)),
    admin.post(`/networks/${network.id}/peers`, { name: 'new' }),
  ])
  expect(new Set((await Promise.all(steps)).map((answer) => answer.status))).toEqual(new Set([204, 201]))
  const addresses = await addressesOf(admin, network)
  expect(addresses).toHaveLength(20)
  expect(new Set(addresses).size).toBe(20)
})

test('peers of an IPv6-only network have an IPv6 address alone', async () => {
  const network = bodyOf(await admin.post('/networks', { name: 'six', cidr_v6: 'fd09:0000::/64' }), 201)
  expect(network).toMatchObject({ cidr: '', cidr_v6: 'fd09::/64' })
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true })
  const peer = await newPeer(admin, network, { name: 'peer' })
  expect([jump.address_v6, peer.address_v6]).toEqual(['fd09::1', 'fd09::2'])
  expect([jump.address, peer.address]).toEqual(['', ''])
  const config = await configOf(admin, network, peer)
  expect(config).toContain('\nAddress = fd09::2\n')
  expect(config).toContain('\nAllowedIPs = fd09::1/128\n')
  expect(await read(admin, `/ipam/networks/${network.id}`)).toEqual([
    allocation(network, jump, 'ipv6'),
    allocation(network, peer, 'ipv6'),
  ])
  expect(await read(admin, `${peerPath(network, peer)}/reachability`)).toMatchObject({
    peer_address: 'fd09::2',
    peer_access: [{ address: 'fd09::1' }],
  })
})

test('peers of a dual-stack network have an address of each family, listed one by one', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.10.0/24', cidr_v6: 'fd10::/64' })
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true })
  const peer = await newPeer(admin, network, { name: 'peer' })
  expect(peer).toMatchObject({ address: '192.168.10.2', address_v6: 'fd10::2' })
  const config = await configOf(admin, network, peer)
  expect(config).toContain('\nAddress = 192.168.10.2, fd10::2\n')
  expect(config).toContain('\nAllowedIPs = 192.168.10.1/32, fd10::1/128\n')
  expect(await read(admin, `/ipam/networks/${network.id}`)).toEqual(
    [jump, peer].flatMap((each) => [allocation(network, each, 'ipv4'), allocation(network, each, 'ipv6')]),
  )
})

test('a peer of a dual-stack network is not created when one family is exhausted', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.11.0/24', cidr_v6: 'fd11::/127' })
  await newPeer(admin, network)
  const before = await addressPlan(admin)
  expect(await admin.post(`/networks/${network.id}/peers`, { name: 'late' })).toMatchObject({ status: 409 })
  expect(await addressPlan(admin)).toEqual(before)
  const wider = bodyOf(await admin.put(`/networks/${network.id}`, { name: 'office' }), 200)
  expect(wider).toMatchObject({ peer_count: 1 })
})

test('allocations are found by a part of the network name, the address or the peer name', async () => {
  const network = await newNetwork(admin, { name: 'findable', cidr: '192.168.12.0/24', cidr_v6: 'fd12::/64' })
  const peer = await newPeer(admin, network, { name: 'needle' })
  const four = allocation(network, peer, 'ipv4')
  const six = allocation(network, peer, 'ipv6')
  for (const filter of ['FINDABLE', 'needle']) {
    expect(await read(admin, `/ipam?filter=${filter}`)).toEqual({ data: [four, six], total: 2, page: 1, page_size: 20 })
  }
  expect((await read(admin, '/ipam?filter=192.168.12.1')).data).toContainEqual(four)
  expect((await read(admin, '/ipam?filter=fd12')).data).toContainEqual(six)
  for (const filter of ['%25', '_', "'"])
    expect(await read(admin, `/ipam?filter=${filter}`)).toMatchObject({ total: 0 })
})

test('pages of allocations hold at most 100', async () => {
  expect(await read(admin, '/ipam?page_size=1000')).toMatchObject({ page: 1, page_size: 100 })
  expect(await read(admin, '/ipam?page=999999999999999')).toMatchObject({ data: [] })
  expect(await admin.get('/ipam?page=abc')).toMatchObject({ status: 400 })
})

test('a user sees the addresses of its own peers only', async () => {
  const { network } = await newOffice(admin)
  const other = await newNetwork(admin)
  const dora = app.as((await app.addUser('dora', [network.id])).token)
  const phone = await newPeer(dora, network, { name: 'phone' })
  const own = [allocation(network, phone, 'ipv4')]
  expect(await read(dora, '/ipam')).toEqual({ data: own, total: 1, page: 1, page_size: 20 })
  expect(await read(dora, `/ipam/networks/${network.id}`)).toEqual(own)
  expect(await dora.get(`/ipam/networks/${other.id}`)).toMatchObject({ status: 404 })
  expect(await dora.get('/ipam/networks/nowhere')).toMatchObject({ status: 404 })
})

test('the allocations of a network without peers are an empty list', async () => {
  const network = await newNetwork(admin)
  expect(await read(admin, `/ipam/networks/${network.id}`)).toEqual([])
})
