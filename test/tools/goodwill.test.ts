import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Mcp, startTestApp, type TestApp, textOf } from '../harness.ts'
import { buildOffice, type Office, raiseIncident } from '../topologies.ts'

let app: TestApp
let office: Office
let admin: Mcp
let alice: Mcp

beforeAll(async () => {
  app = await startTestApp()
  office = await buildOffice(app)
  admin = await app.mcp(app.adminToken)
  alice = await app.mcp(office.alice.token)
})
afterAll(async () => {
  await Promise.all([admin[Symbol.asyncDispose](), alice[Symbol.asyncDispose]()])
  await app[Symbol.asyncDispose]()
})

test('names are accepted where ids are, and the answer says what was understood', async () => {
  const result = await admin.client.callTool({ name: 'get_peer', arguments: { network_id: 'Office', peer_id: 'db' } })
  expect(result.structuredContent).toMatchObject({ id: office.db, name: 'db' })
  expect(textOf(result)).toContain(`Note: peer_id: "db" is the peer ${office.db}`)
})

test('the target of a policy rule may be given by name', async () => {
  const rule = { direction: 'output', action: 'deny', target: 'db', target_type: 'peer' }
  const policy = await admin.call('create_policy', { network_id: 'office', name: 'named', rules: [rule] })
  expect(policy.rules).toMatchObject([{ target: office.db }])
  const toTeam = { ...rule, target: 'team', target_type: 'group' }
  const added = await admin.call('add_policy_rule', { network_id: 'office', policy_id: 'named', ...toTeam })
  expect(added).toMatchObject({ target: office.team })
})

test('a user may be given by e-mail address', async () => {
  expect(await admin.call('get_user', { user_id: 'alice@example.com' })).toMatchObject({ id: office.alice.id })
})

test('an ambiguous name is answered with the ids to choose from', async () => {
  const twins = [
    await admin.call('create_peer', { network_id: office.office, name: 'twin' }),
    await admin.call('create_peer', { network_id: office.office, name: 'twin' }),
  ]
  const refusal = await admin.refusal('get_peer', { network_id: 'office', peer_id: 'twin' })
  for (const { id } of twins) expect(refusal).toContain(id)
})

test.each([
  ['a number', { page: '1', page_size: ' 5 ' }, { page: 1, page_size: 5 }],
  ['nothing for null', { page: 1, filter: null }, { page: 1, page_size: 20 }],
])('text is read as %s', async (_, args, understood) => {
  const result = await admin.client.callTool({ name: 'list_networks', arguments: args })
  expect(result.structuredContent).toMatchObject(understood)
  expect(textOf(result)).toContain('Note: ')
})

test('lists, objects and booleans may arrive as text', async () => {
  const network = await admin.call('create_network', { name: 'texts', cidr: '10.99.0.0/24', dns: '["1.1.1.1"]' })
  expect(network.dns).toEqual(['1.1.1.1'])
  expect((await admin.call('update_network', { network_id: 'texts', dns: '9.9.9.9' })).dns).toEqual(['9.9.9.9'])
  const acl = { enabled: 'true', rules: '[{"source_peer":"*","target_peer":"*","action":"deny"}]' }
  expect(await admin.call('replace_acl', { network_id: 'texts', ...acl })).toMatchObject({
    enabled: true,
    rules: [{ source_peer: '*', target_peer: '*', action: 'deny', description: '' }],
  })
})

test.each([
  ['get_peer', { network_id: 'ofice', peer_id: 'db' }, 'did you mean "office"?', 'Next: list_networks'],
  ['get_peer', { network_id: 'office', peer_id: 'latop' }, 'did you mean "laptop"?', 'Next: list_peers'],
  ['get_peer', { network: 'office', peer_id: 'db' }, 'did you mean "network_id"?', 'Next: get_peer'],
  ['create_peer', { network_id: 'office', name: 'Bad Name' }, 'name: use lower-case letters', 'Next: create_peer'],
  ['create_network', { name: 'x', cidr: '10.10.0.0/25' }, 'overlaps network "office"', 'Next: suggest_cidrs'],
  ['create_network', { name: 'x', cidr: '10.0.0.5/24' }, 'did you mean 10.0.0.0/24?', 'Next: create_network'],
  ['get_incident', { incident_id: 'none' }, 'no incident "none"', 'Next: list_incidents'],
  ['suggest_cidrs', {}, 'max_peers', 'Next: suggest_cidrs'],
  [
    'replace_acl',
    { network_id: 'office', enabled: true, rules: [{ source: '*' }] },
    '"source_peer"',
    'Next: replace_acl',
  ],
])('a wrong call of %s is answered with its repair: %o', async (tool, args, cause, next) => {
  const refusal = await admin.refusal(tool, args)
  expect(refusal).toContain(cause)
  expect(refusal).toContain(next)
})

test('names that the caller may not see are not suggested', async () => {
  expect(await alice.refusal('get_network', { network_id: 'labb' })).not.toContain('"lab"')
  expect(await alice.refusal('get_peer', { network_id: 'office', peer_id: 'dbb' })).not.toContain('"db"')
})

test('an unknown tool is a protocol error that names the likely one', async () => {
  await expect(admin.client.callTool({ name: 'list_network', arguments: {} })).rejects.toThrow(
    'did you mean "list_networks"?',
  )
})

test('a user who calls an administrator’s tool is refused, and the refusal is audited', async () => {
  expect(await alice.refusal('delete_network', { network_id: 'office' })).toMatch(/^forbidden: /)
  const rows = await app.app.env.database.read((tx) =>
    tx.all("SELECT actor_email, surface, outcome FROM audit_log WHERE action = 'delete_network'"),
  )
  expect(rows.map((row) => ({ ...(row as object) }))).toEqual([
    { actor_email: 'alice@example.com', surface: 'mcp', outcome: 'forbidden' },
  ])
})

test('a demoted administrator loses the tools on the next call of a running session', async () => {
  const bob = await app.addUser('bob')
  await app.as(app.adminToken).put(`/users/${bob.id}`, { role: 'administrator' })
  await using session = await app.mcp(bob.token)
  expect(await session.call('list_users')).toHaveProperty('data')
  await app.as(app.adminToken).put(`/users/${bob.id}`, { role: 'user' })
  expect(await session.refusal('list_users')).toMatch(/^forbidden: /)
  expect((await session.client.listTools()).tools.map((tool) => tool.name)).not.toContain('list_users')
})

test('hostile text in a result is made visible', async () => {
  const incident = await raiseIncident(app, office.office, { id: office.db, name: 'evil\u202e\u200bname' }, false)
  const result = await admin.client.callTool({ name: 'get_incident', arguments: { incident_id: incident } })
  expect(textOf(result)).toContain('evil\\u{202e}\\u{200b}name')
})
