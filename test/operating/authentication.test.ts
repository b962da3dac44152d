import { afterAll, beforeAll, expect, test } from 'vitest'
import { MCP_PATH } from '../../src/app.ts'
import { PASSWORD, startTestApp, type TestApp } from '../harness.ts'
import { trail } from './trail.ts'

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app[Symbol.asyncDispose]())

const login = (password: string, username = 'admin') => app.as(undefined).post('/auth/login', { username, password })

/** The one row that `act` leaves. */
async function rowOf(act: () => Promise<unknown>) {
  const { total } = await trail(app)
  await act()
  const after = await trail(app)
  expect(after.total).toBe(total + 1)
  return after.rows[0]!
}

test('signing in and out leave a row each, with the session that began and ended', async () => {
  let session = ''
  const came = await rowOf(async () => {
    session = (await login(PASSWORD)).body.session_hash
  })
  const left = await rowOf(() => app.as(session).post('/auth/logout'))
  const admin = { actor_id: 'admin', actor_email: 'admin@wirety.local', credential: 'session', surface: 'rest' }
  expect(came).toMatchObject({ action: 'login', outcome: 'ok', remote_ip: '127.0.0.1', ...admin })
  expect(left).toMatchObject({ action: 'logout', outcome: 'ok', credential_id: came.credential_id, ...admin })
})

test('a failed sign-in leaves a row with the name that was tried', async () => {
  const row = await rowOf(() => login('a wrong password'))
  expect(row).toMatchObject({
    action: 'login',
    outcome: 'unauthenticated',
    actor_id: '',
    credential: 'none',
    input: { username: 'admin' },
  })
})

test('signing out of a session that does not exist leaves nothing', async () => {
  const { total } = await trail(app)
  await app.as(undefined).post('/auth/logout', { session_hash: 'ses_none' })
  await app.as(undefined).post('/auth/logout')
  expect((await trail(app)).total).toBe(total)
})

test('a rejected credential leaves a row that says where and why, a missing one leaves none', async () => {
  const bad = `wirety_${'0'.repeat(64)}`
  const rest = await rowOf(() => app.as(bad).get('/networks'))
  const mcp = await rowOf(() =>
    fetch(`${app.url}${MCP_PATH}`, { method: 'POST', headers: { authorization: `Bearer ${bad}` }, body: '{}' }),
  )
  const rejected = { action: 'rejected', outcome: 'unauthenticated', input: { reason: 'invalid API token' } }
  expect([rest, mcp]).toMatchObject([
    { surface: 'rest', ...rejected },
    { surface: 'mcp', ...rejected },
  ])
  const { total } = await trail(app)
  expect((await app.as(undefined).get('/networks')).status).toBe(401)
  expect((await trail(app)).total).toBe(total)
})

test('strangers cannot fill the disk: within a minute only so many rejections of one address are written down', async () => {
  const bad = app.as(`wirety_${'1'.repeat(64)}`)
  for (let i = 0; i < 25; i++) expect((await bad.get('/networks')).status).toBe(401)
  const { rows } = await trail(app, 'action=rejected')
  expect(rows).toHaveLength(10)
  expect(rows[0]!.input).toMatchObject({ limit: 'more of this minute may be left out' })
  expect(rows[1]!.input).not.toHaveProperty('limit')
})

test('the limit is lifted when the minute is over, and does not touch those who proved who they are', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  await using other = await startTestApp({}, { now: () => new Date(now) })
  const bad = other.as(`wirety_${'2'.repeat(64)}`)
  for (let i = 0; i < 15; i++) await bad.get('/networks')
  expect((await trail(other, 'action=rejected')).total).toBe(10)
  for (let i = 0; i < 15; i++) await other.as(other.adminToken).delete('/networks/none')
  expect((await trail(other, 'action=delete_network')).total).toBe(15)
  now += 61_000
  await bad.get('/networks')
  expect((await trail(other, 'action=rejected')).total).toBe(11)
})
