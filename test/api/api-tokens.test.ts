import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, type Json, newNetwork, newPeer, read } from './topologies.ts'

const START = Date.parse('2030-01-01T00:00:00.000Z')
const MINUTE = 60_000

let app: TestApp
let now = START

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(now) })
})

afterAll(() => app[Symbol.asyncDispose]())

const instant = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()

/** Runs `work` with the clock at `minutes` after the start, and puts it back. */
async function at<T>(minutes: number, work: () => Promise<T>): Promise<T> {
  now = START + minutes * MINUTE
  try {
    return await work()
  } finally {
    now = START
  }
}

test('a token is wirety_ with 64 hex digits and is shown once', async () => {
  const rest = app.as((await app.addUser('anna')).token)
  const made = bodyOf(await rest.post('/users/me/tokens', { name: 'ci-bot' }), 201)
  expect(made).toEqual({
    id: expect.any(String),
    name: 'ci-bot',
    token: expect.stringMatching(/^wirety_[0-9a-f]{64}$/),
    created_at: instant(0),
    expires_at: null,
    last_used_at: null,
  })
  const list = await rest.get('/users/me/tokens')
  const { token, ...shown } = made
  expect(list.body).toContainEqual(shown)
  expect(list.text).not.toContain(token)
  expect(list.text).not.toContain(token.slice('wirety_'.length))
})

test('tokens are listed oldest first', async () => {
  const rest = app.as((await app.addUser('berta')).token)
  for (const name of ['one', 'two', 'three']) bodyOf(await rest.post('/users/me/tokens', { name }), 201)
  const names = (await read(rest, '/users/me/tokens')).map((token: Json) => token.name)
  expect(names).toEqual(['berta', 'one', 'two', 'three'])
})

test('a token signs in as its owner, with the role and the networks of its owner', async () => {
  const network = await newNetwork(app.as(app.adminToken))
  const clara = await app.addUser('clara', [network.id])
  const { token } = bodyOf(await app.as(clara.token).post('/users/me/tokens', { name: 'bot' }), 201)
  const bot = app.as(token)
  expect(await read(bot, '/users/me')).toMatchObject({ id: clara.id })
  expect(await newPeer(bot, network)).toMatchObject({ owner_id: clara.id })
  expect(await bot.get('/users')).toMatchObject({ status: 403 })
})

test('a token remembers when it was used', async () => {
  const rest = app.as((await app.addUser('doris')).token)
  const { id, token } = bodyOf(await rest.post('/users/me/tokens', { name: 'bot' }), 201)
  const lastUse = async () =>
    (await read(rest, '/users/me/tokens')).find((each: Json) => each.id === id).last_used_at as string | null
  expect(await lastUse()).toBe(null)
  await at(1, async () => bodyOf(await app.as(token).get('/users/me'), 200))
  expect(await lastUse()).toBe(instant(1))
  await at(60, async () => bodyOf(await app.as(token).get('/users/me'), 200))
  expect(await lastUse()).toBe(instant(60))
})

test('a token is valid up to the moment at which it expires', async () => {
  const rest = app.as((await app.addUser('erna')).token)
  const body = { name: 'short', expires_at: instant(60) }
  const { token, expires_at } = bodyOf(await rest.post('/users/me/tokens', body), 201)
  expect(expires_at).toBe(instant(60))
  expect(await at(59.999, () => app.as(token).get('/users/me'))).toMatchObject({ status: 200 })
  const late = await at(60, () => app.as(token).get('/users/me'))
  expect(late).toMatchObject({ status: 401, body: { code: 'unauthenticated', error: 'API token has expired' } })
  expect(await at(60, () => app.as(token).get('/health'))).toMatchObject({ status: 401 })
})

test('the end of a token may be given with an offset and is shown in UTC', async () => {
  const rest = app.as((await app.addUser('frida')).token)
  const body = { name: 'offset', expires_at: '2030-06-01T12:00:00+02:00' }
  expect(bodyOf(await rest.post('/users/me/tokens', body), 201)).toMatchObject({
    expires_at: '2030-06-01T10:00:00.000Z',
  })
  const never = bodyOf(await rest.post('/users/me/tokens', { name: 'never', expires_at: null }), 201)
  expect(never).toMatchObject({ expires_at: null })
})

test.each([
  [{ name: 'x', expires_at: '2029-12-31T23:59:59Z' }, 'expires_at'],
  [{ name: 'x', expires_at: '2030-01-01T00:00:00Z' }, 'expires_at'],
  [{ name: 'x', expires_at: '2030-01-01T01:00:00+02:00' }, 'expires_at'],
  [{ name: 'x', expires_at: '0000-01-01T00:00:00+23:59' }, 'expires_at'],
  [{ name: 'x', expires_at: '2031-02-30T00:00:00Z' }, 'expires_at'],
  [{ name: 'x', expires_at: '2031-01-01T24:00:00Z' }, 'expires_at'],
  [{ name: 'x', expires_at: '2031-01-01' }, 'expires_at'],
  [{ name: 'x', expires_at: '2031-01-01T00:00:00' }, 'expires_at'],
  [{ name: 'x', expires_at: 'tomorrow' }, 'expires_at'],
  [{ name: 'x', expires_at: '' }, 'expires_at'],
  [{ name: 'x', expires_at: 1893456000 }, 'expires_at'],
  [{ name: '' }, 'name'],
  [{ name: 'a\nb' }, 'name'],
  [{ name: 'x'.repeat(256) }, 'name'],
  [{ name: ['x'] }, 'name'],
  [{}, 'name'],
])('the token %j is refused', async (body, field) => {
  const admin = app.as(app.adminToken)
  const before = await read(admin, '/users/me/tokens')
  const answer = await admin.post('/users/me/tokens', body)
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', error: expect.stringContaining(field) } })
  expect(await read(admin, '/users/me/tokens')).toEqual(before)
})

test('a deleted token is refused at once and cannot be deleted again', async () => {
  const rest = app.as((await app.addUser('gerda')).token)
  const { id, token } = bodyOf(await rest.post('/users/me/tokens', { name: 'bot' }), 201)
  expect(await app.as(token).get('/users/me')).toMatchObject({ status: 200 })
  expect(await rest.delete(`/users/me/tokens/${id}`)).toMatchObject({ status: 204, text: '' })
  expect(await app.as(token).get('/users/me')).toMatchObject({ status: 401, body: { error: 'invalid API token' } })
  expect(await rest.delete(`/users/me/tokens/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
})

test('a token may delete itself', async () => {
  const rest = app.as((await app.addUser('hanna')).token)
  const [own] = await read(rest, '/users/me/tokens')
  expect(await rest.delete(`/users/me/tokens/${own.id}`)).toMatchObject({ status: 204 })
  expect(await rest.get('/users/me')).toMatchObject({ status: 401 })
})

test('nobody sees or deletes the tokens of somebody else, not even an administrator', async () => {
  const ilse = app.as((await app.addUser('ilse')).token)
  const jutta = app.as((await app.addUser('jutta')).token)
  const [own] = await read(ilse, '/users/me/tokens')
  for (const other of [jutta, app.as(app.adminToken)]) {
    expect((await read(other, '/users/me/tokens')).map((token: Json) => token.id)).not.toContain(own.id)
    const foreign = await other.delete(`/users/me/tokens/${own.id}`)
    const missing = await other.delete('/users/me/tokens/none')
    expect([foreign.status, missing.status]).toEqual([404, 404])
    expect(foreign.body.error.replace(own.id, 'none')).toBe(missing.body.error)
  }
  expect(await ilse.get('/users/me')).toMatchObject({ status: 200 })
})

test('a session cannot be deleted as if it were a token', async () => {
  const admin = app.as(app.adminToken)
  const list = await read(admin, '/users/me/tokens')
  const login = { username: 'admin', password: 'a password for tests' }
  const { session_hash } = bodyOf(await app.as(undefined).post('/auth/login', login), 200)
  expect(await read(app.as(session_hash), '/users/me/tokens')).toEqual(list)
  expect(await admin.delete(`/users/me/tokens/${session_hash}`)).toMatchObject({ status: 404 })
  expect(await app.as(session_hash).get('/users/me')).toMatchObject({ status: 200 })
})

test.each([
  ['no prefix', (token: string) => token.slice('wirety_'.length)],
  ['a digit less', (token: string) => token.slice(0, -1)],
  ['a digit more', (token: string) => `${token}0`],
  ['another last digit', (token: string) => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')],
  ['capitals', (token: string) => token.toUpperCase()],
])('a token with %s is refused', async (_what, spoil) => {
  const answer = await app.as(spoil(app.adminToken)).get('/users/me')
  expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated', error: 'invalid API token' } })
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
})
