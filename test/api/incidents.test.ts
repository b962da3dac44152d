import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import {
  accessOf,
  bodyOf,
  configOf,
  type Json,
  newNetwork,
  newOffice,
  newPeer,
  peerPath,
  raiseIncident,
  read,
} from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const resolve = (id: string) => admin.post(`/security/incidents/${id}/resolve`)

test('an incident tells what was seen of which peer, and that it is open', async () => {
  const { network, laptop } = await newOffice(admin)
  const id = await raiseIncident(app, network, laptop)
  const incident = {
    id,
    peer_id: laptop.id,
    peer_name: 'laptop',
    network_id: network.id,
    network_name: 'office',
    incident_type: 'session_conflict',
    detected_at: '2024-04-13T08:00:00.000Z',
    public_key: laptop.public_key,
    endpoints: ['203.0.113.5:51820', '198.51.100.1:51820'],
    details: 'Multiple active agents detected for the same peer',
    resolved: false,
    resolved_at: null,
    resolved_by: null,
  }
  expect(await read(admin, `/security/incidents/${id}`)).toEqual(incident)
  expect(await read(admin, `/networks/${network.id}/security/incidents`)).toEqual([incident])
  expect(await read(admin, '/security/incidents')).toContainEqual(incident)
})

test('an open incident that blocks cuts its peer off in both directions, and its resolution gives all back', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  const before = { jump: await configOf(admin, network, jump), laptop: await configOf(admin, network, laptop) }
  const id = await raiseIncident(app, network, laptop, { blocks: true })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'false blocked', server: 'false blocked' })
  expect(await accessOf(admin, network, server)).toEqual({ jump: 'true acl_disabled', laptop: 'false blocked' })
  expect(await configOf(admin, network, jump)).not.toContain(laptop.public_key)
  expect(await configOf(admin, network, laptop)).not.toContain('[Peer]')
  expect(await resolve(id)).toMatchObject({ status: 200, body: { message: 'Incident resolved successfully' } })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true acl_disabled', server: 'true acl_disabled' })
  expect(await accessOf(admin, network, server)).toEqual({ jump: 'true acl_disabled', laptop: 'true acl_disabled' })
  expect(await configOf(admin, network, jump)).toBe(before.jump)
  expect(await configOf(admin, network, laptop)).toBe(before.laptop)
})

test('an open incident blocks whatever the access list allows, and does not show in it', async () => {
  const { network, laptop } = await newOffice(admin)
  const rules = [{ source_peer: '*', target_peer: '*', action: 'allow' }]
  const acl = bodyOf(await admin.put(`/networks/${network.id}/acl`, { enabled: true, rules }), 200)
  await raiseIncident(app, network, laptop)
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'false blocked', server: 'false blocked' })
  expect(await read(admin, `/networks/${network.id}/acl`)).toEqual(acl)
})

test('an incident that does not block leaves its peer connected', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const id = await raiseIncident(app, network, laptop, { blocks: false, incident_type: 'suspicious_activity' })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true acl_disabled', server: 'true acl_disabled' })
  expect(await configOf(admin, network, jump)).toContain(laptop.public_key)
  expect(await resolve(id)).toMatchObject({ status: 200 })
})

test('a peer with two open incidents that block stays cut off until both are resolved', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const first = await raiseIncident(app, network, laptop)
  const second = await raiseIncident(app, network, laptop, { incident_type: 'shared_config' })
  bodyOf(await resolve(first), 200)
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'false blocked', server: 'false blocked' })
  expect(await configOf(admin, network, jump)).not.toContain(laptop.public_key)
  bodyOf(await resolve(second), 200)
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true acl_disabled', server: 'true acl_disabled' })
})

test('resolving one incident leaves a peer that the access list blocks blocked', async () => {
  const { network, laptop } = await newOffice(admin)
  bodyOf(await admin.put(`/networks/${network.id}/acl`, { enabled: true, blocked_peers: { [laptop.id]: true } }), 200)
  const id = await raiseIncident(app, network, laptop)
  bodyOf(await resolve(id), 200)
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'false blocked', server: 'false blocked' })
})

test('a resolved incident names the time and the e-mail address of the administrator, and cannot be resolved again', async () => {
  const { network, laptop } = await newOffice(admin)
  const id = await raiseIncident(app, network, laptop)
  const before = new Date().toISOString()
  bodyOf(await resolve(id), 200)
  const resolved = await read(admin, `/security/incidents/${id}`)
  expect(resolved).toMatchObject({ resolved: true, resolved_by: 'admin@wirety.local' })
  expect(resolved.resolved_at >= before).toBe(true)
  expect(await resolve(id)).toMatchObject({ status: 409, body: { code: 'conflict', error: expect.any(String) } })
  expect(await read(admin, `/security/incidents/${id}`)).toEqual(resolved)
})

test('of many who resolve an incident at once, one does', async () => {
  const { network, laptop } = await newOffice(admin)
  const id = await raiseIncident(app, network, laptop)
  const answers = await Promise.all(Array.from({ length: 10 }, () => resolve(id)))
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(9).fill(409)])
})

test('incidents are listed newest first and filtered by whether they are resolved', async () => {
  const { network, laptop, server } = await newOffice(admin)
  const first = await raiseIncident(app, network, laptop)
  const second = await raiseIncident(app, network, server)
  const third = await raiseIncident(app, network, laptop)
  bodyOf(await resolve(second), 200)
  const idsAt = async (path: string) => (await read(admin, path)).map((incident: Json) => incident.id)
  const own = `/networks/${network.id}/security/incidents`
  expect(await idsAt(own)).toEqual([third, second, first])
  expect(await idsAt(`${own}?resolved=`)).toEqual([third, second, first])
  expect(await idsAt(`${own}?resolved=false`)).toEqual([third, first])
  expect(await idsAt(`${own}?resolved=true`)).toEqual([second])
  expect((await idsAt('/security/incidents?resolved=true'))[0]).toBe(second)
  expect((await idsAt('/security/incidents?resolved=false')).slice(0, 2)).toEqual([third, first])
  for (const path of [own, '/security/incidents']) {
    expect(await admin.get(`${path}?resolved=maybe`)).toMatchObject({ status: 400, body: { code: 'invalid' } })
  }
})

test('an incident outlives its peer and can be resolved', async () => {
  const { network, laptop } = await newOffice(admin)
  const id = await raiseIncident(app, network, laptop)
  bodyOf(await admin.delete(peerPath(network, laptop)), 204)
  expect(await read(admin, `/security/incidents/${id}`)).toMatchObject({ peer_id: laptop.id, peer_name: 'laptop' })
  expect(await resolve(id)).toMatchObject({ status: 200 })
})

test('an incident that does not exist is not found', async () => {
  expect(await admin.get('/security/incidents/none')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await resolve('none')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await admin.get('/networks/none/security/incidents')).toMatchObject({ status: 404 })
})

test('a user sees the incidents of its own peers, and resolves none', async () => {
  const { network, laptop } = await newOffice(admin)
  const other = await newNetwork(admin)
  const nina = app.as((await app.addUser('nina', [network.id])).token)
  const phone = await newPeer(nina, network, { name: 'phone' })
  const own = await raiseIncident(app, network, phone)
  const foreign = await raiseIncident(app, network, laptop)
  for (const path of ['/security/incidents', `/networks/${network.id}/security/incidents`]) {
    expect((await read(nina, path)).map((incident: Json) => incident.id)).toEqual([own])
  }
  expect(await read(nina, `/security/incidents/${own}`)).toMatchObject({ peer_id: phone.id })
  expect(await nina.get(`/security/incidents/${foreign}`)).toMatchObject({ status: 404 })
  expect(await nina.get(`/networks/${other.id}/security/incidents`)).toMatchObject({ status: 404 })
  for (const id of [own, foreign, 'none']) {
    expect(await nina.post(`/security/incidents/${id}/resolve`)).toMatchObject({ status: 403 })
  }
  expect(await read(admin, `/security/incidents/${own}`)).toMatchObject({ resolved: false })
})
