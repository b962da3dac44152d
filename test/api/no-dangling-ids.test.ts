import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import * as objects from './policy-objects.ts'
import {
  brokenReferences,
  CONFLICT,
  everythingOf,
  GONE,
  groupPath,
  join,
  policyPath,
  routePath,
  tracesOf,
} from './policy-objects.ts'
import { bodyOf, hearAgent, type Json, newOffice, newPeer, newUser, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let count = 0

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

type Woven = Record<
  | 'network'
  | 'jump'
  | 'second'
  | 'laptop'
  | 'server'
  | 'group'
  | 'other'
  | 'policy'
  | 'spare'
  | 'route'
  | 'wan'
  | 'mapping',
  Json
>

/** A network in which everything refers to everything that it can refer to. */
async function weave(): Promise<Woven> {
  const { network, jump, laptop, server } = await newOffice(admin, { name: `woven-${++count}` })
  const second = await newPeer(admin, network, { name: 'second', is_jump: true })
  const group = await objects.newGroup(admin, network, { name: 'group' })
  const other = await objects.newGroup(admin, network, { name: 'other' })
  const targets = [laptop, second].map(({ id }) => ({ target_type: 'peer', target: id }))
  const groups = [group, other].map(({ id }) => ({ target_type: 'group', target: id }))
  const rules = [{}, ...targets, ...groups].map((target) => ({ ...objects.LAN_RULE, ...target }))
  const policy = await objects.newPolicy(admin, network, { name: 'policy', rules })
  const spare = await objects.newPolicy(admin, network, { name: 'spare', rules })
  const route = await objects.newRoute(admin, network, jump)
  const wan = await objects.newRoute(admin, network, jump, { name: 'wan' })
  const mapping = await objects.newMapping(admin, route)
  await objects.newMapping(admin, wan)
  for (const each of [group, other]) {
    await join(admin, each, 'peers', server, laptop, second)
    await join(admin, each, 'policies', policy, spare)
    await join(admin, each, 'routes', wan, route)
  }
  bodyOf(await admin.put(`/networks/${network.id}`, { default_group_ids: [other.id, group.id] }), 200)
  bodyOf(await admin.put(`/networks/${network.id}/security/config`, { enabled: false }), 200)
  const star = { source_peer: '*', target_peer: laptop.id, action: 'deny' }
  const aclRules = [star, { ...star, source_peer: laptop.id, target_peer: '*' }, { ...star, target_peer: second.id }]
  const acl = { enabled: true, blocked_peers: { [laptop.id]: true, [second.id]: true }, rules: aclRules }
  bodyOf(await admin.put(`/networks/${network.id}/acl`, acl), 200)
  for (const peer of [laptop, second]) await hearAgent(app, peer)
  return { network, jump, second, laptop, server, group, other, policy, spare, route, wan, mapping }
}

/** Deletes what is at `path`; afterwards nothing in any listing and in no table speaks of any of `ids`. */
async function expectNoTrace(network: Json, path: string, ...ids: readonly string[]): Promise<Json> {
  for (const id of ids) expect(await tracesOf(app, id)).not.toEqual([])
  expect(await admin.delete(path)).toMatchObject(GONE)
  const everything = await everythingOf(admin, network)
  for (const id of ids) {
    expect(JSON.stringify(everything)).not.toContain(id)
    expect(await tracesOf(app, id)).toEqual([])
  }
  expect(await brokenReferences(app)).toEqual([])
  return everything
}

const idsOf = (things: readonly Json[]) => things.map((thing) => thing.id)
const targetsOf = (policy: Json) => policy.rules.map((rule: Json) => rule.target)

test('a deleted peer leaves its groups, the rules that target it and the access list', async () => {
  const { network, second, laptop, server, group, other } = await weave()
  const after = await expectNoTrace(network, peerPath(network, laptop), laptop.id)
  expect(after.groups.map((each: Json) => each.peer_ids)).toEqual([idsOf([server, second]), idsOf([server, second])])
  for (const policy of after.policies)
    expect(targetsOf(policy)).toEqual(['192.168.1.0/24', ...idsOf([second, group, other])])
  const last = await expectNoTrace(network, peerPath(network, second), second.id)
  expect(last.acl).toMatchObject({ blocked_peers: {}, rules: [] })
  for (const policy of last.policies) expect(targetsOf(policy)).toEqual(['192.168.1.0/24', ...idsOf([group, other])])
})

test('a deleted group leaves the default groups, its peers and the rules that target it; what was in it stays', async () => {
  const { network, second, laptop, group, other, policy, spare, route, wan } = await weave()
  const before = await everythingOf(admin, network)
  const after = await expectNoTrace(network, groupPath(group), group.id)
  expect(after.groups).toEqual(before.groups.filter((each: Json) => each.id !== group.id))
  expect(after.network.default_group_ids).toEqual([other.id])
  expect(idsOf(after.policies)).toEqual(idsOf([policy, spare]))
  for (const each of after.policies)
    expect(targetsOf(each)).toEqual(['192.168.1.0/24', ...idsOf([laptop, second, other])])
  expect(after.routes).toEqual([route, wan])
  expect(idsOf(after.peers)).toEqual(idsOf(before.peers))
})

test('a deleted policy leaves its groups and takes its rules with it', async () => {
  const { network, policy, spare, wan, route } = await weave()
  const rules = policy.rules.map((rule: Json) => rule.id)
  const after = await expectNoTrace(network, policyPath(policy), policy.id, ...rules)
  expect(after.policies).toEqual([spare])
  for (const each of after.groups)
    expect(each).toMatchObject({ policy_ids: [spare.id], route_ids: idsOf([wan, route]) })
})

test('a rule that is removed is gone', async () => {
  const { network, policy } = await weave()
  const [rule, ...rest] = policy.rules
  const after = await expectNoTrace(network, `${policyPath(policy)}/rules/${rule.id}`, rule.id)
  expect(after.policies[0].rules).toEqual(rest)
})

test('a deleted route leaves its groups and takes its DNS mappings with it', async () => {
  const { network, route, wan, mapping } = await weave()
  const after = await expectNoTrace(network, routePath(route), route.id, mapping.id)
  expect(after.routes).toEqual([wan])
  for (const each of after.groups) expect(each.route_ids).toEqual([wan.id])
  expect(after.records.map((record: Json) => record.fqdn).filter((fqdn: string) => fqdn.startsWith('server1'))).toEqual(
    ['server1.wan.internal'],
  )
})

test('a deleted DNS mapping is gone', async () => {
  const { network, route, mapping } = await weave()
  await expectNoTrace(network, `${routePath(route)}/dns/${mapping.id}`, mapping.id)
})

test('a jump peer that routes lead through is not deleted until they have another one', async () => {
  const { network, jump, second, group, other, route, wan } = await weave()
  const before = await everythingOf(admin, network)
  const answer = await admin.delete(peerPath(network, jump))
  expect(answer).toMatchObject(CONFLICT)
  expect(answer.body.error).toContain('"lan"')
  expect(await everythingOf(admin, network)).toEqual(before)
  for (const each of [group, other]) bodyOf(await admin.delete(`${groupPath(each)}/peers/${second.id}`), 204)
  bodyOf(await admin.put(routePath(route), { jump_peer_id: second.id }), 200)
  expect(await admin.delete(peerPath(network, jump))).toMatchObject(CONFLICT)
  bodyOf(await admin.delete(routePath(wan)), 204)
  await expectNoTrace(network, peerPath(network, jump), jump.id)
})

test('a deleted network takes all that is in it with it', async () => {
  const kept = await weave()
  const before = await everythingOf(admin, kept.network)
  const counts = await rowCounts()
  const woven = await weave()
  const victor = await newUser(app, 'victor', woven.network)
  await newPeer(victor, woven.network, { name: 'phone' })
  expect(await admin.delete(`/networks/${woven.network.id}`)).toMatchObject(GONE)
  for (const { id } of Object.values(woven)) expect(await tracesOf(app, id)).toEqual([])
  expect(await brokenReferences(app)).toEqual([])
  expect(await everythingOf(admin, kept.network)).toEqual(before)
  expect(await read(victor, '/users/me')).toMatchObject({ authorized_networks: [] })
  bodyOf(await admin.delete(`/users/${victor.id}`), 204)
  expect(await rowCounts()).toEqual(counts)
})

/** How many rows each table has, the audit log left out. */
async function rowCounts(): Promise<Record<string, number>> {
  return app.app.env.database.read(async (tx) => {
    const tables = await tx.all<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'audit_log' AND name NOT LIKE 'sqlite%'",
    )
    const counts: Record<string, number> = {}
    for (const { name } of tables) {
      counts[name] = (await tx.find<{ n: number }>(`SELECT COUNT(*) AS n FROM "${name}"`))!.n
    }
    return counts
  })
}
