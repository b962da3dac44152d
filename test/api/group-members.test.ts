import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import * as objects from './policy-objects.ts'
import { ATTACHED, everythingOf, GONE, groupPath, INVALID, join, type Kind, NOT_FOUND } from './policy-objects.ts'
import { JSON_TYPE, sendAsAdmin } from './raw.ts'
import { bodyOf, type Json, newNetwork, newPeer, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const NAMES = ['one', 'two', 'three', 'four']
const LISTS = { peers: 'peer_ids', policies: 'policy_ids', routes: 'route_ids' } as const

/** A network with two groups and four things of each kind, none of them in a group. */
async function newThings(): Promise<{ network: Json; group: Json; second: Json } & Record<Kind, Json[]>> {
  const network = await newNetwork(admin)
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true })
  const things = { network, peers: [] as Json[], policies: [] as Json[], routes: [] as Json[] }
  for (const name of NAMES) {
    things.peers.push(await newPeer(admin, network, { name }))
    things.policies.push(await objects.newPolicy(admin, network, { name, rules: [objects.LAN_RULE] }))
    things.routes.push(await objects.newRoute(admin, network, jump, { name }))
  }
  const group = await objects.newGroup(admin, network, { name: 'group' })
  const second = await objects.newGroup(admin, network, { name: 'second' })
  return { ...things, group, second }
}

const idsOf = (things: readonly Json[]) => things.map((thing) => thing.id)

describe.each(Object.entries(LISTS) as [Kind, string][])('what a group has of %s', (kind, list) => {
  const members = async (group: Json) => (await read(admin, groupPath(group)))[list]

  test('is put in with an empty answer, and once however often it is put in', async () => {
    const { group, second, [kind]: things } = await newThings()
    const path = `${groupPath(group)}/${kind}/${things[0].id}`
    for (const body of [undefined, undefined, {}]) expect(await admin.post(path, body)).toMatchObject(ATTACHED)
    const empty = await sendAsAdmin(app, { method: 'POST', path, headers: JSON_TYPE, body: '' })
    expect(empty).toMatchObject(ATTACHED)
    expect(await members(group)).toEqual([things[0].id])
    expect(await members(second)).toEqual([])
  })

  test('keeps the order of joining, and comes last when it joins again', async () => {
    const { network, group, [kind]: things } = await newThings()
    const [one, two, three, four] = things
    await join(admin, group, kind, three, one, four, two)
    await join(admin, group, kind, three)
    expect(await members(group)).toEqual(idsOf([three, one, four, two]))
    expect(await admin.delete(`${groupPath(group)}/${kind}/${one.id}`)).toMatchObject(GONE)
    expect(await members(group)).toEqual(idsOf([three, four, two]))
    await join(admin, group, kind, one)
    expect(await members(group)).toEqual(idsOf([three, four, two, one]))
    const [first] = await read(admin, `/networks/${network.id}/groups`)
    expect(first).toEqual(await read(admin, groupPath(group)))
  })

  test('is taken out with 204, and is not found when it is not in', async () => {
    const { network, group, second, [kind]: things } = await newThings()
    await join(admin, group, kind, things[0], things[1])
    await join(admin, second, kind, things[0])
    const path = `${groupPath(group)}/${kind}/${things[0].id}`
    expect(await admin.delete(path)).toMatchObject(GONE)
    const before = await everythingOf(admin, network)
    expect(await admin.delete(path)).toMatchObject(NOT_FOUND)
    expect(await admin.delete(`${groupPath(group)}/${kind}/${things[2].id}`)).toMatchObject(NOT_FOUND)
    expect(await admin.delete(`${groupPath(group)}/${kind}/none`)).toMatchObject(NOT_FOUND)
    expect(await everythingOf(admin, network)).toEqual(before)
    expect([await members(group), await members(second)]).toEqual([[things[1].id], [things[0].id]])
  })

  test('comes from the same network, for which nothing else is found', async () => {
    const { network, group, [kind]: things } = await newThings()
    const elsewhere = await newThings()
    await join(admin, elsewhere.group, kind, elsewhere[kind][0])
    const before = [await everythingOf(admin, network), await everythingOf(admin, elsewhere.network)]
    const wrong = [
      `${groupPath(group)}/${kind}/${elsewhere[kind][0].id}`,
      `${groupPath(group)}/${kind}/none`,
      `${groupPath(group)}/${kind}/${group.id}`,
      `${groupPath({ ...elsewhere.group, network_id: network.id })}/${kind}/${elsewhere[kind][0].id}`,
      `${groupPath({ ...elsewhere.group, network_id: network.id })}/${kind}/${things[0].id}`,
      `${groupPath({ ...group, id: 'none' })}/${kind}/${things[0].id}`,
      `${groupPath({ ...group, network_id: 'none' })}/${kind}/${things[0].id}`,
    ]
    for (const path of wrong) {
      expect(await admin.post(path), path).toMatchObject(NOT_FOUND)
      expect(await admin.delete(path), path).toMatchObject(NOT_FOUND)
    }
    expect([await everythingOf(admin, network), await everythingOf(admin, elsewhere.network)]).toEqual(before)
  })
})

test('a peer names the groups it is in', async () => {
  const { network, group, second, peers } = await newThings()
  await join(admin, second, 'peers', peers[0])
  await join(admin, group, 'peers', peers[0], peers[1])
  const { data } = await read(admin, `/networks/${network.id}/peers`)
  const groupsOf = Object.fromEntries(data.map((peer: Json) => [peer.name, peer.group_ids.toSorted()]))
  const both = [group.id, second.id].toSorted()
  expect(groupsOf).toEqual({ jump: [], one: both, two: [group.id], three: [], four: [] })
  expect((await read(admin, peerPath(network, peers[0]))).group_ids.toSorted()).toEqual(both)
})

test('the policies and routes of a group are listed whole and in order', async () => {
  const { group, second, policies, routes } = await newThings()
  await join(admin, group, 'policies', policies[2], policies[0])
  await join(admin, group, 'routes', routes[1], routes[3], routes[0])
  expect(await read(admin, `${groupPath(group)}/policies`)).toEqual([policies[2], policies[0]])
  expect(await read(admin, `${groupPath(group)}/routes`)).toEqual([routes[1], routes[3], routes[0]])
  for (const kind of ['policies', 'routes']) {
    expect(await read(admin, `${groupPath(second)}/${kind}`)).toEqual([])
    const { network: elsewhere } = await newThings()
    for (const wrong of [
      { ...group, id: 'none' },
      { ...group, network_id: elsewhere.id },
      { ...group, network_id: 'none' },
    ]) {
      expect(await admin.get(`${groupPath(wrong)}/${kind}`)).toMatchObject(NOT_FOUND)
    }
  }
})

test('the policies of a group take the order that names each of them once', async () => {
  const { group, second, policies } = await newThings()
  const [one, two, three, four] = policies
  const reorder = (policy_ids: Json) => admin.put(`${groupPath(group)}/policies/order`, { policy_ids })
  const done = { status: 200, body: { message: 'Policies reordered successfully' } }
  expect(await reorder([])).toMatchObject(done)
  await join(admin, group, 'policies', one, two, three)
  await join(admin, second, 'policies', one, two, three)
  const answer = await reorder(idsOf([three, one, two]))
  expect(answer).toMatchObject(done)
  expect(answer.body).toEqual(done.body)
  expect(await read(admin, `${groupPath(group)}/policies`)).toEqual([three, one, two])
  expect((await read(admin, groupPath(group))).policy_ids).toEqual(idsOf([three, one, two]))
  expect((await read(admin, groupPath(second))).policy_ids).toEqual(idsOf([one, two, three]))
  await join(admin, group, 'policies', four)
  expect((await read(admin, groupPath(group))).policy_ids).toEqual(idsOf([three, one, two, four]))
  expect(await reorder(idsOf([three, one, two, four]))).toMatchObject(done)
})

test('an order that is no permutation of the policies of the group is refused and changes nothing', async () => {
  const { network, group, policies } = await newThings()
  const elsewhere = await newThings()
  const [a, b, c, loose] = idsOf(policies)
  await join(admin, group, 'policies', ...policies.slice(0, 3))
  bodyOf(await admin.put(`${groupPath(group)}/policies/order`, { policy_ids: [c, a, b] }), 200)
  const before = await everythingOf(admin, network)
  const foreign = elsewhere.policies[0].id
  const wrong: Json[] = [
    { policy_ids: [a, b] },
    { policy_ids: [a, b, c, loose] },
    { policy_ids: [a, b, c, c] },
    { policy_ids: [a, b, b] },
    { policy_ids: [a, b, loose] },
    { policy_ids: [a, b, foreign] },
    { policy_ids: [a, b, 'none'] },
    { policy_ids: [a, b, c, foreign] },
    { policy_ids: [] },
    { policy_ids: [a, b, null] },
    { policy_ids: [a, b, 7] },
    { policy_ids: `${a},${b},${c}` },
    { policy_ids: { 0: a, 1: b, 2: c } },
    { policy_ids: null },
    {},
    [a, b, c],
  ]
  for (const body of wrong) {
    expect(await admin.put(`${groupPath(group)}/policies/order`, body), JSON.stringify(body)).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
  for (const absent of [
    { ...group, id: 'none' },
    { ...group, network_id: elsewhere.network.id },
  ]) {
    const body = { policy_ids: [a, b, c] }
    expect(await admin.put(`${groupPath(absent)}/policies/order`, body)).toMatchObject(NOT_FOUND)
  }
})
