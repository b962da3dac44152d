import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { groupPath, join, LAN_RULE, newGroup, newPolicy, newRoute, policyPath, routePath } from './policy-objects.ts'
import { bodyOf, type Json, newNetwork, newOffice, newPeer, newUser, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const reach = (network: Json, peer: Json, rest = admin) => read(rest, `${peerPath(network, peer)}/reachability`)

/** `group/policy/description` of each rule that holds for a peer, in order. */
async function rulesOf(network: Json, peer: Json): Promise<string[]> {
  const { rules } = await reach(network, peer)
  return rules.map((rule: Json) => `${rule.group_name}/${rule.policy_name}/${rule.description}`)
}

/** `group/route` of each route that a peer uses, in order. */
async function routesOf(network: Json, peer: Json): Promise<string[]> {
  return (await reach(network, peer)).routes.map((route: Json) => `${route.group_name}/${route.route_name}`)
}

const described = (...descriptions: string[]) => descriptions.map((description) => ({ ...LAN_RULE, description }))

/** A policy with a rule for each description. */
const policyOf = (network: Json, name: string, ...descriptions: string[]) => {
  return newPolicy(admin, network, { name, rules: described(...descriptions) })
}

test('reachability shows the rules and the routes of the groups of a peer', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const group = await newGroup(admin, network, { name: 'engineering' })
  const rules = [{ ...LAN_RULE, description: 'Allow office subnet' }]
  const policy = await newPolicy(admin, network, { name: 'allow-office', rules })
  const route = await newRoute(admin, network, jump, { name: 'office-lan' })
  await join(admin, group, 'policies', policy)
  await join(admin, group, 'routes', route)
  expect(await reach(network, laptop)).toMatchObject({ rules: [], routes: [] })
  await join(admin, group, 'peers', laptop)
  const { rules: told, routes } = await reach(network, laptop)
  expect(told).toEqual([
    {
      direction: 'output',
      action: 'allow',
      target_type: 'cidr',
      target: '192.168.1.0/24',
      addresses: ['192.168.1.0/24'],
      policy_name: 'allow-office',
      group_name: 'engineering',
      description: 'Allow office subnet',
    },
  ])
  expect(routes).toEqual([
    {
      route_id: route.id,
      route_name: 'office-lan',
      destination_cidr: '192.168.1.0/24',
      jump_peer_id: jump.id,
      jump_peer_name: 'jump',
      group_name: 'engineering',
    },
  ])
  expect(await reach(network, jump)).toMatchObject({ rules: [], routes: [] })
})

test('rules apply by the priority of the group, the order in the group, and the order in the policy', async () => {
  const { network, laptop } = await newOffice(admin)
  const late = await newGroup(admin, network, { name: 'late', priority: 200 })
  const early = await newGroup(admin, network, { name: 'early', priority: 50 })
  const shared = await policyOf(network, 'shared', 's1', 's2')
  const strict = await policyOf(network, 'strict', 'x1')
  const open = await policyOf(network, 'open', 'o1')
  await join(admin, late, 'peers', laptop)
  await join(admin, early, 'peers', laptop)
  await join(admin, late, 'policies', open, shared)
  await join(admin, early, 'policies', shared, strict)
  expect(await rulesOf(network, laptop)).toEqual([
    'early/shared/s1',
    'early/shared/s2',
    'early/strict/x1',
    'late/open/o1',
  ])
  bodyOf(await admin.put(`${groupPath(early)}/policies/order`, { policy_ids: [strict.id, shared.id] }), 200)
  expect(await rulesOf(network, laptop)).toEqual([
    'early/strict/x1',
    'early/shared/s1',
    'early/shared/s2',
    'late/open/o1',
  ])
  bodyOf(await admin.put(groupPath(late), { priority: 10 }), 200)
  expect(await rulesOf(network, laptop)).toEqual([
    'late/open/o1',
    'late/shared/s1',
    'late/shared/s2',
    'early/strict/x1',
  ])
  bodyOf(await admin.delete(`${policyPath(shared)}/rules/${shared.rules[0].id}`), 204)
  expect(await rulesOf(network, laptop)).toEqual(['late/open/o1', 'late/shared/s2', 'early/strict/x1'])
  bodyOf(await admin.delete(`${groupPath(late)}/peers/${laptop.id}`), 204)
  expect(await rulesOf(network, laptop)).toEqual(['early/strict/x1', 'early/shared/s2'])
})

test('of two groups of one priority the older one applies first, whichever was joined first', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const older = await newGroup(admin, network, { name: 'z-older' })
  const younger = await newGroup(admin, network, { name: 'a-younger' })
  await join(admin, younger, 'peers', laptop)
  await join(admin, older, 'peers', laptop)
  await join(admin, younger, 'policies', await policyOf(network, 'second', 'r'))
  await join(admin, older, 'policies', await policyOf(network, 'first', 'r'))
  await join(admin, younger, 'routes', await newRoute(admin, network, jump, { name: 'south' }))
  await join(admin, older, 'routes', await newRoute(admin, network, jump, { name: 'north' }))
  expect(await rulesOf(network, laptop)).toEqual(['z-older/first/r', 'a-younger/second/r'])
  expect(await routesOf(network, laptop)).toEqual(['z-older/north', 'a-younger/south'])
})

test('a route that two groups have comes from the one that applies first, once', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  const second = await newPeer(admin, network, { name: 'second', is_jump: true })
  const late = await newGroup(admin, network, { name: 'late', priority: 200 })
  const early = await newGroup(admin, network, { name: 'early', priority: 50 })
  const lan = await newRoute(admin, network, jump, { name: 'lan' })
  const v6 = { destination_cidr: undefined, destination_cidr_v6: 'fd00:1::/64' }
  const wan = await newRoute(admin, network, second, { name: 'wan', ...v6 })
  const dmz = await newRoute(admin, network, second, { name: 'dmz', destination_cidr_v6: 'fd00:2::/64' })
  for (const group of [late, early]) await join(admin, group, 'peers', laptop)
  await join(admin, late, 'routes', dmz, wan, lan)
  await join(admin, early, 'routes', wan)
  expect(await routesOf(network, laptop)).toEqual(['early/wan', 'late/dmz', 'late/lan'])
  const { routes } = await reach(network, laptop)
  expect(routes[0]).toMatchObject({
    destination_cidr: '',
    destination_cidr_v6: 'fd00:1::/64',
    jump_peer_name: 'second',
  })
  expect(routes[1]).toMatchObject({ destination_cidr: '192.168.1.0/24', destination_cidr_v6: 'fd00:2::/64' })
  bodyOf(await admin.put(peerPath(network, second), { name: 'renamed' }), 200)
  bodyOf(await admin.put(routePath(wan), { name: 'internet' }), 200)
  expect((await reach(network, laptop)).routes[0]).toMatchObject({ route_name: 'internet', jump_peer_name: 'renamed' })
})

test('a rule shows the addresses of the peer or of the members of the group that it targets', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  const [group, target] = [await newGroup(admin, network, { name: 'g' }), await newGroup(admin, network, { name: 't' })]
  const rules = [
    { ...LAN_RULE, target_type: 'peer', target: server.id },
    { ...LAN_RULE, direction: 'input', action: 'deny', target_type: 'group', target: target.id },
    { ...LAN_RULE, target_type: 'cidr', target: 'fd00::/8' },
  ]
  await join(admin, group, 'policies', await newPolicy(admin, network, { rules }))
  await join(admin, group, 'peers', laptop)
  const told = async () => (await reach(network, laptop)).rules
  expect(await told()).toEqual([
    { ...rules[0], addresses: [server.address], policy_name: 'lan-only', group_name: 'g' },
    { ...rules[1], addresses: [], policy_name: 'lan-only', group_name: 'g' },
    { ...rules[2], addresses: ['fd00::/8'], policy_name: 'lan-only', group_name: 'g' },
  ])
  await join(admin, target, 'peers', server, jump, laptop)
  expect((await told())[1].addresses).toEqual([server.address, jump.address, laptop.address])
  bodyOf(await admin.delete(peerPath(network, server)), 204)
  expect((await told()).map((rule: Json) => rule.addresses)).toEqual([[jump.address, laptop.address], ['fd00::/8']])
})

test('in a network without IPv4 a rule shows the IPv6 addresses of its target', async () => {
  const network = await newNetwork(admin, { name: 'six', cidr: '', cidr_v6: 'fd66::/64' })
  const [laptop, server] = [await newPeer(admin, network), await newPeer(admin, network, { name: 'server' })]
  const group = await newGroup(admin, network)
  const rules = [
    { ...LAN_RULE, target_type: 'peer', target: server.id },
    { ...LAN_RULE, target_type: 'group', target: group.id },
  ]
  await join(admin, group, 'policies', await newPolicy(admin, network, { rules }))
  await join(admin, group, 'peers', laptop, server)
  const { rules: told } = await reach(network, laptop)
  expect(told.map((rule: Json) => rule.addresses)).toEqual([
    [server.address_v6],
    [laptop.address_v6, server.address_v6],
  ])
})

test('a user reads the rules and routes of its own peer without the addresses of the peers of others', async () => {
  const { network, jump, server } = await newOffice(admin)
  const wendy = await newUser(app, 'wendy', network)
  const [phone, tablet] = [
    await newPeer(wendy, network, { name: 'phone' }),
    await newPeer(wendy, network, { name: 'tablet' }),
  ]
  const group = await newGroup(admin, network)
  const rules = [
    { ...LAN_RULE, target_type: 'peer', target: server.id },
    { ...LAN_RULE, target_type: 'peer', target: jump.id },
    { ...LAN_RULE, target_type: 'group', target: group.id },
  ]
  await join(admin, group, 'policies', await newPolicy(admin, network, { rules }))
  await join(admin, group, 'routes', await newRoute(admin, network, jump))
  await join(admin, group, 'peers', server, phone, tablet)
  const told = await reach(network, phone, wendy)
  const own = [phone.address, tablet.address]
  expect(told.rules.map((rule: Json) => rule.addresses)).toEqual([[], [jump.address], own])
  expect(told.routes).toMatchObject([{ route_name: 'lan', jump_peer_id: jump.id, jump_peer_name: 'jump' }])
  expect(JSON.stringify(told)).not.toContain(server.address)
  expect(await wendy.get(`${peerPath(network, server)}/reachability`)).toMatchObject({ status: 404 })
})

test('policies do not change which peers the access list allows', async () => {
  const { network, laptop } = await newOffice(admin)
  const { peer_access } = await reach(network, laptop)
  const group = await newGroup(admin, network)
  const rules = [{ ...LAN_RULE, action: 'deny', target: '0.0.0.0/0' }]
  await join(admin, group, 'policies', await newPolicy(admin, network, { rules }))
  await join(admin, group, 'peers', laptop)
  expect((await reach(network, laptop)).peer_access).toEqual(peer_access)
})
