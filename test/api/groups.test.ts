import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { everythingOf, GONE, groupPath, INVALID, NO_NAMES, NOT_FOUND, newGroup, taken } from './policy-objects.ts'
import { bodyOf, type Json, newNetwork, newPeer, read } from './topologies.ts'

const START = '2030-01-01T12:00:00.000Z'

let app: TestApp
let admin: Rest
let time = START

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(time) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const listed = (network: Json) => read(admin, `/networks/${network.id}/groups`)

async function namesOf(network: Json): Promise<string[]> {
  return (await listed(network)).map((group: Json) => group.name)
}

test('a group is created as given and shown the same alone and in the list', async () => {
  const network = await newNetwork(admin)
  expect(await listed(network)).toEqual([])
  const given = { name: 'engineering', description: 'Engineering team', priority: 100 }
  const group = await newGroup(admin, network, given)
  expect(group).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    network_id: network.id,
    ...given,
    peer_ids: [],
    policy_ids: [],
    route_ids: [],
    created_at: time,
    updated_at: time,
  })
  expect(await read(admin, groupPath(group))).toEqual(group)
  expect(await listed(network)).toEqual([group])
})

test('a group of which only the name is given has priority 100 and no description', async () => {
  const group = await newGroup(admin, await newNetwork(admin), { name: "Équipe d'ingénierie 工程" })
  expect(group).toMatchObject({ name: "Équipe d'ingénierie 工程", description: '', priority: 100 })
})

test('an update changes the given fields of a group and no others', async () => {
  const group = await newGroup(admin, await newNetwork(admin), { description: 'before', priority: 10 })
  time = '2030-01-01T13:00:00.000Z'
  const put = async (body: object) => bodyOf(await admin.put(groupPath(group), body), 200)
  const changed = { ...group, updated_at: time }
  expect(await put({ name: 'engineering-v2' })).toEqual({ ...changed, name: 'engineering-v2' })
  expect(await put({ description: 'after' })).toEqual({ ...changed, name: 'engineering-v2', description: 'after' })
  const all = { name: 'team', description: 'Updated description', priority: 50 }
  expect(await put(all)).toEqual({ ...changed, ...all })
  expect(await put({})).toEqual({ ...changed, ...all })
  expect(await put({ name: '' })).toEqual({ ...changed, ...all })
  expect(await put({ name: null, description: null, priority: null })).toEqual({ ...changed, ...all })
  expect(await read(admin, groupPath(group))).toEqual({ ...changed, ...all })
})

test('groups are listed by priority, equal ones by age', async () => {
  const network = await newNetwork(admin)
  time = '2030-01-02T00:00:00.000Z'
  const late = await newGroup(admin, network, { name: 'late', priority: 999 })
  await newGroup(admin, network, { name: 'z-old' })
  await newGroup(admin, network, { name: 'same-moment' })
  time = '2030-01-02T00:00:01.000Z'
  await newGroup(admin, network, { name: 'a-young' })
  await newGroup(admin, network, { name: 'first', priority: 1 })
  expect(await namesOf(network)).toEqual(['first', 'z-old', 'same-moment', 'a-young', 'late'])
  bodyOf(await admin.put(groupPath(late), { priority: 100 }), 200)
  expect(await namesOf(network)).toEqual(['first', 'late', 'z-old', 'same-moment', 'a-young'])
})

test('the name of a group is unique in its network', async () => {
  const [network, elsewhere] = [await newNetwork(admin), await newNetwork(admin)]
  const group = await newGroup(admin, network, { name: 'one' })
  const other = await newGroup(admin, network, { name: 'two' })
  const before = await everythingOf(admin, network)
  expect(await admin.post(`/networks/${network.id}/groups`, { name: 'one' })).toMatchObject(taken('one'))
  expect(await admin.put(groupPath(other), { name: 'one', priority: 7 })).toMatchObject(taken('one'))
  expect(await everythingOf(admin, network)).toEqual(before)
  expect(await newGroup(admin, elsewhere, { name: 'one' })).toMatchObject({ name: 'one' })
  expect(bodyOf(await admin.put(groupPath(group), { name: 'one' }), 200)).toMatchObject({ name: 'one' })
  bodyOf(await admin.delete(groupPath(group)), 204)
  expect(bodyOf(await admin.put(groupPath(other), { name: 'one' }), 200)).toMatchObject({ name: 'one' })
})

test('the name of a group has one line of at most 64 characters', async () => {
  const network = await newNetwork(admin)
  const group = await newGroup(admin, network, { name: 'x'.repeat(64) })
  const before = await everythingOf(admin, network)
  for (const name of [...NO_NAMES, 'x'.repeat(65)]) {
    const context = JSON.stringify(name)
    expect(await admin.post(`/networks/${network.id}/groups`, { name }), context).toMatchObject(INVALID)
    expect(await admin.put(groupPath(group), { name, priority: 7 }), context).toMatchObject(INVALID)
  }
  for (const body of [{}, { name: '' }, { name: null }, { description: 'nameless' }, undefined]) {
    expect(await admin.post(`/networks/${network.id}/groups`, body), JSON.stringify(body)).toMatchObject(INVALID)
  }
  for (const description of ['a\nb', 'x'.repeat(256), 7]) {
    expect(await admin.post(`/networks/${network.id}/groups`, { name: 'new', description })).toMatchObject(INVALID)
    expect(await admin.put(groupPath(group), { description })).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('the priority of a group is a whole number from 1 to 999', async () => {
  const network = await newNetwork(admin)
  const group = await newGroup(admin, network, { name: 'first', priority: 1 })
  expect(group).toMatchObject({ priority: 1 })
  expect(await newGroup(admin, network, { name: 'last', priority: 999 })).toMatchObject({ priority: 999 })
  const before = await everythingOf(admin, network)
  for (const priority of [0, 1000, -1, 1.5, 1e308, 2 ** 53, '100', '', true, [100], {}]) {
    const context = JSON.stringify(priority)
    const body = { name: 'spoilt', priority }
    expect(await admin.post(`/networks/${network.id}/groups`, body), context).toMatchObject(INVALID)
    expect(await admin.put(groupPath(group), body), context).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('a deleted group is gone', async () => {
  const network = await newNetwork(admin)
  const group = await newGroup(admin, network)
  expect(await admin.delete(groupPath(group))).toMatchObject(GONE)
  expect(await admin.delete(groupPath(group))).toMatchObject(NOT_FOUND)
  expect(await admin.get(groupPath(group))).toMatchObject(NOT_FOUND)
  expect(await admin.put(groupPath(group), { name: 'back' })).toMatchObject(NOT_FOUND)
  expect(await listed(network)).toEqual([])
  expect(await newGroup(admin, network)).toMatchObject({ name: group.name })
})

test('a group is found in its own network only', async () => {
  const [network, elsewhere] = [await newNetwork(admin), await newNetwork(admin)]
  const group = await newGroup(admin, network)
  const before = await everythingOf(admin, network)
  for (const wrong of [groupPath({ ...group, network_id: elsewhere.id }), groupPath({ ...group, id: 'none' })]) {
    expect(await admin.get(wrong)).toMatchObject(NOT_FOUND)
    expect(await admin.put(wrong, { name: 'stolen' })).toMatchObject(NOT_FOUND)
    expect(await admin.delete(wrong)).toMatchObject(NOT_FOUND)
  }
  expect(await admin.get('/networks/none/groups')).toMatchObject(NOT_FOUND)
  expect(await admin.post('/networks/none/groups', { name: 'team' })).toMatchObject(NOT_FOUND)
  expect(await everythingOf(admin, network)).toEqual(before)
  expect(await listed(elsewhere)).toEqual([])
})

test('the path decides which group is meant, and members are not changed by its body', async () => {
  const [network, elsewhere] = [await newNetwork(admin), await newNetwork(admin)]
  const peer = await newPeer(admin, network)
  const other = await newGroup(admin, elsewhere, { name: 'other' })
  const ids = { id: other.id, group_id: other.id, network_id: elsewhere.id, peer_ids: [peer.id], route_ids: ['x'] }
  const group = await newGroup(admin, network, { ...ids, name: 'mine' })
  expect(group).toMatchObject({ network_id: network.id, peer_ids: [], route_ids: [] })
  expect(group.id).not.toBe(other.id)
  const renamed = bodyOf(await admin.put(groupPath(group), { ...ids, name: 'still-mine' }), 200)
  expect(renamed).toEqual({ ...group, name: 'still-mine', updated_at: time })
  expect(await listed(elsewhere)).toEqual([other])
})
