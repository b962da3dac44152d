import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type Rest, startTestApp, type TestApp } from '../harness.ts'
import { ATTACHED, everythingOf, groupPath, join, newGroup, newRoute, routePath, TEXT } from './policy-objects.ts'
import { bodyOf, type Json, newOffice, newPeer, newUser, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

/** An office with a second jump peer, a group, and a route through the first jump peer. */
async function newRouted(): Promise<Record<'network' | 'jump' | 'second' | 'laptop' | 'group' | 'route', Json>> {
  const { network, jump, laptop } = await newOffice(admin)
  const second = await newPeer(admin, network, { name: 'second', is_jump: true })
  const group = await newGroup(admin, network)
  const route = await newRoute(admin, network, jump)
  return { network, jump, second, laptop, group, route }
}

const add = (group: Json, kind: string, thing: Json) => admin.post(`${groupPath(group)}/${kind}/${thing.id}`)

/** The answer is a refusal that names the peer, the group and the routes, and says it in words too. */
function expectCircular(answer: Answer, peer: Json, group: Json, routes: readonly Json[]): void {
  expect(answer.status).toBe(400)
  expect(answer.body).toEqual({
    error: TEXT,
    code: 'invalid',
    details: { peer_id: peer.id, group_id: group.id, route_ids: routes.map((route) => route.id) },
  })
}

test('a jump peer does not join a group that has routes through it', async () => {
  const { network, jump, second, group, route } = await newRouted()
  const more = await newRoute(admin, network, jump, { name: 'more' })
  const other = await newRoute(admin, network, second, { name: 'other' })
  await join(admin, group, 'routes', more, other, route)
  const before = await everythingOf(admin, network)
  expectCircular(await add(group, 'peers', jump), jump, group, [more, route])
  expectCircular(await add(group, 'peers', second), second, group, [other])
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('a route is not attached to a group that its jump peer is in', async () => {
  const { network, jump, laptop, group, route } = await newRouted()
  await join(admin, group, 'peers', laptop, jump)
  const before = await everythingOf(admin, network)
  expectCircular(await add(group, 'routes', route), jump, group, [route])
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('a route does not get a jump peer that is in one of its groups, and nothing else of the update happens', async () => {
  const { network, jump, second, group, route } = await newRouted()
  const free = await newGroup(admin, network, { name: 'free' })
  await join(admin, free, 'routes', route)
  await join(admin, group, 'routes', route)
  await join(admin, group, 'peers', second)
  const before = await everythingOf(admin, network)
  const change = { name: 'renamed', destination_cidr: '10.9.0.0/16', jump_peer_id: second.id }
  expectCircular(await admin.put(routePath(route), change), second, group, [route])
  expect(await everythingOf(admin, network)).toEqual(before)
  expect(bodyOf(await admin.put(routePath(route), { jump_peer_id: jump.id }), 200)).toMatchObject({ name: 'lan' })
  bodyOf(await admin.delete(`${groupPath(group)}/peers/${second.id}`), 204)
  expect(bodyOf(await admin.put(routePath(route), change), 200)).toMatchObject(change)
  expectCircular(await add(group, 'peers', second), second, group, [route])
  expect(await add(group, 'peers', jump)).toMatchObject(ATTACHED)
})

test('what makes a group circular may be in any other group', async () => {
  const { network, jump, second, laptop, group, route } = await newRouted()
  const other = await newGroup(admin, network, { name: 'other' })
  const back = await newRoute(admin, network, second, { name: 'back' })
  await join(admin, group, 'routes', route)
  await join(admin, group, 'peers', laptop, second)
  await join(admin, other, 'peers', jump)
  await join(admin, other, 'routes', back)
  expect(await read(admin, groupPath(group))).toMatchObject({ peer_ids: [laptop.id, second.id], route_ids: [route.id] })
})

test('once the route is detached the jump peer joins, and once it has left the route is attached', async () => {
  const { jump, group, route } = await newRouted()
  await join(admin, group, 'routes', route)
  expectCircular(await add(group, 'peers', jump), jump, group, [route])
  bodyOf(await admin.delete(`${groupPath(group)}/routes/${route.id}`), 204)
  expect(await add(group, 'peers', jump)).toMatchObject(ATTACHED)
  expectCircular(await add(group, 'routes', route), jump, group, [route])
  bodyOf(await admin.delete(`${groupPath(group)}/peers/${jump.id}`), 204)
  expect(await add(group, 'routes', route)).toMatchObject(ATTACHED)
})

test('of a jump peer and its route that enter a group at the same moment one gets in', async () => {
  const { network, jump, route } = await newRouted()
  for (let round = 0; round < 10; round++) {
    const group = await newGroup(admin, network, { name: `group-${round}` })
    const answers = await Promise.all([add(group, 'peers', jump), add(group, 'routes', route)])
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 400])
    const { peer_ids, route_ids } = await read(admin, groupPath(group))
    expect(peer_ids.length + route_ids.length).toBe(1)
  }
})

test('a route that changes its jump peer while that one joins its group does not become circular', async () => {
  const { network, second, route } = await newRouted()
  const group = await newGroup(admin, network, { name: 'race' })
  await join(admin, group, 'routes', route)
  const move = admin.put(routePath(route), { jump_peer_id: second.id })
  const answers = await Promise.all([move, add(group, 'peers', second)])
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 400])
})

test('a jump peer that came into a group as a default one keeps routes through itself out', async () => {
  const { network, group } = await newRouted()
  bodyOf(await admin.put(`/networks/${network.id}`, { default_group_ids: [group.id] }), 200)
  const olga = await newUser(app, 'olga', network)
  const hub = await newPeer(admin, network, { name: 'hub', is_jump: true, owner_id: olga.id })
  expect(await read(admin, peerPath(network, hub))).toMatchObject({ group_ids: [group.id] })
  const through = await newRoute(admin, network, hub, { name: 'through' })
  expectCircular(await add(group, 'routes', through), hub, group, [through])
})
