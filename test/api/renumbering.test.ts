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
  expect(await addressesOf(admin, network)).toEqual(['192.168.22.1', '192.168.22.2', '192.168.22.3'])
  expect(await admin.post('/networks', { name: 'x', cidr: '192.168.22.128/25' })).toMatchObject({ status: 409 })
})

test('the CIDR that a network already has moves nobody, even with a peer that is configured by hand', async () => {
  const network = await newNetwork(admin, { cidr: '192.168.23.0/24' })
  const first = await newPeer(admin, network)
  const byHand = await newPeer(admin, network)
  bodyOf(await admin.delete(peerPath(network, first)), 204)
  const renamed = { cidr: '192.168.23.0/24', name: 'renamed' }
  expect(bodyOf(await admin.put(`/networks/${network.id}`, renamed), 200)).toMatchObject(renamed)
  expect(await addressesOf(admin, network)).toEqual([byHand.address])
})

test('a new CIDR is refused while a peer is configured by hand, and nothing changes', async () => {
  const { network } = await newOffice(admin, { cidr: '192.168.24.0/24' })
  await newPeer(admin, network, { name: 'by-hand' })
  const before = await addressPlan(admin)
  const answer = await admin.put(`/networks/${network.id}`, { cidr: '192.168.25.0/24', name: 'moved' })
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(answer.body.error).toContain('"by-hand"')
  expect(await addressPlan(admin)).toEqual(before)
})

test('a new CIDR that is too small or taken is refused, and nothing changes', async () => {
  const { network } = await newOffice(admin, { cidr: '192.168.26.0/24', cidr_v6: 'fd26::/64' })
  await newNetwork(admin, { name: 'neighbour', cidr: '192.168.27.0/24', cidr_v6: 'fd27::/64' })
  const before = await addressPlan(admin)
  for (const change of [
    { cidr: '192.168.28.0/30', name: 'moved' },
    { cidr: '192.168.27.0/24', name: 'moved' },
    { cidr: '192.168.26.0/23', name: 'moved' },
    { cidr: '192.168.28.0/24', cidr_v6: 'fd27::/64' },
  ]) {
    expect(await admin.put(`/networks/${network.id}`, change), JSON.stringify(change)).toMatchObject({ status: 409 })
    expect(await addressPlan(admin)).toEqual(before)
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
