import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import {
  everythingOf,
  GONE,
  INVALID,
  LAN_RULE,
  NO_NAMES,
  NOT_FOUND,
  newPolicy,
  policyPath,
  TEXT,
  taken,
} from './policy-objects.ts'
import { bodyOf, type Json, newNetwork, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let time = '2030-01-01T12:00:00.000Z'

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(time) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const listed = (network: Json) => read(admin, `/networks/${network.id}/policies`)

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

test('the name of a policy is unique in its network', async () => {
  const [network, elsewhere] = [await newNetwork(admin), await newNetwork(admin)]
  await newPolicy(admin, network, { name: 'one' })
  const other = await newPolicy(admin, network, { name: 'two' })
  const before = await everythingOf(admin, network)
  expect(await admin.post(`/networks/${network.id}/policies`, { name: 'one' })).toMatchObject(taken('one'))
  expect(await admin.put(policyPath(other), { name: 'one', description: 'x' })).toMatchObject(taken('one'))
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
