import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import * as objects from './policy-objects.ts'
import {
  CONFLICT,
  everythingOf,
  GONE,
  INVALID,
  LAN_RULE,
  NO_NAMES,
  NOT_FOUND,
  newPolicy,
  policyPath,
  TEXT,
} from './policy-objects.ts'
import { bodyOf, type Json, newNetwork, newOffice, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let time = '2030-01-01T12:00:00.000Z'

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(time) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const listed = (network: Json) => read(admin, `/networks/${network.id}/policies`)
const addRule = (policy: Json, rule: Json) => admin.post(`${policyPath(policy)}/rules`, rule)
const rulesOf = async (policy: Json) => (await read(admin, policyPath(policy))).rules

test('a policy is created as given, with an id for each rule, and shown the same alone and in the list', async () => {
  const network = await newNetwork(admin)
  expect(await listed(network)).toEqual([])
  const given = { name: 'allow-office', description: 'Allow access to office subnet' }
  const policy = await newPolicy(admin, network, { ...given, rules: [LAN_RULE] })
  expect(policy).toEqual({
    id: TEXT,
    network_id: network.id,
    ...given,
    rules: [{ id: TEXT, ...LAN_RULE }],
    created_at: time,
    updated_at: time,
  })
  expect(await read(admin, policyPath(policy))).toEqual(policy)
  expect(await listed(network)).toEqual([policy])
})

test('a policy of which only the name is given has no rules and no description', async () => {
  expect(await newPolicy(admin, await newNetwork(admin))).toMatchObject({ description: '', rules: [] })
})

test('the ids of the rules of a new policy are made by the server', async () => {
  const network = await newNetwork(admin)
  const rules = [
    { ...LAN_RULE, id: 'mine' },
    { ...LAN_RULE, id: 'mine' },
  ]
  const policy = await newPolicy(admin, network, { id: 'my-policy', rules })
  const ids = [policy.id, ...policy.rules.map((rule: Json) => rule.id)]
  expect(new Set(ids).size).toBe(3)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/)
})

test('policies are listed oldest first', async () => {
  const network = await newNetwork(admin)
  const names = ['c', 'a', 'b']
  for (const name of names) await newPolicy(admin, network, { name })
  expect((await listed(network)).map((policy: Json) => policy.name)).toEqual(names)
})

test('an update changes the name or the description of a policy and never its rules', async () => {
  const policy = await newPolicy(admin, await newNetwork(admin), { description: 'before', rules: [LAN_RULE] })
  time = '2030-01-01T13:00:00.000Z'
  const changed = { ...policy, updated_at: time }
  const put = async (body: object) => bodyOf(await admin.put(policyPath(policy), body), 200)
  expect(await put({ name: 'renamed' })).toEqual({ ...changed, name: 'renamed' })
  expect(await put({ description: 'after' })).toEqual({ ...changed, name: 'renamed', description: 'after' })
  expect(await put({ name: '', rules: [] })).toEqual({ ...changed, name: 'renamed', description: 'after' })
  expect(await read(admin, policyPath(policy))).toEqual({ ...changed, name: 'renamed', description: 'after' })
})

test('a rule is added behind the others and removed from among them, and both change the policy', async () => {
  const network = await newNetwork(admin)
  const rules = ['one', 'two', 'three'].map((description) => ({ ...LAN_RULE, description }))
  const policy = await newPolicy(admin, network, { rules })
  const told = async () => (await rulesOf(policy)).map((rule: Json) => rule.description)
  expect(await told()).toEqual(['one', 'two', 'three'])
  time = '2030-01-01T14:00:00.000Z'
  const added = bodyOf(await addRule(policy, { ...LAN_RULE, description: 'four' }), 201)
  expect(added).toEqual({ ...LAN_RULE, id: TEXT, description: 'four' })
  expect(await read(admin, policyPath(policy))).toEqual({
    ...policy,
    rules: [...policy.rules, added],
    updated_at: time,
  })
  time = '2030-01-01T15:00:00.000Z'
  expect(await admin.delete(`${policyPath(policy)}/rules/${policy.rules[1].id}`)).toMatchObject(GONE)
  expect(await read(admin, policyPath(policy))).toMatchObject({ updated_at: time })
  bodyOf(await addRule(policy, { ...LAN_RULE, description: undefined }), 201)
  expect(await told()).toEqual(['one', 'three', 'four', ''])
  expect(await listed(network)).toEqual([await read(admin, policyPath(policy))])
})

test('an added rule keeps an id that its policy does not have yet', async () => {
  const network = await newNetwork(admin)
  const [policy, other] = [await newPolicy(admin, network), await newPolicy(admin, network, { name: 'other' })]
  const mine = { ...LAN_RULE, id: 'my-rule' }
  expect(bodyOf(await addRule(policy, mine), 201)).toEqual(mine)
  const before = await everythingOf(admin, network)
  expect(await addRule(policy, { ...mine, action: 'deny' })).toMatchObject(CONFLICT)
  expect(await everythingOf(admin, network)).toEqual(before)
  expect(bodyOf(await addRule(other, mine), 201)).toEqual(mine)
  expect(bodyOf(await addRule(policy, { ...mine, id: '' }), 201)).toMatchObject({ id: TEXT })
  expect(await addRule(policy, { ...mine, id: 'a\nb' })).toMatchObject(INVALID)
})

test('a rule is removed from its own policy only', async () => {
  const network = await newNetwork(admin)
  const policy = await newPolicy(admin, network, { rules: [LAN_RULE] })
  const other = await newPolicy(admin, network, { name: 'other', rules: [LAN_RULE] })
  const [rule] = policy.rules
  const elsewhere = { ...policy, network_id: (await newNetwork(admin)).id }
  for (const wrong of [other, elsewhere, { ...policy, id: 'none' }]) {
    expect(await admin.delete(`${policyPath(wrong)}/rules/${rule.id}`)).toMatchObject(NOT_FOUND)
  }
  expect(await admin.delete(`${policyPath(policy)}/rules/none`)).toMatchObject(NOT_FOUND)
  expect(await listed(network)).toEqual([policy, other])
  expect(await admin.delete(`${policyPath(policy)}/rules/${rule.id}`)).toMatchObject(GONE)
  expect(await admin.delete(`${policyPath(policy)}/rules/${rule.id}`)).toMatchObject(NOT_FOUND)
})

test('a rule to a CIDR takes one of either family and keeps it as written', async () => {
  const policy = await newPolicy(admin, await newNetwork(admin))
  const targets = ['10.0.0.0/8', '192.168.1.7/24', '0.0.0.0/0', '::/0', 'fd00::/8', '2001:db8::1/128']
  for (const target of targets)
    expect(bodyOf(await addRule(policy, { ...LAN_RULE, target }), 201)).toMatchObject({ target })
  expect((await rulesOf(policy)).map((rule: Json) => rule.target)).toEqual(targets)
})

test('a rule names the peer or the group of its network that is its target', async () => {
  const { network, laptop } = await newOffice(admin)
  const group = await objects.newGroup(admin, network)
  const toPeer = { ...LAN_RULE, direction: 'input', target_type: 'peer', target: laptop.id }
  const toGroup = { ...LAN_RULE, action: 'deny', target_type: 'group', target: group.id }
  const policy = await newPolicy(admin, network, { rules: [toPeer, toGroup] })
  expect(policy.rules).toEqual([
    { id: TEXT, ...toPeer },
    { id: TEXT, ...toGroup },
  ])
  expect(bodyOf(await addRule(policy, toPeer), 201)).toEqual({ id: TEXT, ...toPeer })
  expect(bodyOf(await addRule(policy, toGroup), 201)).toEqual({ id: TEXT, ...toGroup })
})

test('a rule that is not understood or whose target does not exist is refused and changes nothing', async () => {
  const { network, laptop } = await newOffice(admin)
  const elsewhere = await newOffice(admin)
  const group = await objects.newGroup(admin, network)
  const foreign = await objects.newGroup(admin, elsewhere.network)
  const policy = await newPolicy(admin, network, { rules: [LAN_RULE] })
  const before = await everythingOf(admin, network)
  const cidrs = [
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '::/129',
    '010.0.0.0/8',
    ' 10.0.0.0/8',
    '10.0.0.0/8\n',
    'x',
    '*',
    '/',
    '',
  ]
  const peers = ['none', '', '*', laptop.name, laptop.address, group.id, elsewhere.laptop.id]
  const groups = ['none', '', '*', group.name, laptop.id, foreign.id]
  const wrong: Json[] = [
    ...cidrs.map((target) => ({ target })),
    ...peers.map((target) => ({ target_type: 'peer', target })),
    ...groups.map((target) => ({ target_type: 'group', target })),
    ...['forward', 'OUTPUT', '', null, 7].map((direction) => ({ direction })),
    ...['drop', 'ALLOW', '', null, true].map((action) => ({ action })),
    ...['host', 'CIDR', '', null, []].map((target_type) => ({ target_type })),
    ...['a\nb', 'x'.repeat(256), 7].map((description) => ({ description })),
    ...['direction', 'action', 'target', 'target_type'].map((field) => ({ [field]: undefined })),
    ...[null, 7, ['192.168.1.0/24'], {}].map((target) => ({ target })),
  ]
  for (const fields of wrong) {
    const rule = { ...LAN_RULE, ...fields }
    const context = JSON.stringify(rule)
    expect(await addRule(policy, rule), context).toMatchObject(INVALID)
    const body = { name: 'spoilt', rules: [LAN_RULE, rule] }
    expect(await admin.post(`/networks/${network.id}/policies`, body), context).toMatchObject(INVALID)
  }
  for (const rules of [{}, 'x', [null], [7], [[]]]) {
    expect(await admin.post(`/networks/${network.id}/policies`, { name: 'spoilt', rules })).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('the name of a policy is unique in its network', async () => {
  const [network, elsewhere] = [await newNetwork(admin), await newNetwork(admin)]
  await newPolicy(admin, network, { name: 'one' })
  const other = await newPolicy(admin, network, { name: 'two' })
  const before = await everythingOf(admin, network)
  expect(await admin.post(`/networks/${network.id}/policies`, { name: 'one' })).toMatchObject(CONFLICT)
  expect(await admin.put(policyPath(other), { name: 'one', description: 'x' })).toMatchObject(CONFLICT)
  expect(await everythingOf(admin, network)).toEqual(before)
  bodyOf(await admin.put(policyPath(other), { name: 'two' }), 200)
  expect(await newPolicy(admin, elsewhere, { name: 'one' })).toMatchObject({ name: 'one' })
})

test('the name of a policy has one line of at most 255 characters', async () => {
  const network = await newNetwork(admin)
  const policy = await newPolicy(admin, network, { name: 'x'.repeat(255) })
  const before = await everythingOf(admin, network)
  for (const name of [...NO_NAMES, 'x'.repeat(256)]) {
    expect(await admin.post(`/networks/${network.id}/policies`, { name }), JSON.stringify(name)).toMatchObject(INVALID)
    expect(await admin.put(policyPath(policy), { name }), JSON.stringify(name)).toMatchObject(INVALID)
  }
  for (const body of [{}, { name: '' }, { name: null }, { rules: [] }]) {
    expect(await admin.post(`/networks/${network.id}/policies`, body)).toMatchObject(INVALID)
  }
  expect(await everythingOf(admin, network)).toEqual(before)
})

test('a policy is found in its own network only, until it is deleted', async () => {
  const [network, elsewhere] = [await newNetwork(admin), await newNetwork(admin)]
  const policy = await newPolicy(admin, network)
  for (const wrong of [policyPath({ ...policy, network_id: elsewhere.id }), policyPath({ ...policy, id: 'none' })]) {
    expect(await admin.get(wrong)).toMatchObject(NOT_FOUND)
    expect(await admin.put(wrong, { name: 'stolen' })).toMatchObject(NOT_FOUND)
    expect(await admin.delete(wrong)).toMatchObject(NOT_FOUND)
    expect(await admin.post(`${wrong}/rules`, LAN_RULE)).toMatchObject(NOT_FOUND)
  }
  expect(await admin.post('/networks/none/policies', { name: 'x' })).toMatchObject(NOT_FOUND)
  expect(await admin.get('/networks/none/policies')).toMatchObject(NOT_FOUND)
  expect(await listed(network)).toEqual([policy])
  expect(await admin.delete(policyPath(policy))).toMatchObject(GONE)
  expect(await admin.delete(policyPath(policy))).toMatchObject(NOT_FOUND)
  expect(await admin.get(policyPath(policy))).toMatchObject(NOT_FOUND)
  expect(await listed(network)).toEqual([])
})
