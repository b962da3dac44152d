import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { audited, newSession } from './people.ts'
import { rewriting, startProvider, type TestProvider } from './provider.ts'

/** A little more than the life of the provider's access tokens. */
const LATER = 61_000

let provider: TestProvider
let app: TestApp
let offset = 0

beforeAll(async () => {
  provider = await startProvider()
  app = await startTestApp(provider.settings, { now: () => new Date(Date.now() + offset) })
  await newSession(app, provider, 'root')
})
beforeEach(() => {
  provider.tricks.clear()
  offset = 0
})

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const me = (session: string) => app.as(session).get('/users/me')

test('a session asks the provider for nothing while its access token lives', async () => {
  const session = await newSession(app, provider, 'alice')
  const before = provider.hits('/token')
  offset = LATER - 10_000
  expect(await me(session)).toMatchObject({ status: 200 })
  expect(provider.hits('/token')).toBe(before)
})

test('requests at the same time share one refresh', async () => {
  const session = await newSession(app, provider, 'alice')
  const before = provider.hits('/token')
  offset = LATER
  const answers = await Promise.all(Array.from({ length: 20 }, () => me(session)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(provider.hits('/token') - before).toBe(1)
  expect(await me(session)).toMatchObject({ status: 200 })
  expect(provider.hits('/token') - before).toBe(1)
})

test('MCP and REST share the refresh too', async () => {
  const session = await newSession(app, provider, 'alice')
  const before = provider.hits('/token')
  offset = LATER
  const [rest, mcp] = await Promise.all([me(session), app.mcp(session)])
  await mcp[Symbol.asyncDispose]()
  expect(rest.status).toBe(200)
  expect(provider.hits('/token') - before).toBe(1)
})

test('a rotated refresh token is kept, so that the session lives through many refreshes', async () => {
  const seen = new Set<unknown>()
  provider.tricks.set(
    '/token',
    rewriting((body) => {
      seen.add(body.refresh_token)
      return body
    }),
  )
  const session = await newSession(app, provider, 'alice')
  for (let round = 1; round <= 3; round++) {
    offset = round * LATER
    expect(await me(session)).toMatchObject({ status: 200 })
  }
  expect(seen.size).toBe(4)
})

test('a provider that does not rotate is asked with the same refresh token again', async () => {
  await using steady = await startProvider({ rotateRefreshToken: false })
  await using other = await startTestApp(steady.settings, { now: () => new Date(Date.now() + offset) })
  steady.tricks.set(
    '/token',
    rewriting(({ refresh_token, ...body }) => (body.id_token && !offset ? { ...body, refresh_token } : body)),
  )
  const session = await newSession(other, steady, 'alice')
  for (const round of [1, 2]) {
    offset = round * LATER
    expect(await other.as(session).get('/users/me')).toMatchObject({ status: 200 })
  }
})

test('a refresh token that the provider revoked is told as such, not tried by every request, and the session is kept', async () => {
  const session = await newSession(app, provider, 'alice')
  provider.tricks.set('/token', (_req, res) => {
    res
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"error":"invalid_grant","error_description":"SECRET"}')
  })
  const before = provider.hits('/token')
  offset = LATER
  const answers = [await me(session), ...(await Promise.all([me(session), me(session)]))]
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 401, body: { error: 'failed to refresh token', code: 'unauthenticated' } })
  }
  expect(provider.hits('/token') - before).toBe(1)
  expect(app.logged.join()).not.toContain('SECRET')
  provider.tricks.clear()
  offset = LATER + 6_000
  expect(await me(session)).toMatchObject({ status: 200 })
})

test('a used refresh token that comes back revokes the session at the provider, and we say so', async () => {
  let first: unknown
  provider.tricks.set(
    '/token',
    rewriting((body) => {
      first ??= body.refresh_token
      return { ...body, refresh_token: first }
    }),
  )
  const session = await newSession(app, provider, 'alice')
  offset = LATER
  expect(await me(session)).toMatchObject({ status: 200 })
  offset = 2 * LATER
  expect(await me(session)).toMatchObject({ status: 401, body: { error: 'failed to refresh token' } })
})

test('a session without a refresh token ends with its access token', async () => {
  provider.tricks.set(
    '/token',
    rewriting(({ refresh_token: _, ...body }) => body),
  )
  const session = await newSession(app, provider, 'alice')
  expect(await me(session)).toMatchObject({ status: 200 })
  offset = LATER
  expect(await me(session)).toMatchObject({ status: 401, body: { error: 'session expired' } })
  expect(await me(session)).toMatchObject({ status: 401, body: { error: 'invalid session' } })
  expect(
    (await audited(app)).some(({ action, input }) => action === 'logout' && input.includes('session expired')),
  ).toBe(true)
})

test('a session in a cookie that cannot be refreshed counts as none: what is public still answers', async () => {
  const session = await newSession(app, provider, 'alice')
  provider.tricks.set('/token', (_req, res) => void res.writeHead(500).end())
  offset = LATER
  const get = (path: string) => fetch(`${app.url}/api/v1${path}`, { headers: { cookie: `wirety_session=${session}` } })
  expect((await get('/auth/config')).status).toBe(200)
  expect((await get('/users/me')).status).toBe(401)
})

test('no session lives longer than 30 days, however often it is refreshed', async () => {
  const session = await newSession(app, provider, 'alice')
  offset = 31 * 24 * 3600_000
  const before = provider.hits('/token')
  expect(await me(session)).toMatchObject({ status: 401 })
  expect(provider.hits('/token')).toBe(before)
})

test('a logout ends the session and forgets the tokens', async () => {
  const session = await newSession(app, provider, 'alice')
  const count = () => app.app.env.database.read((tx) => tx.all('SELECT 1 FROM provider_sessions'))
  const before = (await count()).length
  await app.as(session).post('/auth/logout', {})
  expect(await count()).toHaveLength(before - 1)
  expect(await me(session)).toMatchObject({ status: 401 })
})

test('a refresh for another subject is not taken', async () => {
  const session = await newSession(app, provider, 'alice')
  const now = Math.floor(Date.now() / 1000)
  const idToken = await provider.sign({
    iss: provider.issuer,
    aud: 'wirety-app',
    sub: 'root',
    iat: now,
    exp: now + 3600,
  })
  provider.tricks.set(
    '/token',
    rewriting((body) => ({ ...body, id_token: idToken })),
  )
  offset = LATER
  expect(await me(session)).toMatchObject({ status: 401, body: { error: 'failed to refresh token' } })
})
