import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { newSession, signIn } from './people.ts'
import { CLIENT_SECRET, rewriting, startProvider, type TestProvider, type Trick } from './provider.ts'

const DISCOVERY = '/.well-known/openid-configuration'

let provider: TestProvider
let app: TestApp

beforeAll(async () => {
  provider = await startProvider()
  app = await startTestApp(provider.settings)
  await newSession(app, provider, 'root')
})
beforeEach(() => provider.tricks.clear())

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const config = async (of: TestApp) => (await of.as(undefined).get('/auth/config')).body

test('GET /auth/config tells where to sign in, over REST and MCP', async () => {
  const expected = {
    enabled: true,
    issuer_url: provider.issuer,
    client_id: 'wirety-app',
    simple_auth: false,
    authorization_endpoint: `${provider.issuer}/auth`,
    end_session_endpoint: `${provider.issuer}/session/end`,
    scope: 'openid profile email',
  }
  expect(await config(app)).toEqual(expected)
  await using mcp = await app.mcp(await newSession(app, provider, 'root'))
  expect(await mcp.call('get_auth_config')).toEqual(expected)
  await app.as(undefined).get('/auth/config')
  expect(provider.hits(DISCOVERY)).toBe(1)
})

test('without a provider it tells that, and a code is refused', async () => {
  await using simple = await startTestApp()
  const nothing = { issuer_url: '', client_id: '', authorization_endpoint: '', end_session_endpoint: '', scope: '' }
  expect(await config(simple)).toEqual({ enabled: false, simple_auth: true, ...nothing })
  const answer = await simple.as(undefined).post('/auth/token', { code: 'x', redirect_uri: 'https://app.example/' })
  expect(answer).toMatchObject({ status: 400, body: { error: 'Authentication is not enabled', code: 'invalid' } })
})

test('a provider that is down at the start leaves the endpoints empty until it is up', async () => {
  let offset = 0
  await using late = await startProvider()
  late.tricks.set(DISCOVERY, (_req, res) => void res.writeHead(503).end())
  await using waiting = await startTestApp(late.settings, { now: () => new Date(Date.now() + offset) })
  const unknown = {
    enabled: true,
    issuer_url: late.issuer,
    authorization_endpoint: '',
    end_session_endpoint: '',
    scope: '',
  }
  expect(await config(waiting)).toMatchObject(unknown)
  for (let i = 0; i < 20; i++) await config(waiting)
  expect(late.hits(DISCOVERY)).toBe(1)
  expect(await waiting.as(undefined).get('/health')).toMatchObject({ status: 200 })
  late.tricks.clear()
  offset = 6_000
  expect(await config(waiting)).toMatchObject({ authorization_endpoint: `${late.issuer}/auth` })
})

const SECRET = 'a provider secret in its answer'
const json =
  (status: number, body: unknown): Trick =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

test.each<[string, number, Trick]>([
  ['refuses our client', 503, json(401, { error: 'invalid_client', error_description: SECRET })],
  ['answers with an error of its own', 503, json(400, { error: 'server_error', error_description: SECRET })],
  ['answers with an error that is none', 503, json(400, { error: SECRET })],
  ['answers with another status', 503, json(418, { secret: SECRET })],
  ['fails', 503, (_req, res) => void res.writeHead(500).end(SECRET)],
  ['answers with a page', 503, (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end(SECRET)],
  [
    'answers with no JSON',
    503,
    (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(SECRET),
  ],
  ['answers with no token', 503, json(200, { secret: SECRET })],
  ['hangs up', 503, (_req, res) => void res.destroy()],
  ['redirects', 503, (_req, res) => void res.writeHead(302, { location: 'https://evil.example/' }).end(SECRET)],
  ['asks for another kind of token', 503, rewriting((body) => ({ ...body, token_type: 'mac' }))],
])('a provider that %s is told as %i, without what it said', async (_, status, trick) => {
  provider.tricks.set('/token', trick)
  const answer = await signIn(app, provider, { account: 'root' })
  expect(answer).toMatchObject({
    status,
    body: { code: 'unavailable', error: expect.stringContaining('identity provider') },
  })
  expect(answer.text + app.logged.join('')).not.toContain(SECRET)
  expect(answer.text + app.logged.join('')).not.toContain(CLIENT_SECRET)
})

test('an answer without end is cut off', async () => {
  let sent = 0
  provider.tricks.set('/token', (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    const more = () => {
      sent += 65_536
      if (!res.destroyed) res.write('x'.repeat(65_536), () => setImmediate(more))
    }
    more()
  })
  const answer = await signIn(app, provider, { account: 'root' })
  expect(answer).toMatchObject({ status: 503, body: { error: 'the identity provider sent too much' } })
  expect(sent).toBeLessThan(50 * 1024 * 1024)
})

test('a provider that does not answer, or not to the end, is given up after seconds; others are served meanwhile', async () => {
  provider.tricks.set(
    '/token',
    (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  )
  const started = performance.now()
  const slow = signIn(app, provider, { account: 'root' })
  expect(await app.as(undefined).get('/health')).toMatchObject({ status: 200 })
  expect(await config(app)).toMatchObject({ enabled: true })
  expect(performance.now() - started).toBeLessThan(3_000)
  expect(await slow).toMatchObject({ status: 503, body: { error: 'the identity provider did not answer in time' } })
  expect(performance.now() - started).toBeLessThan(8_000)
})

test('a provider that names another issuer is not believed', async () => {
  provider.tricks.set(
    DISCOVERY,
    rewriting((body) => ({ ...body, issuer: 'https://evil.example' })),
  )
  await using other = await startTestApp(provider.settings)
  expect(await config(other)).toMatchObject({ authorization_endpoint: '', scope: '' })
  const answer = await signIn(other, provider, { account: 'root' })
  expect(answer).toMatchObject({ status: 503, body: { error: expect.stringContaining('AUTH_ISSUER_URL') } })
})

test('a slash at the end of AUTH_ISSUER_URL does not matter', async () => {
  await using other = await startTestApp({ ...provider.settings, AUTH_ISSUER_URL: `${provider.issuer}/` })
  expect((await signIn(other, provider, { account: 'root' })).status).toBe(200)
})

test('a wrong client secret is told to the person who can mend it', async () => {
  await using other = await startTestApp({ ...provider.settings, AUTH_CLIENT_SECRET: 'not the secret' })
  const answer = await signIn(other, provider, { account: 'root' })
  expect(answer).toMatchObject({ status: 503, body: { error: expect.stringContaining('AUTH_CLIENT_SECRET') } })
})

test('a server stops at once while the provider hangs', async () => {
  await using hanging = await startProvider()
  hanging.tricks.set(DISCOVERY, () => undefined)
  const other = await startTestApp(hanging.settings)
  const started = performance.now()
  await other[Symbol.asyncDispose]()
  expect(performance.now() - started).toBeLessThan(2_000)
})
