import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD, startTestApp, type TestApp } from '../harness.ts'
import { type RawAnswer, sendRaw } from './raw.ts'
import { newNetwork } from './topologies.ts'

const START = Date.parse('2030-01-01T00:00:00.000Z')
const DAY = 24 * 3600 * 1000
const FOREIGN = 'https://evil.example'

let app: TestApp
let now = START

beforeAll(async () => {
  app = await startTestApp({ ALLOWED_ORIGINS: 'https://front.example' }, { now: () => new Date(now) })
})

afterAll(() => app[Symbol.asyncDispose]())

const JSON_TYPE = { 'content-type': 'application/json' }

function logIn(username: unknown = 'admin', password: unknown = PASSWORD): Promise<RawAnswer> {
  const body = JSON.stringify({ username, password })
  return sendRaw(app, { method: 'POST', path: '/auth/login', headers: JSON_TYPE, body })
}

async function newSession(): Promise<string> {
  return (await logIn()).body.session_hash
}

const cookie = (session: string) => ({ cookie: `theme=dark; wirety_session=${session}; x=y` })

async function statusOf(headers: Record<string, string>): Promise<number> {
  return (await sendRaw(app, { path: '/users/me', headers })).status
}

/** POST, PUT and DELETE with these headers; the statuses. */
async function writesWith(headers: Record<string, string>): Promise<number[]> {
  const { id } = await newNetwork(app.as(app.adminToken))
  const json = { ...headers, ...JSON_TYPE }
  const peer = JSON.stringify({ name: 'laptop' })
  const rename = JSON.stringify({ name: 'renamed' })
  const answers = [
    await sendRaw(app, { method: 'POST', path: `/networks/${id}/peers`, headers: json, body: peer }),
    await sendRaw(app, { method: 'PUT', path: `/networks/${id}`, headers: json, body: rename }),
    await sendRaw(app, { method: 'DELETE', path: `/networks/${id}`, headers }),
  ]
  return answers.map((answer) => answer.status)
}

test('a login answers a session for 30 days, as a value and as a cookie that scripts cannot read', async () => {
  const answer = await logIn()
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({ session_hash: expect.any(String), expires_in: 2592000 })
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.headers['set-cookie']).toHaveLength(1)
  const [pair, ...attributes] = answer.headers['set-cookie']?.[0]?.split('; ') ?? []
  expect(pair).toBe(`wirety_session=${answer.body.session_hash}`)
  const kept = attributes.filter((attribute) => !attribute.startsWith('Expires='))
  expect(kept.sort()).toEqual(['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax', 'Secure'])
})

test('the cookie may travel without TLS when COOKIE_SECURE is false', async () => {
  await using plain = await startTestApp({ COOKIE_SECURE: 'false' })
  const body = JSON.stringify({ username: 'admin', password: PASSWORD })
  const answer = await sendRaw(plain, { method: 'POST', path: '/auth/login', headers: JSON_TYPE, body })
  expect(answer.headers['set-cookie']?.[0]).toContain('HttpOnly')
  expect(answer.headers['set-cookie']?.[0]).not.toContain('Secure')
})

test('each login opens a session of its own', async () => {
  const [first, second] = [await newSession(), await newSession()]
  expect(first).not.toBe(second)
  await sendRaw(app, { method: 'POST', path: '/auth/logout', headers: { authorization: `Session ${first}` } })
  expect(await statusOf({ authorization: `Session ${first}` })).toBe(401)
  expect(await statusOf({ authorization: `Session ${second}` })).toBe(200)
})

test('a session is taken from the header, whatever the case of its scheme, and from the cookie', async () => {
  const session = await newSession()
  expect(await statusOf({ authorization: `Session ${session}` })).toBe(200)
  expect(await statusOf({ authorization: `session ${session}` })).toBe(200)
  expect(await statusOf({ authorization: `SESSION ${session}` })).toBe(200)
  expect(await statusOf(cookie(session))).toBe(200)
})

test('a wrong password and an unknown user are refused with the same words and no cookie', async () => {
  await app.addUser('anna')
  const wrong = await logIn('admin', 'not the password')
  const answers = [
    wrong,
    await logIn('anna@example.com', 'not the password'),
    await logIn('anna', PASSWORD),
    await logIn('nobody@example.com', PASSWORD),
    await logIn("admin' OR 1=1 --", PASSWORD),
    await logIn('admin\u0000', PASSWORD),
    await logIn('admin', `${PASSWORD}\u0000`),
    await logIn('admin', PASSWORD.toUpperCase()),
  ]
  for (const answer of answers) {
    expect(answer.status).toBe(401)
    expect(answer.text).toBe(wrong.text)
    expect(answer.headers['set-cookie']).toBeUndefined()
  }
  expect(wrong.body).toEqual({ error: 'invalid credentials', code: 'unauthenticated' })
})

test.each([
  ['', PASSWORD],
  ['admin', ''],
  ['admin', null],
  [null, PASSWORD],
  [['admin'], PASSWORD],
  [{ $ne: '' }, { $ne: '' }],
  ['admin', 12345678],
  ['a'.repeat(1000), PASSWORD],
  ['admin', 'a'.repeat(100_000)],
])('the credentials %j and %j are refused as invalid', async (username, password) => {
  expect(await logIn(username, password)).toMatchObject({ status: 400, body: { code: 'invalid' } })
})

test('a dead credential does not stand in the way of a login', async () => {
  const body = JSON.stringify({ username: 'admin', password: PASSWORD })
  const headers = { ...JSON_TYPE, authorization: `Session ses_${'A'.repeat(43)}`, ...cookie(`ses_${'A'.repeat(43)}`) }
  expect(await sendRaw(app, { method: 'POST', path: '/auth/login', headers, body })).toMatchObject({ status: 200 })
})

test.each(['header', 'cookie', 'body'] as const)('a logout by %s ends the session at once', async (way) => {
  const session = await newSession()
  const request = {
    header: { headers: { authorization: `Session ${session}` } },
    cookie: { headers: cookie(session) },
    body: { headers: JSON_TYPE, body: JSON.stringify({ session_hash: session }) },
  }[way]
  const logout = () => sendRaw(app, { method: 'POST', path: '/auth/logout', ...request })
  const answer = await logout()
  expect(answer).toMatchObject({ status: 200, body: { message: 'Logged out successfully' } })
  const cleared = answer.headers['set-cookie']?.[0] ?? ''
  expect(cleared).toMatch(/^wirety_session=;/)
  expect(cleared).toMatch(/Max-Age=0|Expires=Thu, 01 Jan 1970/)
  expect(await statusOf({ authorization: `Session ${session}` })).toBe(401)
  expect(await statusOf(cookie(session))).toBe(401)
  expect(await logout()).toMatchObject({ status: 200 })
})

test.each([
  [{}, undefined],
  [{ authorization: 'Session unknown' }, undefined],
  [{ authorization: 'nonsense' }, undefined],
  [{ cookie: 'wirety_session=unknown' }, undefined],
  [JSON_TYPE, '{}'],
  [JSON_TYPE, '{"session_hash":7}'],
  [JSON_TYPE, '{"session_hash":"unknown"}'],
  [JSON_TYPE, '[]'],
])('a logout with %j and the body %j is answered all the same', async (headers: Record<string, string>, body) => {
  const request = { method: 'POST', path: '/auth/logout', headers, ...(body === undefined ? {} : { body }) }
  expect(await sendRaw(app, request)).toMatchObject({ status: 200, body: { message: 'Logged out successfully' } })
})

test('a logout with an API token ends no token', async () => {
  const authorization = `Bearer ${app.adminToken}`
  await sendRaw(app, { method: 'POST', path: '/auth/logout', headers: { authorization } })
  const body = JSON.stringify({ session_hash: app.adminToken })
  await sendRaw(app, { method: 'POST', path: '/auth/logout', headers: JSON_TYPE, body })
  expect(await statusOf({ authorization })).toBe(200)
})

test('a session ends 30 days after the login, however much it is used', async () => {
  const session = await newSession()
  try {
    now = START + 20 * DAY
    expect(await statusOf(cookie(session))).toBe(200)
    now = START + 30 * DAY - 1
    expect(await statusOf({ authorization: `Session ${session}` })).toBe(200)
    now = START + 30 * DAY
    expect(await statusOf({ authorization: `Session ${session}` })).toBe(401)
    expect(await statusOf(cookie(session))).toBe(401)
  } finally {
    now = START
  }
})

test.each([
  'Session',
  'Session ',
  'Session x',
  'Bearer x',
  'Bearer',
  'Basic YWRtaW46eA==',
  'wirety_0',
  `Session ses_${'A'.repeat(43)}`,
  `Bearer ${'x'.repeat(5000)}`,
  'Bearer a b',
])('the Authorization header %j is final, even beside a good cookie', async (authorization) => {
  const headers = { ...cookie(await newSession()), authorization }
  const answer = await sendRaw(app, { path: '/users/me', headers })
  expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated', error: expect.any(String) } })
})

test('an API token under the scheme of sessions is refused', async () => {
  expect(await statusOf({ authorization: `Session ${app.adminToken}` })).toBe(401)
  expect(await statusOf({ authorization: `Bearer ${app.adminToken}` })).toBe(200)
})

test('an API token in the cookie is no credential', async () => {
  expect(await statusOf(cookie(app.adminToken))).toBe(401)
})

test('a dead cookie counts as none: what is public still answers', async () => {
  const headers = cookie(`ses_${'A'.repeat(43)}`)
  expect(await sendRaw(app, { path: '/auth/config', headers })).toMatchObject({ status: 200 })
  expect(await sendRaw(app, { path: '/health', headers })).toMatchObject({ status: 200 })
  expect(await statusOf(headers)).toBe(401)
})

test.each([FOREIGN, 'null', 'http://localhost.evil.example', 'file://'])(
  'a write that a cookie carries is refused when it comes from the page %s',
  async (origin) => {
    const session = await newSession()
    expect(await writesWith({ ...cookie(session), origin })).toEqual([403, 403, 403])
  },
)

test('a refused origin is told with the setting that would allow it', async () => {
  const headers = { ...cookie(await newSession()), origin: FOREIGN }
  const answer = await sendRaw(app, { method: 'POST', path: '/networks', headers })
  expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  expect(answer.body.error).toContain(FOREIGN)
  expect(answer.body.error).toContain('ALLOWED_ORIGINS')
})

test('a write that a cookie carries is taken from our own pages, allowed ones and from no page', async () => {
  const session = await newSession()
  expect(await writesWith({ ...cookie(session), origin: app.url })).toEqual([201, 200, 204])
  expect(await writesWith({ ...cookie(session), origin: 'https://front.example' })).toEqual([201, 200, 204])
  expect(await writesWith(cookie(session))).toEqual([201, 200, 204])
})

test('a write that a header carries is taken whatever page it comes from', async () => {
  const authorization = `Session ${await newSession()}`
  expect(await writesWith({ authorization, origin: FOREIGN })).toEqual([201, 200, 204])
  const bearer = { authorization: `Bearer ${app.adminToken}`, origin: FOREIGN }
  expect(await writesWith(bearer)).toEqual([201, 200, 204])
})

test('a read that a cookie carries is answered, but no foreign page is allowed to see it', async () => {
  const headers = { ...cookie(await newSession()), origin: FOREIGN }
  const answer = await sendRaw(app, { path: '/users/me', headers })
  expect(answer.status).toBe(200)
  expect(answer.headers['access-control-allow-origin']).toBeUndefined()
})

test('a logout that a foreign page asks for does not sign its visitor out', async () => {
  const session = await newSession()
  await sendRaw(app, { method: 'POST', path: '/auth/logout', headers: { ...cookie(session), origin: FOREIGN } })
  expect(await statusOf(cookie(session))).toBe(200)
})
