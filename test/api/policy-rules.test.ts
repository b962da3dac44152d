import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import * as objects from './policy-objects.ts'
import {
  CONFLICT,
  everythingOf,
  GONE,
  INVALID,
  LAN_RULE,
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

test('a rule whose id was chosen is removed by that id, and the policy stays', async () => {
  const policy = await newPolicy(admin, await newNetwork(admin))
  for (const id of ['mine', '.', '..', 'a/b', '%2e', '?x', '#', ' ', 'ü']) {
    const answer = await addRule(policy, { ...LAN_RULE, id })
    if (answer.status === 400) continue
    bodyOf(answer, 201)
    await admin.delete(`${policyPath(policy)}/rules/${encodeURIComponent(id)}`)
    expect(await admin.get(policyPath(policy)), id).toMatchObject({ status: 200, body: { rules: [] } })
  }
})

test('a rule is shown at once as it is kept', async () => {
  const policy = await newPolicy(admin, await newNetwork(admin))
  for (const id of [undefined, 'mine', 'half a pair: \ud800']) {
    const description = 'half a pair: \udfff'
    const answer = await addRule(policy, { ...LAN_RULE, id, description })
    if (answer.status === 400) continue
    expect((await rulesOf(policy)).at(-1)).toEqual(bodyOf(answer, 201))
  }
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
