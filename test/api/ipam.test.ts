import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, configOf, type Json, newNetwork, newOffice, newPeer, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

/** Everything that a refused change must leave as it was. */
async function everything(): Promise<Json> {
  const networks = await read(admin, '/networks?page_size=200')
  const allocations = await read(admin, '/ipam?page_size=100')
  const free = await read(admin, '/ipam/available-cidrs?max_peers=100&count=20')
  return { networks, allocations, free }
}

async function addressesOf(network: Json): Promise<string[]> {
  const { data } = await read(admin, `/networks/${network.id}/peers?page_size=500`)
  return data.map((peer: Json) => peer.address)
}

test('peers get the lowest free address first', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.0.0/24' })
  for (const name of ['a', 'b', 'c']) await newPeer(admin, network, { name })
  expect(await addressesOf(network)).toEqual(['192.168.0.1', '192.168.0.2', '192.168.0.3'])
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
  const before = await everything()
  const answer = await admin.post('/networks', { name: 'tiny', [field]: text })
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } })
  expect(answer.body.error).toContain(`${text} has no usable address`)
  const network = await newNetwork(admin, { cidr: '192.168.4.0/24' })
  expect(await admin.put(`/networks/${network.id}`, { [field]: text })).toMatchObject({ status: 400 })
  bodyOf(await admin.delete(`/networks/${network.id}`), 204)
  expect(await everything()).toEqual(before)
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
  const before = await everything()
  const answer = await admin.post('/networks', { name: 'second', cidr, cidr_v6 })
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(answer.body.error).toContain('overlaps network "holder"')
  expect(await everything()).toEqual(before)
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
  const addresses = await addressesOf(network)
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

test('a peer of a dual-stack network is not created when one family is exhausted', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.11.0/24', cidr_v6: 'fd11::/127' })
  await newPeer(admin, network)
  const before = await everything()
  expect(await admin.post(`/networks/${network.id}/peers`, { name: 'late' })).toMatchObject({ status: 409 })
  expect(await everything()).toEqual(before)
  const wider = bodyOf(await admin.put(`/networks/${network.id}`, { name: 'office' }), 200)
  expect(wider).toMatchObject({ peer_count: 1 })
})

test('a suggestion is the lowest free space in the base, beside what networks hold', async () => {
  for (const cidr of ['100.64.0.0/26', '100.64.0.128/26']) await newNetwork(admin, { cidr })
  const suggest = (query: string) => read(admin, `/ipam/available-cidrs?base_cidr=100.64.0.0/16&${query}`)
  expect(await suggest('max_peers=50&count=3')).toEqual({
    base_cidr: '100.64.0.0/16',
    requested_max_peers: 50,
    suggested_prefix: 26,
    usable_hosts: 62,
    cidrs: ['100.64.0.64/26', '100.64.0.192/26', '100.64.1.0/26'],
  })
  expect(await suggest('max_peers=200')).toMatchObject({ suggested_prefix: 24, cidrs: ['100.64.1.0/24'] })
  expect(await suggest('max_peers=1')).toMatchObject({ suggested_prefix: 30, usable_hosts: 2 })
  expect(await suggest('max_peers=254')).toMatchObject({ suggested_prefix: 24, usable_hosts: 254 })
  expect(await suggest('max_peers=255')).toMatchObject({ suggested_prefix: 23, usable_hosts: 510 })
})

test('a suggestion reserves nothing and can be asked for again and used', async () => {
  const before = await everything()
  const suggest = () => read(admin, '/ipam/available-cidrs?max_peers=10&count=20&base_cidr=100.65.0.0/16')
  const first = await suggest()
  expect(await suggest()).toEqual(first)
  expect(await everything()).toEqual(before)
  const network = await newNetwork(admin, { cidr: first.cidrs[0] })
  expect((await suggest()).cidrs[0]).toBe(first.cidrs[1])
  expect(await newPeer(admin, network)).toMatchObject({ address: '100.65.0.1' })
})

test('a suggestion to a user avoids networks which the user cannot see', async () => {
  await newNetwork(admin, { cidr: '100.66.0.0/24' })
  const user = app.as((await app.addUser('planner')).token)
  const { cidrs } = await read(user, '/ipam/available-cidrs?max_peers=254&base_cidr=100.66.0.0/16')
  expect(cidrs).toEqual(['100.66.1.0/24'])
})

test.each([
  '',
  'max_peers=',
  'max_peers=0',
  'max_peers=-1',
  'max_peers=abc',
  'max_peers=1.5',
  'max_peers=1e3',
  'max_peers=99999999999999999999',
  'max_peers=4294967295',
  'max_peers=10&count=0',
  'max_peers=10&count=21',
  'max_peers=10&count=x',
  'max_peers=10&base_cidr=nowhere',
  'max_peers=10&base_cidr=10.0.0.1/8',
  'max_peers=10&base_cidr=fd00::/8',
  'max_peers=10&base_cidr=10.0.0.0/29',
])('a suggestion for "%s" is refused as invalid', async (query) => {
  const answer = await admin.get(`/ipam/available-cidrs?${query}`)
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', error: expect.any(String) } })
})

test('a suggestion from a base without enough free space is refused with what there is', async () => {
  await newNetwork(admin, { cidr: '100.67.0.0/25' })
  const answer = await admin.get('/ipam/available-cidrs?max_peers=100&count=2&base_cidr=100.67.0.0/24')
  expect(answer.status).toBe(400)
  expect(answer.body.error).toContain('100.67.0.0/24 has 1 free /25')
})

test('one network that fills half of the base does not slow a suggestion down', async () => {
  await newNetwork(admin, { cidr: '11.0.0.0/9' })
  const started = performance.now()
  const { cidrs } = await read(admin, '/ipam/available-cidrs?max_peers=1&count=20&base_cidr=11.0.0.0/8')
  expect(cidrs[0]).toBe('11.128.0.0/30')
  expect(performance.now() - started).toBeLessThan(1000)
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

test('a new CIDR moves every peer, oldest first, and frees the old one', async () => {
  const { network, jump, laptop, server } = await newOffice(admin, { cidr: '192.168.20.0/24' })
  bodyOf(await admin.delete(peerPath(network, laptop)), 204)
  expect(await newPeer(admin, network, { name: 'new', use_agent: true })).toMatchObject({ address: laptop.address })
  const moved = bodyOf(await admin.put(`/networks/${network.id}`, { cidr: '192.168.21.0/24' }), 200)
  expect(moved).toMatchObject({ cidr: '192.168.21.0/24', peer_count: 3 })
  const { data } = await read(admin, `/networks/${network.id}/peers`)
  expect(data.map((peer: Json) => [peer.name, peer.address])).toEqual([
    ['jump', '192.168.21.1'],
    ['server', '192.168.21.2'],
    ['new', '192.168.21.3'],
  ])
  expect(await configOf(admin, network, server)).toContain('\nAddress = 192.168.21.2\n')
  expect(await configOf(admin, network, jump)).not.toContain('192.168.20.')
  expect(await newPeer(admin, network, { name: 'next' })).toMatchObject({ address: '192.168.21.4' })
  expect(await newNetwork(admin, { cidr: '192.168.20.0/24' })).toMatchObject({ peer_count: 0 })
})

test('a network may grow into a CIDR that overlaps its own', async () => {
  const { network } = await newOffice(admin, { cidr: '192.168.22.0/25' })
  bodyOf(await admin.put(`/networks/${network.id}`, { cidr: '192.168.22.0/24' }), 200)
  expect(await addressesOf(network)).toEqual(['192.168.22.1', '192.168.22.2', '192.168.22.3'])
  expect(await admin.post('/networks', { name: 'x', cidr: '192.168.22.128/25' })).toMatchObject({ status: 409 })
})

test('the CIDR that a network already has moves nobody, even with a peer that is configured by hand', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.23.0/24' })
  const first = await newPeer(admin, network)
  const byHand = await newPeer(admin, network)
  bodyOf(await admin.delete(peerPath(network, first)), 204)
  const renamed = { cidr: '192.168.23.0/24', name: 'renamed' }
  expect(bodyOf(await admin.put(`/networks/${network.id}`, renamed), 200)).toMatchObject(renamed)
  expect(await addressesOf(network)).toEqual([byHand.address])
})

test('a new CIDR is refused while a peer is configured by hand, and nothing changes', async () => {
  const { network } = await newOffice(admin, { cidr: '192.168.24.0/24' })
  await newPeer(admin, network, { name: 'by-hand' })
  const before = await everything()
  const answer = await admin.put(`/networks/${network.id}`, { cidr: '192.168.25.0/24', name: 'moved' })
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(answer.body.error).toContain('"by-hand"')
  expect(await everything()).toEqual(before)
})

test('a new CIDR that is too small or taken is refused, and nothing changes', async () => {
  const { network } = await newOffice(admin, { cidr: '192.168.26.0/24', cidr_v6: 'fd26::/64' })
  await newNetwork(admin, { name: 'neighbour', cidr: '192.168.27.0/24', cidr_v6: 'fd27::/64' })
  const before = await everything()
  for (const change of [
    { cidr: '192.168.28.0/30', name: 'moved' },
    { cidr: '192.168.27.0/24', name: 'moved' },
    { cidr: '192.168.26.0/23', name: 'moved' },
    { cidr: '192.168.28.0/24', cidr_v6: 'fd27::/64' },
  ]) {
    expect(await admin.put(`/networks/${network.id}`, change), JSON.stringify(change)).toMatchObject({ status: 409 })
    expect(await everything()).toEqual(before)
  }
})

test('a network that gets a second family gives every peer an address of it', async () => {
  const { network } = await newOffice(admin, { cidr: '192.168.30.0/24' })
  bodyOf(await admin.put(`/networks/${network.id}`, { cidr_v6: 'fd30::/64' }), 200)
  const { data } = await read(admin, `/networks/${network.id}/peers`)
  expect(data.map((peer: Json) => [peer.address, peer.address_v6])).toEqual([
    ['192.168.30.1', 'fd30::1'],
    ['192.168.30.2', 'fd30::2'],
    ['192.168.30.3', 'fd30::3'],
  ])
})
