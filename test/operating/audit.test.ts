import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../../src/api/operations/index.ts'
import { tools } from '../../src/tools/catalog.ts'
import { CALLS, operationOf, overMcp, overRest } from '../calls.ts'
import { type Mcp, PASSWORD, startTestApp, type TestApp } from '../harness.ts'
import { buildOffice, type Office } from '../topologies.ts'
import { rawRows, trail } from './trail.ts'

const WRITES = CALLS.filter(([name]) => operationOf(name).effect !== 'read')

describe.each([
  ['administrator', 'rest'],
  ['administrator', 'mcp'],
  ['user', 'rest'],
  ['user', 'mcp'],
] as const)('a write of an %s through %s', (role, surface) => {
  let app: TestApp
  let office: Office
  let mcp: Mcp
  let token: string

  beforeAll(async () => {
    app = await startTestApp()
    office = await buildOffice(app)
    token = role === 'user' ? office.alice.token : app.adminToken
    mcp = await app.mcp(token)
  })
  afterAll(async () => {
    await mcp[Symbol.asyncDispose]()
    await app[Symbol.asyncDispose]()
  })

  test.each(WRITES)('%s leaves exactly one row', async (name, input) => {
    const before = await trail(app)
    const outcome =
      surface === 'rest'
        ? await overRest(app.as(token), operationOf(name), input(office))
        : await overMcp(mcp, name, input(office))
    const refused = surface === 'rest' ? (outcome as { body?: { code?: string } }).body?.code : refusalOf(outcome)
    const { total, rows } = await trail(app)
    expect(total).toBe(before.total + 1)
    expect(rows[0]).toMatchObject({
      action: name,
      outcome: refused ?? 'ok',
      actor_id: role === 'user' ? office.alice.id : 'admin',
      actor_email: role === 'user' ? 'alice@example.com' : 'admin@wirety.local',
      credential: 'api_token',
      credential_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      surface,
      request_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      remote_ip: '127.0.0.1',
    })
  })
})

function refusalOf(outcome: unknown): string | undefined {
  return (outcome as { refused?: string } | null)?.refused
}

test('every operation that writes and is for assistants is among these writes', () => {
  const writes = operations.filter((operation) => operation.effect !== 'read' && tools.has(operation.name))
  expect([...new Set(WRITES.map(([name]) => name))].sort()).toEqual(writes.map(({ name }) => name).sort())
})

describe('before and after', () => {
  let app: TestApp
  let office: Office
  beforeAll(async () => {
    app = await startTestApp()
    office = await buildOffice(app)
  })
  afterAll(() => app[Symbol.asyncDispose]())

  const last = async () => (await trail(app)).rows[0]!

  test('a created object is its own after', async () => {
    const peer = { name: 'phone', use_agent: true }
    const { body } = await app.as(app.adminToken).post(`/networks/${office.office}/peers`, peer)
    const { token: _, ...seen } = body
    const row = await last()
    expect(row).toMatchObject({ network_id: office.office, object_id: body.id, input: peer, after: seen })
    expect(row).not.toHaveProperty('before')
    expect(row.after).not.toHaveProperty('token')
  })

  test('a changed object is seen before and after', async () => {
    const path = `/networks/${office.office}/peers/${office.db}`
    await app.as(app.adminToken).put(path, { name: 'database' })
    const { before, after } = await last()
    expect([before.name, after.name, before.id, after.id]).toEqual(['db', 'database', office.db, office.db])
    expect(after.updated_at > before.updated_at).toBe(true)
  })

  test('a replaced list is seen whole', async () => {
    const acl = { enabled: true, blocked_peers: { [office.db]: true } }
    await app.as(app.adminToken).put(`/networks/${office.office}/acl`, acl)
    expect(await last()).toMatchObject({
      before: { enabled: false, blocked_peers: {} },
      after: { enabled: true, blocked_peers: { [office.db]: true } },
    })
  })

  test('an action on an object shows the object', async () => {
    await app.as(app.adminToken).post(`/security/incidents/${office.dbIncident}/resolve`)
    expect(await last()).toMatchObject({
      network_id: office.office,
      object_id: office.dbIncident,
      before: { resolved: false },
      after: { resolved: true, resolved_by: 'admin@wirety.local' },
    })
  })

  test('a deleted part of an object is seen as it was', async () => {
    const path = `/networks/${office.office}/policies/${office.policy}/rules/${office.rule}`
    await app.as(app.adminToken).delete(path)
    const row = await last()
    expect(row).toMatchObject({ object_id: office.rule, before: { id: office.rule, target: '192.168.1.0/24' } })
    expect(row).not.toHaveProperty('after')
  })

  test('a deleted element of a list is seen as it was', async () => {
    const { body } = await app.as(app.adminToken).post('/users/me/tokens', { name: 'ci' })
    expect((await last()).after).toMatchObject({ id: body.id, name: 'ci' })
    await app.as(app.adminToken).delete(`/users/me/tokens/${body.id}`)
    expect(await last()).toMatchObject({ object_id: body.id, before: { id: body.id, name: 'ci' } })
    expect(await rawRows(app)).not.toContain(body.token)
  })

  test('what is attached and detached is told', async () => {
    const path = `/networks/${office.office}/groups/${office.team}/policies/${office.policy}`
    await app.as(app.adminToken).delete(path)
    expect((await last()).before).toMatchObject({ id: office.policy })
    await app.as(app.adminToken).post(path)
    const { before, after, input } = await last()
    expect([before, after.id, input.group_id]).toEqual([undefined, office.policy, office.team])
  })

  test('a deleted network is seen as it was, and its rows stay', async () => {
    await app.as(app.adminToken).delete(`/networks/${office.lab}`)
    expect(await last()).toMatchObject({ network_id: office.lab, object_id: office.lab, before: { name: 'lab' } })
    const { rows } = await trail(app, `network_id=${office.lab}`)
    expect(rows.map((row) => row.action)).toEqual(['delete_network', 'create_network'])
  })

  test('a view larger than a row should be leaves its size', async () => {
    const rules = Array.from({ length: 300 }, (_, i) => ({
      source_peer: '*',
      target_peer: '*',
      action: 'allow',
      description: `rule ${i}`,
    }))
    await app.as(app.adminToken).put(`/networks/${office.office}/acl`, { enabled: true, rules })
    const { after, input } = await last()
    expect(after).toEqual({ omitted_characters: expect.any(Number) })
    expect(input.rules).toHaveLength(300)
  })
})

test('no row contains a key, a token, a session or a password', async () => {
  await using app = await startTestApp()
  const office = await buildOffice(app)
  const rest = app.as(app.adminToken)
  for (const [name, input] of WRITES) await overRest(rest, operationOf(name), input(office))
  await rest.post('/users', { email: 'eve@example.com', name: 'Eve', password: 'canary-password-1' })
  await rest.put(`/users/${office.alice.id}`, { password: 'canary-password-2' })
  await rest.post('/users', { email: 'no', name: 'Eve', password: 'canary-password-3' })
  await app.as(undefined).post('/auth/login', { username: 'admin', password: 'canary-password-4' })
  await app.as(`wirety_${'c0ffee'.repeat(10)}c0ff`).get('/users/me')
  const rows = await rawRows(app)
  const canaries = [app.adminToken, office.alice.token, PASSWORD, 'canary-password', 'argon2', 'enr_', 'ses_', 'c0ffee']
  expect(canaries.filter((canary) => rows.includes(canary))).toEqual([])
  expect(rows).not.toMatch(/"(token|password|private_key|preshared_key)\\?":/)
})

describe('the list', () => {
  let app: TestApp
  let office: Office
  beforeAll(async () => {
    app = await startTestApp()
    office = await buildOffice(app)
  })
  afterAll(() => app[Symbol.asyncDispose]())

  test('is for administrators', async () => {
    expect((await app.as(office.alice.token).get('/audit')).status).toBe(403)
    expect((await app.as(undefined).get('/audit')).status).toBe(401)
  })

  test('is newest first, in pages', async () => {
    const { rows, total } = await trail(app)
    expect(rows.map((row) => row.id)).toEqual(
      rows
        .map((row) => row.id)
        .sort()
        .reverse(),
    )
    const page = (await app.as(app.adminToken).get('/audit?page=2&page_size=3')).body
    expect(page.data.map((row: { id: string }) => row.id)).toEqual(rows.slice(3, 6).map((row) => row.id))
    expect(page).toMatchObject({ total, page: 2, page_size: 3 })
  })

  test.each([
    ['action=create_peer', (row: { action: string }) => row.action === 'create_peer'],
    ['outcome=ok', (row: { outcome: string }) => row.outcome === 'ok'],
    ['outcome=forbidden', (row: { outcome: string }) => row.outcome === 'forbidden'],
    ['actor=admin&action=create_peer', (row: { actor_id: string }) => row.actor_id === 'admin'],
  ])('is filtered by %s', async (query, isWanted) => {
    await app.as(office.alice.token).post('/networks', { name: 'mine', cidr: '10.99.0.0/24' })
    const { rows } = await trail(app, query)
    const all = (await trail(app)).rows.filter((row) => !query.includes('create_peer') || row.action === 'create_peer')
    expect(rows.length).toBeGreaterThan(0)
    expect(rows).toEqual(all.filter((row) => isWanted(row as never)))
  })

  test('is filtered by time, in any offset', async () => {
    const { rows } = await trail(app)
    const middle = rows[5]!
    const since = await trail(app, `since=${middle.at}`)
    const until = await trail(app, `until=${encodeURIComponent(middle.at.replace('Z', '+00:00'))}`)
    expect(since.total + until.total).toBe(rows.length)
    expect(since.rows.at(-1)!.at >= middle.at && until.rows[0]!.at < middle.at).toBe(true)
    expect((await app.as(app.adminToken).get('/audit?since=yesterday')).status).toBe(400)
  })

  test('takes a user and a network by name from an assistant', async () => {
    await using mcp = await app.mcp(app.adminToken)
    const asked = { actor: 'alice@example.com', network_id: 'office' }
    const { data } = await mcp.call('list_audit_entries', asked)
    expect(data.map((row: { action: string }) => row.action)).toEqual(['create_peer'])
    expect(data[0].actor_id).toBe(office.alice.id)
  })

  test('uses an index for every filter', async () => {
    const plans = await app.app.env.database.read((tx) =>
      Promise.all(
        ['1 = 1', 'actor_id = ?', 'action = ?', 'network_id = ?', 'outcome = ?', 'at >= ?'].map(async (where) => {
          const sql = `EXPLAIN QUERY PLAN SELECT * FROM audit_log WHERE ${where} ORDER BY at DESC, id DESC LIMIT 20`
          const steps = await tx.all<{ detail: string }>(sql, ...(where.includes('?') ? ['x'] : []))
          return steps.map((step) => step.detail).join('; ')
        }),
      ),
    )
    for (const plan of plans) {
      expect(plan).toMatch(/USING INDEX audit_log_/)
      expect(plan).not.toContain('TEMP B-TREE')
    }
  })
})
