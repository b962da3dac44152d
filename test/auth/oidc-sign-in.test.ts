import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PASSWORD, startTestApp, type TestApp } from '../harness.ts'
import { audited, exchange, newSession, signIn } from './people.ts'
import { CLIENT_ID, CLIENT_SECRET, rewriting, startProvider, type TestProvider } from './provider.ts'

const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0123'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

let provider: TestProvider
let app: TestApp

beforeAll(async () => {
  provider = await startProvider()
  app = await startTestApp(provider.settings)
  await newSession(app, provider, 'root')
  provider.accounts.set('alice', { email: 'Alice@Example.com', name: 'Alice' })
})
beforeEach(() => provider.tricks.clear())

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const me = async (session: string) => (await app.as(session).get('/users/me')).body

test('a code of the provider opens a session, as a value and as a cookie', async () => {
  const answer = await signIn(app, provider, { account: 'alice' })
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({ session_hash: expect.stringMatching(/^ses_/), expires_in: 60 })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const cookie = answer.headers.get('set-cookie')
  expect(cookie).toContain(`wirety_session=${answer.body.session_hash}; Max-Age=2592000; Path=/`)
  expect(cookie).toContain('HttpOnly; Secure; SameSite=Lax')
  expect(await me(answer.body.session_hash)).toEqual({
    id: 'alice',
    email: 'alice@example.com',
    name: 'Alice',
    role: 'user',
    authorized_networks: [],
    created_at: expect.any(String),
    updated_at: expect.any(String),
    last_login_at: expect.any(String),
  })
})

test('a code that was asked for with PKCE needs the verifier', async () => {
  const visit = { account: 'alice', challenge: CHALLENGE }
  expect(await exchange(app, await provider.authorize(visit), { code_verifier: VERIFIER })).toMatchObject({
    status: 200,
  })
  expect(await exchange(app, await provider.authorize(visit))).toMatchObject({ status: 400, body: { code: 'invalid' } })
  const wrong = VERIFIER.replaceAll('a', 'b')
  expect(await exchange(app, await provider.authorize(visit), { code_verifier: wrong })).toMatchObject({ status: 400 })
})

test('the nonce is compared when the browser brings it', async () => {
  const visit = { account: 'alice', nonce: 'n-1' }
  expect(await exchange(app, await provider.authorize(visit), { nonce: 'n-1' })).toMatchObject({ status: 200 })
  expect(await exchange(app, await provider.authorize(visit))).toMatchObject({ status: 200 })
  const refused = { status: 401, body: { code: 'unauthenticated', error: expect.stringContaining('nonce') } }
  expect(await exchange(app, await provider.authorize(visit), { nonce: 'n-2' })).toMatchObject(refused)
  expect(await exchange(app, await provider.authorize({ account: 'alice' }), { nonce: 'n-1' })).toMatchObject(refused)
})

test('a code works once, and only for the page it was made for', async () => {
  const code = await provider.authorize({ account: 'alice' })
  expect(await exchange(app, code, { state: 'ignored' })).toMatchObject({ status: 200 })
  const again = await exchange(app, code)
  expect(again).toMatchObject({
    status: 400,
    body: { code: 'invalid', error: expect.stringContaining('sign in again') },
  })
  const elsewhere = { redirect_uri: 'https://evil.example/' }
  expect(await exchange(app, await provider.authorize({ account: 'alice' }), elsewhere)).toMatchObject({ status: 400 })
  expect(await exchange(app, 'invented')).toMatchObject({ status: 400 })
})

test.each([
  [{}],
  [{ code: 'x' }],
  [{ redirect_uri: 'https://app.example/' }],
  [{ code: '', redirect_uri: 'https://app.example/' }],
  [{ code: 7, redirect_uri: 'https://app.example/' }],
  [{ code: 'x'.repeat(5000), redirect_uri: 'https://app.example/' }],
  [{ code: 'x', redirect_uri: 'https://app.example/', code_verifier: 'short' }],
  [{ code: 'x', redirect_uri: 'https://app.example/', nonce: {} }],
  [[]],
])('the body %j is refused before the provider is asked', async (body) => {
  const before = provider.hits('/token')
  const answer = await app.as(undefined).post('/auth/token', body)
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'invalid', error: expect.stringContaining('redirect_uri') },
  })
  expect(provider.hits('/token')).toBe(before)
})

test('who comes again keeps the user and brings a new name and address', async () => {
  const first = await me(await newSession(app, provider, 'bea', { name: 'Bea' }))
  const second = await me(await newSession(app, provider, 'bea', { name: 'Bea B.\u0000', email: 'bea@new.example' }))
  expect(second).toMatchObject({ id: 'bea', email: 'bea@new.example', name: 'Bea B.', created_at: first.created_at })
})

test('an address that another user has is refused with what to do, at the first sign-in and later', async () => {
  const refused = { status: 409, body: { code: 'conflict', error: expect.stringContaining('"root@example.com"') } }
  provider.accounts.set('imposter', { email: 'ROOT@example.com' })
  expect(await signIn(app, provider, { account: 'imposter' })).toMatchObject(refused)
  await newSession(app, provider, 'carl')
  provider.accounts.set('carl', { email: 'root@example.com' })
  expect(await signIn(app, provider, { account: 'carl' })).toMatchObject(refused)
  provider.accounts.set('admin2', { email: 'admin@wirety.local' })
  expect(await signIn(app, provider, { account: 'admin2' })).toMatchObject({ status: 409 })
})

test('an account without an address is refused with what to do', async () => {
  provider.accounts.set('nomail', { name: 'No Mail' })
  const answer = await signIn(app, provider, { account: 'nomail' })
  expect(answer).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(/^Your account does not have an email/) },
  })
})

test.each(['admin', 'me', 'defaults'])(
  'the subject %s does not become the id that means something else here',
  async (subject) => {
    const user = await me(await newSession(app, provider, subject))
    expect(user).toMatchObject({ email: `${subject}@example.com`, role: 'user' })
    expect(user.id).not.toBe(subject)
    expect((await me(await newSession(app, provider, subject))).id).toBe(user.id)
  },
)

test('new users get the defaults', async () => {
  const root = app.as(await newSession(app, provider, 'root'))
  const { id } = (await root.post('/networks', { name: 'office', cidr: '10.0.0.0/24' })).body
  await root.put('/users/defaults', { default_role: 'user', default_authorized_networks: [id] })
  expect(await me(await newSession(app, provider, 'dora'))).toMatchObject({ role: 'user', authorized_networks: [id] })
})

test.each([
  ['an ID token for another client', { aud: 'another' }],
  ['an ID token of another issuer', { iss: 'https://evil.example' }],
  ['an ID token that is over', { exp: 1 }],
  ['an ID token that is not yet valid', { nbf: 9_999_999_999 }],
  ['an ID token for another party', { azp: 'another' }],
])('%s opens no session', async (_, wrong) => {
  const now = Math.floor(Date.now() / 1000)
  const good = {
    iss: provider.issuer,
    aud: CLIENT_ID,
    sub: 'alice',
    email: 'alice@example.com',
    iat: now,
    exp: now + 600,
  }
  const idToken = await provider.sign({ ...good, ...wrong })
  provider.tricks.set(
    '/token',
    rewriting((body) => ({ ...body, id_token: idToken })),
  )
  const answer = await signIn(app, provider, { account: 'alice' })
  expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  expect(answer.headers.get('set-cookie')).toBeNull()
})

test('a provider that leaves out the ID token opens no session', async () => {
  provider.tricks.set(
    '/token',
    rewriting(({ id_token: _, ...body }) => body),
  )
  expect(await signIn(app, provider, { account: 'alice' })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('openid') },
  })
})

test('an ID token whose signature does not hold opens no session', async () => {
  provider.tricks.set(
    '/token',
    rewriting((body) => ({
      ...body,
      id_token: String(body.id_token)
        .replace(/\.[^.]{8}/, '.AAAAAAAA')
        .replace(/[^.]{8}$/, 'AAAAAAAA'),
    })),
  )
  const answer = await signIn(app, provider, { account: 'alice' })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.body.session_hash).toBeUndefined()
})

test('nobody signs in by password, and nobody creates users, while a provider is in use', async () => {
  const login = await app.as(undefined).post('/auth/login', { username: 'admin', password: PASSWORD })
  expect(login).toMatchObject({ status: 400, body: { error: 'simple auth is not available when OIDC is enabled' } })
  const root = app.as(await newSession(app, provider, 'root'))
  const created = await root.post('/users', { email: 'x@example.com', name: 'X', role: 'user' })
  expect(created).toMatchObject({ status: 403, body: { code: 'forbidden', error: expect.stringContaining('OIDC') } })
})

test('the last administrator who can sign in stays one, although the built-in one exists', async () => {
  const root = app.as(await newSession(app, provider, 'root'))
  expect((await root.get('/users')).body.map((user: { id: string }) => user.id)).toContain('admin')
  expect(await root.put('/users/root', { role: 'user' })).toMatchObject({ status: 409 })
  expect(await root.delete('/users/root')).toMatchObject({ status: 409 })
})

test('sign-ins leave audit rows, whether they succeed or not, without secrets', async () => {
  await signIn(app, provider, { account: 'alice' })
  await exchange(app, 'a-code-that-is-none')
  const [ok, refused] = (await audited(app)).filter(({ action }) => action === 'login').slice(-2)
  expect(ok).toMatchObject({ actor_email: 'alice@example.com', outcome: 'ok' })
  expect(refused).toMatchObject({
    actor_email: '',
    outcome: 'unauthenticated',
    input: expect.stringContaining('refused the code'),
  })
  expect(JSON.stringify(await audited(app))).not.toMatch(/a-code-that-is-none|ses_|eyJ/)
})

test("the provider's tokens and our secret are nowhere in clear", async () => {
  let tokens: Record<string, unknown> = {}
  provider.tricks.set(
    '/token',
    rewriting((body) => (tokens = body)),
  )
  await signIn(app, provider, { account: 'alice' })
  const rows = await app.app.env.database.read((tx) => tx.all('SELECT * FROM provider_sessions'))
  expect(rows.length).toBeGreaterThan(0)
  const kept = JSON.stringify(rows) + app.logged.join('')
  for (const secret of [tokens.access_token, tokens.refresh_token, tokens.id_token, CLIENT_SECRET]) {
    expect(kept).not.toContain(secret)
  }
})
