import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { accessOf, bodyOf, configOf, type Json, newNetwork, newOffice, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

type Action = 'allow' | 'deny'

const rule = (action: Action, source_peer: string, target_peer: string) => ({ action, source_peer, target_peer })

/** Puts an enabled access list in place. */
async function enforce(network: Json, acl: object): Promise<Json> {
  return bodyOf(await admin.put(`/networks/${network.id}/acl`, { enabled: true, ...acl }), 200)
}

test('a new network has an access list that is disabled and empty, so that all peers may communicate', async () => {
  const { network, laptop } = await newOffice(admin)
  expect(await read(admin, `/networks/${network.id}/acl`)).toEqual({
    id: expect.any(String),
    name: 'default',
    enabled: false,
    blocked_peers: {},
    rules: [],
  })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true acl_disabled', server: 'true acl_disabled' })
})

test('an enabled access list without rules allows all', async () => {
  const { network, laptop } = await newOffice(admin)
  await enforce(network, {})
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true default_allow', server: 'true default_allow' })
})

test('a disabled access list decides nothing, whatever it holds', async () => {
  const { network, laptop } = await newOffice(admin)
  const rules = [rule('deny', '*', '*')]
  await enforce(network, { enabled: false, rules, blocked_peers: { [laptop.id]: true } })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true acl_disabled', server: 'true acl_disabled' })
})

test('the first rule that matches decides', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  const allow = rule('allow', laptop.id, server.id)
  const deny = rule('deny', '*', server.id)
  await enforce(network, { rules: [allow, deny] })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true default_allow', server: 'true allow_rule' })
  expect(await accessOf(admin, network, jump)).toEqual({ laptop: 'true default_allow', server: 'false deny_rule' })
  await enforce(network, { rules: [deny, allow] })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true default_allow', server: 'false deny_rule' })
})

test('* stands for every peer, on either side of a rule', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  await enforce(network, { rules: [rule('allow', '*', jump.id), rule('allow', jump.id, '*'), rule('deny', '*', '*')] })
  expect(await accessOf(admin, network, jump)).toEqual({ laptop: 'true allow_rule', server: 'true allow_rule' })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true allow_rule', server: 'false deny_rule' })
  expect(await accessOf(admin, network, server)).toEqual({ jump: 'true allow_rule', laptop: 'false deny_rule' })
})

test('a rule holds from its source to its target and not back', async () => {
  const { network, laptop, server } = await newOffice(admin)
  await enforce(network, { rules: [rule('deny', laptop.id, server.id)] })
  expect(await accessOf(admin, network, laptop)).toMatchObject({ server: 'false deny_rule' })
  expect(await accessOf(admin, network, server)).toMatchObject({ laptop: 'true default_allow' })
})

test('a blocked peer reaches nobody and nobody reaches it, whatever the rules say', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  await enforce(network, { blocked_peers: { [laptop.id]: true }, rules: [rule('allow', '*', '*')] })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'false blocked', server: 'false blocked' })
  expect(await accessOf(admin, network, server)).toEqual({ jump: 'true allow_rule', laptop: 'false blocked' })
  expect(await configOf(admin, network, jump)).not.toContain(laptop.public_key)
  expect(await configOf(admin, network, jump)).toContain(server.public_key)
  expect(await configOf(admin, network, laptop)).not.toContain('[Peer]')
})

test('an entry of blocked_peers that is false blocks nobody', async () => {
  const { network, laptop, server } = await newOffice(admin)
  await enforce(network, { blocked_peers: { [laptop.id]: false, [server.id]: true } })
  expect(await accessOf(admin, network, laptop)).toEqual({ jump: 'true default_allow', server: 'false blocked' })
  const { blocked_peers } = await read(admin, `/networks/${network.id}/acl`)
  expect(blocked_peers[laptop.id] ?? false).toBe(false)
  expect(blocked_peers[server.id]).toBe(true)
})

test('a peer that a jump peer may not reach is missing from its configuration', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  await enforce(network, { rules: [rule('deny', jump.id, laptop.id)] })
  const config = await configOf(admin, network, jump)
  expect([config.includes(laptop.public_key), config.includes(server.public_key)]).toEqual([false, true])
})

test('reachability lists the peers that may be reached first, then by name', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  await enforce(network, { rules: [rule('deny', laptop.id, jump.id)] })
  expect(await read(admin, `${peerPath(network, laptop)}/reachability`)).toEqual({
    peer_id: laptop.id,
    peer_name: 'laptop',
    peer_address: laptop.address,
    is_jump: false,
    peer_access: [
      {
        peer_id: server.id,
        peer_name: 'server',
        address: server.address,
        is_jump: false,
        allowed: true,
        reason: 'default_allow',
      },
      {
        peer_id: jump.id,
        peer_name: 'jump',
        address: jump.address,
        is_jump: true,
        allowed: false,
        reason: 'deny_rule',
      },
    ],
    rules: [],
    routes: [],
  })
})

test('a replaced access list keeps its id, the ids of its rules and their order', async () => {
  const { network, laptop, server } = await newOffice(admin)
  const { id } = await read(admin, `/networks/${network.id}/acl`)
  const rules = [
    { id: 'b', description: 'second thoughts', ...rule('deny', laptop.id, server.id) },
    { id: 'a', description: '', ...rule('allow', '*', '*') },
  ]
  const acl = await enforce(network, { id: 'another', name: 'strict', blocked_peers: { [server.id]: true }, rules })
  expect(acl).toEqual({ id, name: 'strict', enabled: true, blocked_peers: { [server.id]: true }, rules })
  expect(await read(admin, `/networks/${network.id}/acl`)).toEqual(acl)
  expect(await enforce(network, acl)).toEqual(acl)
})

test('a rule without an id gets one, and what is left out is gone', async () => {
  const { network, laptop } = await newOffice(admin)
  const made = await enforce(network, { name: 'strict', rules: [rule('deny', '*', '*'), rule('allow', '*', '*')] })
  const ids = made.rules.map((each: Json) => each.id)
  expect(new Set(ids.filter((id: string) => id !== '')).size).toBe(2)
  await enforce(network, { blocked_peers: { [laptop.id]: true } })
  expect(await enforce(network, {})).toEqual({ ...made, blocked_peers: {}, rules: [] })
})

test('the id of no peer of the network is refused, and the access list stays as it was', async () => {
  const { network, laptop } = await newOffice(admin)
  const elsewhere = await newOffice(admin)
  const before = await enforce(network, { rules: [rule('deny', laptop.id, '*')] })
  for (const wrong of [
    { blocked_peers: { nobody: true } },
    { blocked_peers: { '*': true } },
    { blocked_peers: { [elsewhere.laptop.id]: true } },
    { rules: [rule('deny', 'nobody', '*')] },
    { rules: [rule('deny', '*', 'nobody')] },
    { rules: [rule('deny', '*', elsewhere.laptop.id)] },
    { rules: [rule('deny', '', '*')] },
    { rules: [rule('deny', laptop.name, '*')] },
  ]) {
    const answer = await admin.put(`/networks/${network.id}/acl`, { enabled: false, ...wrong })
    expect(answer, JSON.stringify(wrong)).toMatchObject({ status: 400, body: { code: 'invalid' } })
  }
  expect(await read(admin, `/networks/${network.id}/acl`)).toEqual(before)
})

test.each([
  { enabled: 'yes' },
  { enabled: null },
  { enabled: true, blocked_peers: [] },
  { enabled: true, blocked_peers: { x: 'yes' } },
  { enabled: true, rules: {} },
  { enabled: true, rules: [{}] },
  { enabled: true, rules: [{ source_peer: '*', target_peer: '*', action: 'drop' }] },
  { enabled: true, rules: [{ source_peer: '*', target_peer: '*', action: 'deny', description: 'a\nb' }] },
  { enabled: true, name: 'a\nb' },
])('the access list %j is refused', async (acl) => {
  const network = await newNetwork(admin)
  const answer = await admin.put(`/networks/${network.id}/acl`, acl)
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } })
})

test('a deleted peer leaves nothing of itself in the access list', async () => {
  const { network, laptop, server } = await newOffice(admin)
  const kept = { id: 'kept', description: '', ...rule('deny', server.id, '*') }
  const acl = await enforce(network, {
    blocked_peers: { [laptop.id]: true, [server.id]: true },
    rules: [rule('allow', laptop.id, '*'), kept, rule('deny', '*', laptop.id)],
  })
  bodyOf(await admin.delete(peerPath(network, laptop)), 204)
  const after = await read(admin, `/networks/${network.id}/acl`)
  expect(after).toEqual({ ...acl, blocked_peers: { [server.id]: true }, rules: [kept] })
  expect(bodyOf(await admin.put(`/networks/${network.id}/acl`, after), 200)).toEqual(after)
})

test('the access list of a network that does not exist is not found', async () => {
  expect(await admin.get('/networks/nowhere/acl')).toMatchObject({ status: 404 })
  expect(await admin.put('/networks/nowhere/acl', { enabled: true })).toMatchObject({ status: 404 })
})
