import { isIP } from 'node:net'
import { type IRouter, type Request, Router } from 'express'
import { z } from 'zod'
import {
  authenticatePeer,
  bindToken,
  CAPTIVE_TOKEN_SECONDS,
  issueToken,
  previewToken,
  STATE_COOKIE,
} from '../auth/captive-portal.ts'
import { authenticateAgent } from '../auth/enrolment.ts'
import { formatAddress, formatEndpoint, parseAddress, parseEndpoint } from '../core/address.ts'
import type { Trace } from '../core/trace.ts'
import { AppError } from '../errors.ts'
import { Endpoint, IpAddress, optional, Secret } from './fields.ts'
import { type Env, invoke } from './invoke.ts'
import { dropUnknown } from './lenient.ts'
import { revokePeerAuth } from './operations/peer-auth.ts'
import type { Identify } from './rest.ts'

/** Body of asking for a link to the captive portal. */
export const TokenRequest = z.object({
  peer_ip: IpAddress.describe('A tunnel address of a peer in the network of the jump peer'),
  peer_endpoint: Endpoint.optional().describe("Where the peer's packets come from: IP address and port"),
  peer_endpoint_ip: optional(IpAddress).describe('The same without the port'),
})
const Token = Secret.min(1).max(255)
/** Query of opening a link to the captive portal. */
export const Start = z.object({
  token: Token.describe('From the link'),
  redirect: z.string().max(8192).optional().describe('Where to go afterwards: an http or https URL'),
})
/** Query of looking at a link to the captive portal. */
export const Preview = z.object({ token: Token.describe('From the link') })
/** Body of using a link to the captive portal. */
export const Authentication = z.object({ captive_token: Token.describe('From the link') })

/** What the routes need beside the environment. */
interface Options {
  readonly cookieSecure: boolean
  readonly traceOf: (req: Request) => Trace
  readonly identify: Identify
}

/** The captive portal: not operations, since agents and browsers show other credentials here and get a cookie. */
export function captivePortalRouter(env: Env, { cookieSecure, traceOf, identify }: Options): IRouter {
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: cookieSecure } as const
  const router = Router()
  router.use('/captive-portal', (_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    next()
  })
  router.post('/captive-portal/token', async (req, res) => {
    requireProvider(env)
    const jump = await authenticateAgent(env, req.headers, traceOf(req))
    if (!jump.is_jump) throw new AppError('forbidden', 'only jump peers can create captive portal tokens')
    res.status(201).json(await issueToken(env, jump, wantedOf(req.body), traceOf(req)))
  })
  router.get('/captive-portal/start', async (req, res) => {
    const page = pageOf(req.query)
    // who only asks for the head, as link checkers do, must not take the link from the person
    if (req.method === 'GET') {
      const state = await bindToken(env, page.token, req.headers, traceOf(req))
      res.cookie(STATE_COOKIE, state, { ...cookie, maxAge: CAPTIVE_TOKEN_SECONDS * 1000 })
    }
    res.status(302).setHeader('Location', page.location).end()
  })
  router.get('/captive-portal/preview', async (req, res) => {
    requireProvider(env)
    const { token } = parsed(Preview, req.query)
    res.json(previewOf(await previewToken(env, token, req.headers, traceOf(req))))
  })
  router.post('/captive-portal/authenticate', async (req, res) => {
    requireProvider(env)
    const { captive_token: token } = parsed(Authentication, req.body)
    const { peer_ip, network_id } = await authenticatePeer(env, token, req.headers, traceOf(req))
    res.clearCookie(STATE_COOKIE, cookie).json({ peer_ip, network_id, whitelisted: true })
  })
  router.post('/networks/:network_id/peers/:peer_id/revoke-auth', async (req, res) => {
    await invoke(env, revokePeerAuth, await identify(req), { ...req.params })
    res.setHeader('Cache-Control', 'no-store').status(204).end()
  })
  return router
}

/** Paths of the routes above that check a credential of their own, with the method each answers. */
export const CAPTIVE_PORTAL_ROUTES = [
  'POST /captive-portal/token',
  'GET /captive-portal/start',
  'GET /captive-portal/preview',
  'POST /captive-portal/authenticate',
] as const

/** The route above whose caller is found as for operations. */
export const PEER_AUTH_ROUTES = ['POST /networks/:network_id/peers/:peer_id/revoke-auth'] as const

function requireProvider({ identity }: Env): void {
  if (identity.isEnabled) return
  throw new AppError('forbidden', 'captive portal is not available when AUTH_ENABLED=false')
}

function wantedOf(body: unknown): { peer_ip: string; peer_endpoint: string } {
  const { peer_ip, peer_endpoint, peer_endpoint_ip } = parsed(TokenRequest, body)
  const { family, value } = parseAddress(peer_ip)
  return { peer_ip: formatAddress(family, value), peer_endpoint: endpointOf(peer_endpoint || peer_endpoint_ip || '') }
}

function endpointOf(text: string): string {
  if (text === '') return ''
  const endpoint = parseEndpoint(text)
  if (isIP(endpoint.host) === 0)
    throw new AppError('invalid', 'peer_endpoint: give an IP address, with or without port')
  return endpoint.port === null ? endpoint.host : formatEndpoint(endpoint)
}

/** The page that a link leads to, on this origin. */
function pageOf(query: unknown): { token: string; location: string } {
  const { token, redirect } = parsed(Start, query)
  const after = redirect ? `&redirect=${encodeURIComponent(webAddress(redirect))}` : ''
  return { token, location: `/captive-portal?token=${encodeURIComponent(token.toWellFormed())}${after}` }
}

/** The URL in its canonical form; a script or another scheme is none to send a person to. */
function webAddress(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href
  throw new AppError('invalid', 'redirect must be an http or https URL')
}

function previewOf({ peer, token }: Awaited<ReturnType<typeof previewToken>>) {
  return {
    peer_id: peer.id,
    peer_name: peer.name,
    peer_wg_ip: token.peer_ip,
    network_id: peer.network_id,
    network_name: peer.network_name,
    peer_endpoint: token.peer_endpoint,
    endpoint_ip: token.peer_endpoint === '' ? '' : parseEndpoint(token.peer_endpoint).host,
  }
}

function parsed<T extends z.ZodObject>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(dropUnknown(schema, value ?? {}))
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = String(issue?.path[0] ?? 'body')
  const isMissing = issue?.code === 'invalid_type' || issue?.code === 'too_small'
  throw new AppError('invalid', isMissing ? `${field} is required` : `${field}: ${issue?.message}`)
}
