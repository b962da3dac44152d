import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { everythingOf, groupPath, INVALID, join, newGroup, newRoute } from './policy-objects.ts'
import { bodyOf, configOf, type Json, newNetwork, newOffice, newPeer, newUser, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const putDefaults = async (network: Json, ...groups: readonly Json[]) => {
  const default_group_ids = groups.map((group) => group.id)
  return bodyOf(await admin.put(`/networks/${network.id}`, { default_group_ids }), 200)
}

test('the default groups of a network are kept as given', async () => {
  const network = await newNetwork(admin)
  expect(network.default_group_ids).toEqual([])
  const [one, two, three] = [
    await newGroup(admin, network, { name: 'one' }),
    await newGroup(admin, network, { name: 'two' }),
    await newGroup(admin, network, { name: 'three' }),
  ]
  const defaults = async () => (await read(admin, `/networks/${network.id}`)).default_group_ids
  expect(await putDefaults(network, three, one)).toMatchObject({ default_group_ids: [three.id, one.id] })
  expect(await defaults()).toEqual([three.id, one.id])
  const { data } = await read(admin, `/networks?filter=${network.id}`)
  expect(data).toMatchObject([{ default_group_ids: [three.id, one.id] }])
  bodyOf(await admin.put(`/networks/${network.id}`, { name: 'renamed' }), 200)
  expect(await defaults()).toEqual([three.id, one.id])
  await putDefaults(network, two, two)
  expect(await defaults()).toEqual([two.id])
  await putDefaults(network)
  expect(await defaults()).toEqual([])
})

test('a default group that the network does not have is refused, and nothing of the update happens', async () => {
  const network = await newNetwork(admin)
  const group = await newGroup(admin, network)
  const foreign = await newGroup(admin, await newNetwork(admin))
  await putDefaults(network, group)
  const before = await everythingOf(admin, network)
  const wrong: Json[] = [[group.id, 'none'], [foreign.id], [''], [group.name], ['*'], [7], [null], 'x', {}, group.id]
  for (const default_group_ids of wrong) {
    const body = { name: 'renamed', dns: ['9.9.9.9'], default_group_ids }
    expect(await admin.put(`/networks/${network.id}`, body), JSON.stringify(default_group_ids)).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
})

test("a user's new peer lands in the default groups, a peer of the administrators does not", async () => {
  const network = await newNetwork(admin)
  const [one, two] = [await newGroup(admin, network, { name: 'one' }), await newGroup(admin, network, { name: 'two' })]
  const peter = await newUser(app, 'peter', network)
  const early = await newPeer(peter, network, { name: 'early' })
  await putDefaults(network, two, one)
  const phone = await newPeer(peter, network, { name: 'phone' })
  expect(phone.group_ids.toSorted()).toEqual([one.id, two.id].toSorted())
  const forPeter = await newPeer(admin, network, { name: 'for-peter', owner_id: peter.id })
  expect(forPeter.group_ids.toSorted()).toEqual([one.id, two.id].toSorted())
  expect(await newPeer(admin, network, { name: 'nobodys' })).toMatchObject({ group_ids: [] })
  expect(await newPeer(admin, network, { name: 'admins', owner_id: 'admin' })).toMatchObject({ group_ids: [] })
  expect(await read(admin, peerPath(network, early))).toMatchObject({ group_ids: [] })
  for (const group of [one, two]) {
    expect(await read(admin, groupPath(group))).toMatchObject({ peer_ids: [phone.id, forPeter.id] })
  }
})

test('a user whom an administrator promoted adds peers outside the default groups', async () => {
  const network = await newNetwork(admin)
  await putDefaults(network, await newGroup(admin, network))
  const rosa = await newUser(app, 'rosa', network)
  bodyOf(await admin.put(`/users/${rosa.id}`, { role: 'administrator' }), 200)
  expect(await newPeer(rosa, network, { owner_id: rosa.id })).toMatchObject({ owner_id: rosa.id, group_ids: [] })
})

test('a user can neither see nor change the default groups through its own peer', async () => {
  const network = await newNetwork(admin)
  const [one, two] = [await newGroup(admin, network, { name: 'one' }), await newGroup(admin, network, { name: 'two' })]
  await putDefaults(network, one)
  const sybil = await newUser(app, 'sybil', network)
  const phone = await newPeer(sybil, network, { group_ids: [two.id] })
  expect(phone).toMatchObject({ group_ids: [one.id] })
  expect(bodyOf(await sybil.put(peerPath(network, phone), { group_ids: [] }), 200)).toMatchObject({
    group_ids: [one.id],
  })
  const answer = await sybil.put(`/networks/${network.id}`, { default_group_ids: [] })
  expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
})

test('a deleted group is a default one no longer', async () => {
  const network = await newNetwork(admin)
  const [one, two] = [await newGroup(admin, network, { name: 'one' }), await newGroup(admin, network, { name: 'two' })]
  await putDefaults(network, one, two)
  bodyOf(await admin.delete(groupPath(one)), 204)
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ default_group_ids: [two.id] })
  const trudy = await newUser(app, 'trudy', network)
  expect(await newPeer(trudy, network)).toMatchObject({ group_ids: [two.id] })
})

test('the routes of the default groups are in the first configuration of a new peer', async () => {
  const { network, jump } = await newOffice(admin)
  const group = await newGroup(admin, network)
  await join(admin, group, 'routes', await newRoute(admin, network, jump))
  await putDefaults(network, group)
  const ursula = await newUser(app, 'ursula', network)
  const phone = await newPeer(ursula, network, { name: 'phone' })
  expect(await configOf(ursula, network, phone)).toContain(`AllowedIPs = ${jump.address}/32, 192.168.1.0/24\n`)
})

test('the domain suffix given at creation is kept, and is internal unless given', async () => {
  const network = await newNetwork(admin, { name: 'suffixed', domain_suffix: 'corp.example' })
  const plain = await newNetwork(admin, { name: 'plain' })
  await newPeer(admin, network, { name: 'laptop' })
  for (const [made, domain_suffix] of [
    [network, 'corp.example'],
    [plain, 'internal'],
  ] as const) {
    expect(made).toMatchObject({ domain_suffix })
    expect(await read(admin, `/networks/${made.id}`)).toMatchObject({ domain_suffix })
    expect((await read(admin, `/networks?filter=${made.id}`)).data).toMatchObject([{ domain_suffix }])
  }
  expect(await read(admin, `/networks/${network.id}/dns`)).toMatchObject([{ fqdn: 'laptop.suffixed.corp.example' }])
})
