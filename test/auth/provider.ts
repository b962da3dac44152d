import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { type Configuration, Provider } from 'oidc-provider'

export const CLIENT_ID = 'wirety-app'
export const CLIENT_SECRET = 'the-secret-of-our-client'
export const REDIRECT_URI = 'https://app.example/callback'

/** Answers a request in the provider's place, or lets it answer. */
export type Trick = (req: IncomingMessage, res: ServerResponse, next: () => void) => void

/** A sign-in as a browser goes through it. */
export interface Visit {
  readonly account: string
  readonly scope?: string
  readonly nonce?: string
  readonly challenge?: string
}

/** A real OpenID Connect provider on a free port of this machine. */
export interface TestProvider extends AsyncDisposable {
  readonly issuer: string
  /** Claims of everybody who may sign in, by subject. */
  readonly accounts: Map<string, Record<string, unknown>>
  /** By path. */
  readonly tricks: Map<string, Trick>
  readonly provider: Provider
  /** Requests to a path so far. */
  hits(path: string): number
  /** Signs in and comes back with a code. */
  authorize(visit: Visit): Promise<string>
  /** A token signed with the provider's own key. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>
  /** The settings of a server that uses this provider. */
  readonly settings: Record<string, string>
}

const PRIVATE_KEY = await generateKeyPair('RS256', { extractable: true })

/** Starts a provider; `overrides` change how it works. */
export async function startProvider(overrides: Partial<Configuration> = {}): Promise<TestProvider> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const accounts = new Map<string, Record<string, unknown>>()
  const jwk = { ...(await exportJWK(PRIVATE_KEY.privateKey)), alg: 'RS256', use: 'sig' }
  const kid = await calculateJwkThumbprint(jwk)
  const provider = new Provider(issuer, { ...configuration({ ...jwk, kid }, accounts), ...overrides })
  const { tricks, counts } = serve(server, provider)
  return {
    issuer,
    accounts,
    tricks,
    provider,
    hits: (path) => counts.get(path) ?? 0,
    authorize: (visit) => authorize(issuer, visit),
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(PRIVATE_KEY.privateKey),
    settings: {
      AUTH_ENABLED: 'true',
      AUTH_ISSUER_URL: issuer,
      AUTH_CLIENT_ID: CLIENT_ID,
      AUTH_CLIENT_SECRET: CLIENT_SECRET,
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function configuration(jwk: object, accounts: TestProvider['accounts']): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [jwk] } as NonNullable<Configuration['jwks']>,
    claims: { openid: ['sub'], email: ['email'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'groups'],
    conformIdTokenClaims: false,
    cookies: { keys: ['a key for signing cookies'] },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => false },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 60,
      IdToken: 3600,
      RefreshToken: 86_400,
      Session: 3600,
      Grant: 86_400,
      Interaction: 60,
    },
    findAccount: (_ctx, id) => {
      const claims = accounts.get(id)
      return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) }
    },
    async loadExistingGrant(ctx) {
      const { client, session, provider } = ctx.oidc
      const grant = new provider.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' })
      grant.addOIDCScope('openid profile email groups')
      await grant.save()
      return grant
    },
  }
}

function serve(server: Server, provider: Provider) {
  const tricks = new Map<string, Trick>()
  const counts = new Map<string, number>()
  const answer = provider.callback()
  server.on('request', (req, res) => {
    const path = new URL(req.url ?? '/', 'http://provider').pathname
    counts.set(path, (counts.get(path) ?? 0) + 1)
    if (path.startsWith('/interaction/')) return void logIn(provider, req, res)
    const next = () => void answer(req, res)
    const trick = tricks.get(path)
    if (trick) trick(req, res, next)
    else next()
  })
  return { tricks, counts }
}

/** The provider's page for signing in, filled in by whoever the browser hints at. */
async function logIn(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(req, res)
  await provider.interactionFinished(req, res, { login: { accountId: String(params.login_hint) } })
}

async function authorize(issuer: string, visit: Visit): Promise<string> {
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: visit.scope ?? 'openid profile email groups',
    login_hint: visit.account,
    state: 'the state of the browser',
    ...(visit.nonce === undefined ? {} : { nonce: visit.nonce }),
    ...(visit.challenge === undefined ? {} : { code_challenge: visit.challenge, code_challenge_method: 'S256' }),
  })
  const cookies = new Map<string, string>()
  let url = `${issuer}/auth?${query}`
  while (!url.startsWith(REDIRECT_URI)) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { headers: { cookie }, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the provider does not go on: ${response.status} ${await response.text()}`)
    url = new URL(location, issuer).href
  }
  const code = new URL(url).searchParams.get('code')
  if (code === null) throw new Error(`no code: ${url}`)
  return code
}

/** Lets the provider answer, then changes its JSON. */
export function rewriting(change: (body: Record<string, unknown>) => unknown): Trick {
  return (_req, res, next) => {
    const end = res.end.bind(res)
    res.end = ((chunk: unknown) => {
      const text = JSON.stringify(change(JSON.parse(String(chunk))))
      res.setHeader('content-length', Buffer.byteLength(text))
      return end(text)
    }) as typeof res.end
    next()
  }
}
