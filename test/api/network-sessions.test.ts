import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { NOT_FOUND } from './policy-objects.ts'
import { bodyOf, hearAgent, type Json, newNetwork, newOffice, newPeer, newUser, peerPath, read } from './topologies.ts'

const NOW = '2030-01-01T12:00:00.000Z'
const JUST_NOW = '2030-01-01T11:59:30.000Z'
const LONG_AGO = '2030-01-01T11:56:30.000Z'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(NOW) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const sessions = (network: Json, rest = admin) => read(rest, `/networks/${network.id}/sessions`)

test('a network whose agents were never heard of has no sessions', async () => {
  const { network } = await newOffice(admin)
  expect(await sessions(network)).toEqual([])
})

test('the sessions of a network are those of its active agents, as they described themselves', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  const elsewhere = await newOffice(admin)
  await hearAgent(app, elsewhere.laptop)
  await hearAgent(app, laptop, { last_seen: LONG_AGO, hostname: 'old' })
  const told = {
    hostname: 'laptop-alice',
    system_uptime: 86400,
    wireguard_uptime: 3600,
    reported_endpoint: '203.0.113.5:51820',
    last_seen: JUST_NOW,
    first_seen: '2024-04-12T09:00:00.000Z',
  }
  await hearAgent(app, server, { ...told, session_id: 'sess-server' })
  await hearAgent(app, jump, { ...told, session_id: 'sess-jump' })
  expect(await sessions(network)).toEqual([
    { peer_id: jump.id, ...told, session_id: 'sess-jump' },
    { peer_id: server.id, ...told, session_id: 'sess-server' },
  ])
})

test('a session is active for three minutes after its agent was last heard of', async () => {
  const { network, laptop } = await newOffice(admin)
  const session = await hearAgent(app, laptop, { last_seen: '2030-01-01T11:57:00.000Z' })
  expect(await sessions(network)).toEqual([session])
  await hearAgent(app, laptop, { ...session, last_seen: '2030-01-01T11:56:59.999Z' })
  expect(await sessions(network)).toEqual([])
  await hearAgent(app, laptop, { ...session, last_seen: NOW, hostname: 'renamed' })
  expect(await sessions(network)).toEqual([{ ...session, last_seen: NOW, hostname: 'renamed' }])
})

test('two active agents of one peer are two sessions, the latest first', async () => {
  const { network, laptop } = await newOffice(admin)
  const first = await hearAgent(app, laptop, { last_seen: '2030-01-01T11:58:00.000Z' })
  const second = await hearAgent(app, laptop, { last_seen: JUST_NOW })
  expect(await sessions(network)).toEqual([second, first])
})

test('a user sees the sessions of its own peers only', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const [amy, ben] = [await newUser(app, 'amy', network), await newUser(app, 'ben', network)]
  const phone = await newPeer(amy, network, { name: 'phone' })
  const tablet = await newPeer(ben, network, { name: 'tablet' })
  const own = await hearAgent(app, phone)
  for (const peer of [jump, laptop, tablet]) await hearAgent(app, peer)
  expect(await sessions(network, amy)).toEqual([own])
  expect(await sessions(network)).toHaveLength(4)
  bodyOf(await admin.put(peerPath(network, phone), { owner_id: ben.id }), 200)
  expect(await sessions(network, amy)).toEqual([])
  expect(await sessions(network, ben)).toHaveLength(2)
})

test('the sessions of a network that a user may not see are not found', async () => {
  const { network } = await newOffice(admin)
  const cara = await newUser(app, 'cara', network)
  await hearAgent(app, await newPeer(cara, network, { name: 'phone' }))
  expect(await sessions(network, cara)).toHaveLength(1)
  bodyOf(await admin.put(`/users/${cara.id}`, { authorized_networks: [] }), 200)
  expect(await cara.get(`/networks/${network.id}/sessions`)).toMatchObject(NOT_FOUND)
  expect(await cara.get('/networks/none/sessions')).toMatchObject(NOT_FOUND)
  expect(await admin.get('/networks/none/sessions')).toMatchObject(NOT_FOUND)
})

test('the session of a deleted peer is gone', async () => {
  const network = await newNetwork(admin)
  const peer = await newPeer(admin, network)
  await hearAgent(app, peer)
  bodyOf(await admin.delete(peerPath(network, peer)), 204)
  expect(await sessions(network)).toEqual([])
})
