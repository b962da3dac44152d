import { expect, test } from 'vitest'
import { operations } from '../../src/api/operations/index.ts'
import { eventOf } from '../../src/operating/audit-lines.ts'
import * as audit from '../../src/storage/audit.ts'
import { fixedClock } from '../deterministic.ts'
import { startTestApp } from '../harness.ts'
import { buildOffice } from '../topologies.ts'
import { trail } from './trail.ts'

/** The event names that consumers of the reference know, of the nouns that exist here. */
const KNOWN = `network.create network.update network.delete peer.create peer.update peer.delete acl.update
  group.create group.update group.delete group.peer.add group.peer.remove
  policy.create policy.update policy.delete policy.rule.add policy.rule.remove
  policy.group.attach policy.group.detach policy.group.reorder
  route.create route.update route.delete route.group.attach route.group.detach
  user.create user.update user.delete user.defaults.update`

test('the events have the names that consumers of the reference know', () => {
  const events = operations.filter(({ effect }) => effect !== 'read').map(({ name }) => eventOf(name))
  expect(events).toEqual(expect.arrayContaining(KNOWN.split(/\s+/)))
  expect(new Set(events).size).toBe(events.length)
  expect(['login', 'logout', 'rejected'].map(eventOf)).toEqual(['auth.login', 'auth.logout', 'auth.rejected'])
})

test('with AUDIT_LOG each row is a line of JSON, too', async () => {
  const lines: string[] = []
  await using app = await startTestApp(
    { AUDIT_LOG: 'true' },
    { now: fixedClock, writeAudit: (line) => void lines.push(line) },
  )
  const office = await buildOffice(app)
  await app.as(office.alice.token).delete(`/networks/${office.office}`)
  await app.as('wirety_bad').get('/networks')
  const events = lines.map((line) => JSON.parse(line))
  const { rows, total } = await trail(app)
  expect(lines).toHaveLength(total)
  expect(lines.every((line) => /^\{.*\}\n$/.test(line))).toBe(true)
  expect(events.map((event) => event.request_id)).toEqual(rows.map((row) => row.request_id).reverse())
  const created = events.find((event) => event.action === 'peer.create' && event.actor_id === office.alice.id)
  const row = rows.find((found) => found.action === 'create_peer' && found.object_id === office.laptop)!
  expect(created).toEqual({
    level: 'info',
    log_type: 'audit',
    time: Date.parse('2026-01-01T00:00:00Z') / 1000,
    actor_id: office.alice.id,
    actor_email: 'alice@example.com',
    remote_ip: '127.0.0.1',
    action: 'peer.create',
    outcome: 'ok',
    surface: 'rest',
    credential: 'api_token',
    credential_id: row.credential_id,
    request_id: row.request_id,
    network_id: office.office,
    peer_id: office.laptop,
    message: 'audit',
  })
  const member = events.find((event) => event.action === 'group.peer.add')
  expect(member).toMatchObject({ network_id: office.office, group_id: office.team, peer_id: office.laptop })
  expect(events.slice(-2)).toMatchObject([
    { level: 'warn', action: 'network.delete', outcome: 'forbidden', actor_id: office.alice.id },
    { level: 'warn', action: 'auth.rejected', outcome: 'unauthenticated', actor_id: '' },
  ])
  expect(lines.join('')).not.toMatch(/enr_|wirety_|ses_|password/)
})

test('without AUDIT_LOG there are no lines', async () => {
  const lines: string[] = []
  await using app = await startTestApp({}, { writeAudit: (line) => void lines.push(line) })
  await app.as(app.adminToken).post('/networks', { name: 'office', cidr: '10.0.0.0/24' })
  expect(lines).toEqual([])
})

test('a row that is rolled back leaves no line', async () => {
  const lines: string[] = []
  await using app = await startTestApp({ AUDIT_LOG: 'true' }, { writeAudit: (line) => void lines.push(line) })
  const { database } = app.app.env
  const entry = await database.read((tx) => tx.find<audit.AuditEntry>('SELECT * FROM audit_log LIMIT 1'))
  const before = lines.length
  const work = database.write(async (tx) => {
    await audit.insert(tx, { ...entry!, id: 'rolled-back' })
    throw new Error('changed my mind')
  })
  await expect(work).rejects.toThrow('changed my mind')
  await database.write(async (tx) => audit.insert(tx, { ...entry!, id: 'kept' }))
  expect(lines).toHaveLength(before + 1)
})
