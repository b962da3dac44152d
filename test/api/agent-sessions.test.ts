import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { hearAgent, newNetwork, newOffice, newPeer, peerPath, read } from './topologies.ts'

const NOW = '2030-01-01T12:00:00.000Z'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(NOW) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

test('a peer whose agent was never heard of has no session', async () => {
  const { network, laptop } = await newOffice(admin)
  expect(await read(admin, `${peerPath(network, laptop)}/session`)).toEqual({
    peer_id: laptop.id,
    has_active_agent: false,
    current_session: null,
    conflicting_sessions: [],
    recent_endpoint_changes: [],
    suspicious_activity: false,
    last_checked: NOW,
  })
})

test('a peer whose agent was heard of within three minutes has a session', async () => {
  const { network, laptop, server } = await newOffice(admin)
  const session = await hearAgent(app, laptop, { last_seen: '2030-01-01T11:57:30.000Z' })
  expect(await read(admin, `${peerPath(network, laptop)}/session`)).toEqual({
    peer_id: laptop.id,
    has_active_agent: true,
    current_session: session,
    conflicting_sessions: [],
    recent_endpoint_changes: [],
    suspicious_activity: false,
    last_checked: NOW,
  })
  const other = await read(admin, `${peerPath(network, server)}/session`)
  expect(other).toMatchObject({ has_active_agent: false, current_session: null })
})

test('a session that was not heard of for longer is not active', async () => {
  const { network, laptop } = await newOffice(admin)
  await hearAgent(app, laptop, { last_seen: '2030-01-01T11:56:30.000Z' })
  const status = await read(admin, `${peerPath(network, laptop)}/session`)
  expect(status).toMatchObject({ has_active_agent: false, current_session: null, conflicting_sessions: [] })
})

test('two active agents of one peer are shown as conflicting, the latest as the current one', async () => {
  const { network, laptop } = await newOffice(admin)
  const first = await hearAgent(app, laptop, { hostname: 'one', last_seen: '2030-01-01T11:58:00.000Z' })
  const second = await hearAgent(app, laptop, { hostname: 'two', last_seen: '2030-01-01T11:59:00.000Z' })
  await hearAgent(app, laptop, { hostname: 'old', last_seen: '2030-01-01T10:00:00.000Z' })
  const status = await read(admin, `${peerPath(network, laptop)}/session`)
  expect(status).toMatchObject({ has_active_agent: true, current_session: second })
  expect(status.conflicting_sessions).toEqual([second, first])
})

test('a user sees the sessions of its own peers only', async () => {
  const { network, laptop } = await newOffice(admin)
  const olga = app.as((await app.addUser('olga', [network.id])).token)
  const phone = await newPeer(olga, network, { name: 'phone' })
  await hearAgent(app, phone)
  expect(await read(olga, `${peerPath(network, phone)}/session`)).toMatchObject({ has_active_agent: true })
  expect(await olga.get(`${peerPath(network, laptop)}/session`)).toMatchObject({ status: 404 })
})

test('the session of a peer that does not exist is not found', async () => {
  const network = await newNetwork(admin)
  expect(await admin.get(`/networks/${network.id}/peers/none/session`)).toMatchObject({ status: 404 })
  expect(await admin.get('/networks/none/peers/none/session')).toMatchObject({ status: 404 })
})
