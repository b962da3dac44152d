import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { audited, exchange, newSession } from './people.ts'
import { CLIENT_ID, CLIENT_SECRET, rewriting, startProvider, type TestProvider } from './provider.ts'

let provider: TestProvider
let app: TestApp
let foreign: CryptoKey
let offset = 0

beforeAll(async () => {
  provider = await startProvider()
  app = await startTestApp(provider.settings, { now: () => new Date(Date.now() + offset) })
  foreign = (await generateKeyPair('RS256')).privateKey
  await newSession(app, provider, 'root')
})
beforeEach(() => {
  provider.tricks.clear()
  offset += 10_000 // so that the provider's keys may be asked for again
})

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const seconds = () => Math.floor((Date.now() + offset) / 1000)

function claims(subject: string, more: Record<string, unknown> = {}) {
  const times = { iat: seconds(), exp: seconds() + 600 }
  return {
    iss: provider.issuer,
    aud: CLIENT_ID,
    sub: subject,
    email: `${subject}@example.com`,
    name: subject,
    ...times,
    ...more,
  }
}

const me = (jwt: string) => app.as(jwt).get('/users/me')

test("a person with the provider's token is a user over REST and MCP, also at the first visit", async () => {
  const jwt = await provider.sign(claims('alice'))
  expect(await me(jwt)).toMatchObject({ status: 200, body: { id: 'alice', email: 'alice@example.com', role: 'user' } })
  for (const transport of ['sse', 'streamable', 'stateless'] as const) {
    await using mcp = await app.mcp(await provider.sign(claims('bert')), transport)
    expect(await mcp.call('get_current_user')).toMatchObject({ id: 'bert', role: 'user' })
  }
  const rows = (await audited(app)).filter((row) => row.actor_email === 'bert@example.com')
  expect(rows).toMatchObject([{ action: 'login', outcome: 'ok' }])
})

test("the provider's ID token of a sign-in is such a token", async () => {
  let idToken = ''
  provider.tricks.set(
    '/token',
    rewriting((body) => {
      idToken = String(body.id_token)
      return body
    }),
  )
  await newSession(app, provider, 'carl')
  expect(await me(idToken)).toMatchObject({ status: 200, body: { id: 'carl' } })
})

test('a person may create an API token with it, which says in the audit log how it was made', async () => {
  const created = await app.as(await provider.sign(claims('alice'))).post('/users/me/tokens', { name: 'assistant' })
  expect(created.status).toBe(201)
  expect(await app.as(created.body.token).get('/users/me')).toMatchObject({ body: { id: 'alice' } })
})

test('a token is refused from the moment it expires', async () => {
  const jwt = await provider.sign(claims('alice', { exp: seconds() + 60 }))
  expect(await me(jwt)).toMatchObject({ status: 200 })
  offset += 120_000
  expect(await me(jwt)).toMatchObject({ status: 401, body: { error: expect.stringContaining('expired') } })
})

const wrongClaims: [string, Record<string, unknown>][] = [
  ['made for another client', { aud: 'another' }],
  ['made for another client among others', { aud: ['another', 'account'] }],
  ['made for nobody', { aud: undefined }],
  ['made for us and others by another party', { aud: [CLIENT_ID, 'another'], azp: 'another' }],
  ['made for us and others by an unnamed party', { aud: [CLIENT_ID, 'another'] }],
  ['made by another party', { azp: 'another' }],
  ['of another issuer', { iss: 'https://evil.example' }],
  ['of the issuer with another path', { iss: 'http://127.0.0.1/realm' }],
  ['without an issuer', { iss: undefined }],
  ['that is over', { exp: 1 }],
  ['that never ends', { exp: undefined }],
  ['that is not yet valid', { nbf: 9_999_999_999 }],
  ['of nobody', { sub: undefined }],
  ['of an empty subject', { sub: '' }],
  ['of an endless subject', { sub: 'x'.repeat(300) }],
  ['of a logout', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
]

test.each(wrongClaims)('a token %s is refused', async (_, wrong) => {
  const answer = await me(await provider.sign(claims('mallory', wrong)))
  expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated', error: expect.any(String) } })
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
})

describe('a token that the provider did not sign is refused', () => {
  const header = async () =>
    JSON.parse(Buffer.from((await provider.sign(claims('x'))).split('.')[0]!, 'base64url').toString())
  const forgeries: [string, () => Promise<string>][] = [
    ['with a foreign key', async () => new SignJWT(claims('root')).setProtectedHeader(await header()).sign(foreign)],
    [
      'with a foreign key in its own header',
      async () => {
        const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
        const jwk = await exportJWK(publicKey)
        return new SignJWT(claims('root')).setProtectedHeader({ ...(await header()), jwk }).sign(privateKey)
      },
    ],
    ['without a signature', async () => new UnsecuredJWT(claims('root')).encode()],
    ['with an empty signature', async () => (await provider.sign(claims('root'))).replace(/[^.]*$/, '')],
    [
      'with a shared secret',
      async () => new SignJWT(claims('root')).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(CLIENT_SECRET)),
    ],
    [
      'with other claims',
      async () => {
        const [head, , signature] = (await provider.sign(claims('alice'))).split('.')
        return [head, Buffer.from(JSON.stringify(claims('root'))).toString('base64url'), signature].join('.')
      },
    ],
    ['with a broken header', async () => 'AAAA.BBBB.CCCC'],
  ]
  test.each(forgeries)('%s', async (_, forge) => {
    expect(await me(await forge())).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(await exchangeWith(await forge())).toBeGreaterThanOrEqual(400)
  })
})

/** The status of a sign-in in which the provider's ID token is replaced. */
async function exchangeWith(idToken: string): Promise<number> {
  provider.tricks.set(
    '/token',
    rewriting((body) => ({ ...body, id_token: idToken })),
  )
  const answer = await exchange(app, await provider.authorize({ account: 'root' }))
  expect(answer.body.session_hash).toBeUndefined()
  return answer.status
}

test('a flood of tokens with invented key ids asks the provider for its keys at most once', async () => {
  expect(await me(await provider.sign(claims('alice')))).toMatchObject({ status: 200 })
  const before = provider.hits('/jwks')
  const flood = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => me(await provider.sign(claims('alice'), { kid: `invented ${i}` }))),
  )
  expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([401]))
  expect(provider.hits('/jwks') - before).toBeLessThanOrEqual(1)
})

test('a key that the provider took into use a moment ago is found', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const next = { ...(await exportJWK(publicKey)), kid: 'next', alg: 'ES256', use: 'sig' }
  const sign = () => new SignJWT(claims('alice')).setProtectedHeader({ alg: 'ES256', kid: 'next' }).sign(privateKey)
  expect(await me(await provider.sign(claims('alice')))).toMatchObject({ status: 200 })
  provider.tricks.set(
    '/jwks',
    rewriting((body) => ({ keys: [...(body.keys as object[]), next] })),
  )
  offset += 10_000
  expect(await me(await sign())).toMatchObject({ status: 200, body: { id: 'alice' } })
})

test('a flood while the provider is down asks it at most twice, and each answer says that it is down', async () => {
  offset += 2 * 3600_000 // the keys and the metadata are stale
  provider.tricks.set('/.well-known/openid-configuration', (_req, res) => void res.writeHead(500).end())
  provider.tricks.set('/jwks', (_req, res) => void res.writeHead(500).end())
  const before = provider.hits('/jwks') + provider.hits('/.well-known/openid-configuration')
  const flood = await Promise.all(Array.from({ length: 100 }, async () => me(await provider.sign(claims('alice')))))
  expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([503]))
  expect(provider.hits('/jwks') + provider.hits('/.well-known/openid-configuration') - before).toBeLessThanOrEqual(2)
})

test('userinfo is asked once for what a token leaves out', async () => {
  provider.tricks.set('/me', (_req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ sub: 'dora', email: 'dora@example.com' }))
  })
  const jwt = await provider.sign(claims('dora', { email: undefined }))
  expect(await me(jwt)).toMatchObject({ status: 200, body: { email: 'dora@example.com' } })
  await me(jwt)
  expect(provider.hits('/me')).toBe(1)
})

test("another person's userinfo is not taken for one's own", async () => {
  provider.tricks.set('/me', (_req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ sub: 'root', email: 'root@example.com' }))
  })
  expect((await me(await provider.sign(claims('erin', { email: undefined })))).status).toBe(503)
})

test('a new person without an address anywhere is refused', async () => {
  const answer = await me(await provider.sign(claims('frank', { email: undefined })))
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('email') } })
})

test("a token with another user's address is refused", async () => {
  const answer = await me(await provider.sign(claims('greta', { email: 'ROOT@example.com' })))
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
})

test('without a provider such a token is no credential', async () => {
  await using simple = await startTestApp()
  const answer = await simple.as(await provider.sign(claims('alice'))).get('/users/me')
  expect(answer).toMatchObject({ status: 401, body: { error: 'invalid API token' } })
})
