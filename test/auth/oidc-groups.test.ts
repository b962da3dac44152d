import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { audited, newSession, signIn } from './people.ts'
import { CLIENT_ID, startProvider, type TestProvider } from './provider.ts'

const LATER = 61_000
const GROUPS = { AUTH_ADMIN_GROUP: 'ops, heads', AUTH_USER_GROUP: 'staff,guests' }

let provider: TestProvider
let app: TestApp
let offset = 0

beforeAll(async () => {
  provider = await startProvider()
  app = await startTestApp({ ...provider.settings, ...GROUPS }, { now: () => new Date(Date.now() + offset) })
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
const roleOf = async (session: string) => (await me(session)).body.role

test.each([
  ['user', ['staff']],
  ['administrator', ['staff', 'ops']],
  ['administrator', 'x,ops'],
  ['administrator', 'x heads y'],
  ['user', ' guests , x'],
  ['user', 'guests'],
])('%s is who is in %j', async (role, groups) => {
  expect(await roleOf(await newSession(app, provider, 'alice', { groups }))).toBe(role)
})

test.each([[[]], [['operations']], ['oops'], [undefined], [7], [{ ops: true }], [[['ops']]]])(
  'nobody is who is in %j',
  async (groups) => {
    provider.accounts.set('bert', { email: 'bert@example.com', groups })
    const answer = await signIn(app, provider, { account: 'bert' })
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'forbidden', error: expect.stringMatching(/^You are not authorized/) },
    })
    expect(answer.headers.get('set-cookie')).toBeNull()
  },
)

test('the role follows the groups at the next sign-in and at the next refresh', async () => {
  const session = await newSession(app, provider, 'carl', { groups: ['staff'] })
  await newSession(app, provider, 'carl', { groups: ['ops'] })
  expect(await roleOf(session)).toBe('administrator')
  provider.accounts.set('carl', { email: 'carl@example.com', groups: ['guests'] })
  expect(await roleOf(session)).toBe('administrator')
  offset = LATER
  expect(await roleOf(session)).toBe('user')
})

test('who left the groups is signed out at the next refresh', async () => {
  const session = await newSession(app, provider, 'dora', { groups: ['staff'] })
  provider.accounts.set('dora', { email: 'dora@example.com', groups: [] })
  offset = LATER
  expect(await me(session)).toMatchObject({ status: 401, body: { error: 'not authorized' } })
  expect(await me(session)).toMatchObject({ status: 401, body: { error: 'invalid session' } })
  const rows = (await audited(app)).filter((row) => row.actor_email === 'dora@example.com')
  expect(rows.map(({ action }) => action)).toEqual(['login', 'logout'])
})

test('a refresh after which the groups cannot be read keeps the rotated token and is tried again', async () => {
  const userinfo = await startProvider({ conformIdTokenClaims: true })
  await using other = await startTestApp(
    { ...userinfo.settings, ...GROUPS },
    { now: () => new Date(Date.now() + offset) },
  )
  const session = await newSession(other, userinfo, 'erin', { groups: ['staff'] })
  userinfo.tricks.set('/me', (_req, res) => void res.writeHead(503).end())
  offset = LATER
  expect(await other.as(session).get('/users/me')).toMatchObject({
    status: 401,
    body: { error: 'failed to refresh token' },
  })
  userinfo.tricks.clear()
  offset = LATER + 6_000
  expect(await other.as(session).get('/users/me')).toMatchObject({ status: 200, body: { role: 'user' } })
  await userinfo[Symbol.asyncDispose]()
})

test("a provider's token carries the groups too", async () => {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: provider.issuer,
    aud: CLIENT_ID,
    sub: 'fred',
    email: 'fred@example.com',
    iat: now,
    exp: now + 600,
  }
  const withGroups = async (groups: unknown) => me(await provider.sign({ ...claims, groups }))
  expect(await withGroups(['ops'])).toMatchObject({ status: 200, body: { role: 'administrator' } })
  expect(await withGroups(['staff'])).toMatchObject({ status: 200, body: { role: 'user' } })
  expect(await withGroups(['x'])).toMatchObject({ status: 403 })
})

test('groups come from another claim when the settings say so, and everybody is a user without AUTH_USER_GROUP', async () => {
  const settings = {
    ...provider.settings,
    AUTH_ADMIN_GROUP: 'Boss',
    AUTH_GROUPS_CLAIM: 'name',
    AUTH_EMAIL_CLAIM: 'groups',
  }
  await using other = await startTestApp(settings)
  const mail = (groups: string, name: string) => ({ groups, name, email: undefined })
  expect(
    (await other.as(await newSession(other, provider, 'greta', mail('g@example.com', 'Boss'))).get('/users/me')).body,
  ).toMatchObject({
    role: 'administrator',
    email: 'g@example.com',
  })
  const second = await newSession(other, provider, 'hans', mail('h@example.com', 'Hans'))
  expect((await other.as(second).get('/users/me')).body.role).toBe('user')
})

test('the scope for groups is asked for where the provider has one', async () => {
  expect((await app.as(undefined).get('/auth/config')).body.scope).toBe('openid profile email groups')
})
