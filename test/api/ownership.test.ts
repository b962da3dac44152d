import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, configOf, newNetwork, newOffice, newPeer, newUser, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

test('an administrator gives a peer an owner, another one and none', async () => {
  const { network, laptop } = await newOffice(admin)
  const erin = await newUser(app, 'erin', network)
  const unknown = { status: 400, body: { code: 'invalid', error: 'owner_id: no user "nobody"' } }
  const own = (body: object) => admin.put(peerPath(network, laptop), body)
  expect(await newPeer(admin, network, { name: 'erins', owner_id: erin.id })).toMatchObject({ owner_id: erin.id })
  expect(bodyOf(await own({ owner_id: erin.id }), 200)).toMatchObject({ owner_id: erin.id })
  expect(await read(erin, peerPath(network, laptop))).toMatchObject({ id: laptop.id, owner_id: erin.id })
  expect(bodyOf(await own({ owner_id: '' }), 200)).toMatchObject({ owner_id: '' })
  expect(await erin.get(peerPath(network, laptop))).toMatchObject({ status: 404 })
  expect(await own({ owner_id: 'nobody' })).toMatchObject(unknown)
  expect(await newPeer(admin, network, { name: 'nobodys', owner_id: '' })).toMatchObject({ owner_id: '' })
  const body = { name: 'x', owner_id: 'nobody' }
  expect(await admin.post(`/networks/${network.id}/peers`, body)).toMatchObject(unknown)
})

test('a user owns the peers it creates, whomever it names', async () => {
  const network = await newNetwork(admin)
  const frank = await newUser(app, 'frank', network)
  expect(await newPeer(frank, network)).toMatchObject({ owner_id: frank.id })
  expect(await newPeer(frank, network, { owner_id: 'admin' })).toMatchObject({ owner_id: frank.id })
})

test('a user sees, changes and deletes its own peers and learns nothing of the others', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const grace = await newUser(app, 'grace', network)
  const phone = await newPeer(grace, network, { name: 'phone' })
  expect(await read(grace, `/networks/${network.id}/peers`)).toEqual({
    data: [phone],
    total: 1,
    page: 1,
    page_size: 20,
  })
  for (const foreign of [jump, laptop]) {
    const path = peerPath(network, foreign)
    for (const tail of ['', '/config', '/session', '/reachability']) {
      const answer = await grace.get(`${path}${tail}`)
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
      const missing = await grace.get(`${peerPath(network, { id: 'missing' })}${tail}`)
      expect(answer.body.error.replace(foreign.id, 'missing')).toBe(missing.body.error)
    }
    expect(await grace.put(path, { name: 'stolen' })).toMatchObject({ status: 404 })
    expect(await grace.delete(path)).toMatchObject({ status: 404 })
  }
  expect(await configOf(grace, network, phone)).toContain(jump.public_key)
  expect(bodyOf(await grace.put(peerPath(network, phone), { name: 'phone-v2' }), 200)).toMatchObject({
    name: 'phone-v2',
  })
  expect(await grace.delete(peerPath(network, phone))).toMatchObject({ status: 204 })
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 3 })
})

test('a user cannot create a peer in a network it is not authorised for', async () => {
  const network = await newNetwork(admin)
  const heidi = await newUser(app, 'heidi')
  expect(await heidi.post(`/networks/${network.id}/peers`, { name: 'x' })).toMatchObject({ status: 404 })
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 0 })
})

test('a user cannot create a jump peer nor make its peer one', async () => {
  const network = await newNetwork(admin)
  const ivan = await newUser(app, 'ivan', network)
  const answer = await ivan.post(`/networks/${network.id}/peers`, { name: 'hub', is_jump: true })
  expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', error: expect.stringContaining('jump') } })
  const peer = await newPeer(ivan, network)
  const after = bodyOf(await ivan.put(peerPath(network, peer), { is_jump: true }), 200)
  expect(after).toMatchObject({ is_jump: false })
})

test('a user cannot give its peer away', async () => {
  const network = await newNetwork(admin)
  const judy = await newUser(app, 'judy', network)
  const peer = await newPeer(judy, network)
  for (const owner_id of ['admin', '', 'nobody']) {
    const answer = await judy.put(peerPath(network, peer), { owner_id, name: 'gift' })
    expect(answer, owner_id).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  }
  expect(await read(judy, peerPath(network, peer))).toEqual(peer)
  expect(await judy.put(peerPath(network, peer), { owner_id: judy.id })).toMatchObject({ status: 200 })
})

test.each([
  ['172.16.0.0/12', 403],
  ['0.0.0.0/0', 403],
  ['::/0', 403],
  ['172.16.5.0/24', 400],
  ['172.16.5.1/32', 400],
  ['172.16.5.128/25', 400],
  ['172.16.5.77/24', 400],
  ['fd16:5::1/128', 400],
])('a user cannot claim %s, which overlaps the network', async (claimed, status) => {
  const network = await newNetwork(admin, { cidr: '172.16.5.0/24', cidr_v6: 'fd16:5::/64' })
  const mallory = await newUser(app, `mallory-${claimed.replace(/\W/g, '-')}`, network)
  const peer = await newPeer(mallory, network, { additional_allowed_ips: ['192.168.1.0/24'] })
  const additional_allowed_ips = ['192.168.9.0/24', claimed]
  const body = { name: 'thief', additional_allowed_ips }
  expect(await mallory.post(`/networks/${network.id}/peers`, body)).toMatchObject({ status })
  expect(await mallory.put(peerPath(network, peer), { additional_allowed_ips })).toMatchObject({ status })
  expect(await read(mallory, `/networks/${network.id}/peers`)).toMatchObject({ data: [peer] })
  const asAdmin = await admin.post(`/networks/${network.id}/peers`, body)
  expect(asAdmin.status).toBe(status === 403 ? 201 : status)
  bodyOf(await admin.delete(`/networks/${network.id}`), 204)
})

test('a user cannot claim what a peer of somebody else carries, nor a part of it', async () => {
  const network = await newNetwork(admin)
  const trent = await newUser(app, 'trent', network)
  await newPeer(admin, network, { additional_allowed_ips: ['192.168.40.0/24'] })
  for (const claimed of ['192.168.40.0/24', '192.168.40.7/32', '192.168.0.0/16']) {
    const body = { name: 'thief', additional_allowed_ips: [claimed] }
    expect(await trent.post(`/networks/${network.id}/peers`, body)).toMatchObject({ status: 409 })
  }
  const peer = await newPeer(trent, network, { additional_allowed_ips: ['192.168.41.0/24'] })
  expect(await newPeer(trent, network, { additional_allowed_ips: ['192.168.41.0/24'] })).not.toEqual(peer)
})
