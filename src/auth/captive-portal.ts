import type { IncomingHttpHeaders } from 'node:http'
import { parseCookie } from 'cookie'
import { ANONYMOUS, type Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { AppError, quoted } from '../errors.ts'
import * as portal from '../storage/captive-portal.ts'
import type { Db } from '../storage/db.ts'
import type { EnrolledPeer } from '../storage/peers.ts'
import { agentPrincipal } from './enrolment.ts'
import { type Outcome, type OutcomeEnv, record, recordRefusal } from './outcomes.ts'
import { type ResolverEnv, resolvePrincipal, SESSION_COOKIE } from './resolver.ts'
import { mintBrowserState, mintCaptiveToken } from './secrets.ts'

/** Cookie that binds a link to the captive portal to one browser. */
export const STATE_COOKIE = 'wirety_cp_state'

/** Life of a link to the captive portal, and of the cookie that binds it. */
export const CAPTIVE_TOKEN_SECONDS = 600

/** How long a jump peer lets a peer through after its owner has signed in. */
const ADMISSION_MS = 24 * 3600_000

/** A new link as it is told to the jump peer. */
export interface IssuedCaptiveToken extends Omit<portal.CaptiveToken, 'peer_id' | 'peer_endpoint'> {
  readonly token: string
  readonly peer_endpoint?: string
}

/** Makes a link for the peer behind `peer_ip`, a canonical address of the network of `jump`. */
export async function issueToken(
  env: OutcomeEnv,
  jump: EnrolledPeer,
  wanted: Pick<portal.CaptiveToken, 'peer_ip' | 'peer_endpoint'>,
  trace: Trace,
): Promise<IssuedCaptiveToken> {
  const now = env.now()
  const secret = mintCaptiveToken(env.random)
  const shown = {
    network_id: jump.network_id,
    jump_peer_id: jump.id,
    peer_ip: wanted.peer_ip,
    created_at: now.toISOString(),
    expires_at: new Date(now.getTime() + CAPTIVE_TOKEN_SECONDS * 1000).toISOString(),
  }
  await env.database.write(async (tx) => {
    const peerId = await portal.findPeerAt(tx, jump.network_id, wanted.peer_ip)
    if (peerId === undefined) {
      throw new AppError('invalid', `peer_ip: no peer of your network has the address ${quoted(wanted.peer_ip)}`)
    }
    const token = { ...shown, peer_id: peerId, peer_endpoint: wanted.peer_endpoint }
    await portal.insert(tx, token, secret)
    const who = agentPrincipal(jump)
    await record(env, tx, { ...done('create_captive_portal_token', token), who, trace })
  })
  return { token: secret, ...shown, ...(wanted.peer_endpoint ? { peer_endpoint: wanted.peer_endpoint } : {}) }
}

/**
 * Binds a link to the browser that opens it, once and for all; the answer is what that browser has to keep in
 * `STATE_COOKIE`. Whoever else has the link is refused, so that sending it to a victim gains nothing. Throws `invalid`.
 */
export async function bindToken(
  env: OutcomeEnv,
  secret: string,
  headers: IncomingHttpHeaders,
  trace: Trace,
): Promise<string> {
  const { [STATE_COOKIE]: held } = parseCookie(headers.cookie ?? '')
  return env.database.write(async (tx) => {
    const token = await openToken(tx, secret, { now: env.now(), code: 'invalid' })
    if (held !== undefined && portal.isBoundTo(token, held)) return held
    if (token.state_hash !== null) throw new AppError('invalid', MISMATCH)
    const state = mintBrowserState(env.random)
    await portal.bind(tx, token, state)
    await record(env, tx, { ...done('bind_captive_portal_token', token), who: ANONYMOUS, trace })
    return state
  })
}

/** What a link would let through; it stays open. */
export async function previewToken(
  env: ResolverEnv,
  secret: string,
  headers: IncomingHttpHeaders,
  trace: Trace,
): Promise<{ peer: portal.CaptivePeer; token: portal.CaptiveToken }> {
  const session = await sessionOf(env, headers, trace)
  return env.database.read(async (tx) => {
    const who = signedIn(session)
    const token = await openToken(tx, secret, { now: env.now(), code: 'unauthenticated' })
    return { token, peer: await ownPeer(tx, who, token) }
  })
}

/** Uses a link up: its jump peer lets the peer through, which must belong to whoever is signed in, also for administrators. */
export async function authenticatePeer(
  env: ResolverEnv & OutcomeEnv,
  secret: string,
  headers: IncomingHttpHeaders,
  trace: Trace,
): Promise<portal.CaptiveToken> {
  const session = await sessionOf(env, headers, trace)
  const { [STATE_COOKIE]: state } = parseCookie(headers.cookie ?? '')
  try {
    return await env.database.write(async (tx) => {
      if (session === undefined) throw refusal(NO_SESSION)
      const token = await openToken(tx, secret, { now: env.now(), code: 'unauthenticated' })
      if (token.state_hash === null) throw refusal('invalid token: not bound to a browser session')
      if (!portal.isBoundTo(token, state)) throw refusal(MISMATCH)
      const who = signedIn(session)
      await ownPeer(tx, who, token)
      const expiresAt = new Date(env.now().getTime() + ADMISSION_MS).toISOString()
      await portal.admit(tx, token, { ...token, expires_at: expiresAt }, env.now().toISOString())
      await record(env, tx, { ...done('authenticate_captive_portal', token), who, trace })
      return token
    })
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'unauthenticated') {
      await recordRefused(env, session ?? ANONYMOUS, thrown.message, trace)
    }
    throw thrown
  }
}

const NO_SESSION = 'no session found, please log in first'
const MISMATCH = 'session mismatch: please reopen the captive portal link in the browser that received it'

function refusal(message: string): AppError {
  return new AppError('unauthenticated', message)
}

/** Who is signed in by the cookie, which is all that counts here: nobody by a dead one; undefined without one. */
async function sessionOf(env: ResolverEnv, headers: IncomingHttpHeaders, trace: Trace): Promise<Principal | undefined> {
  const { cookie } = headers
  if (cookie === undefined || parseCookie(cookie)[SESSION_COOKIE] === undefined) return undefined
  return resolvePrincipal(env, { cookie }, { surface: 'rest', trace })
}

function signedIn(session: Principal | undefined): Principal {
  if (session === undefined) throw refusal(NO_SESSION)
  if (session.role === 'anonymous') throw refusal('invalid session')
  return session
}

async function openToken(
  tx: Db,
  secret: string,
  { now, code }: { now: Date; code: 'invalid' | 'unauthenticated' },
): Promise<portal.CaptiveTokenRecord> {
  const token = await portal.find(tx, secret)
  if (!token) throw new AppError(code, 'invalid token')
  if (token.expires_at <= now.toISOString()) throw new AppError(code, 'token expired')
  return token
}

async function ownPeer(tx: Db, who: Principal, token: portal.CaptiveToken): Promise<portal.CaptivePeer> {
  const peer = await portal.findPeerOf(tx, who, token)
  if (!peer) throw refusal('peer not found in network')
  if (peer.owner_id === null) {
    throw refusal('access denied: this peer has no owner and cannot be authenticated via captive portal')
  }
  if (peer.owner_id !== who.id) throw refusal('access denied: this peer belongs to another user')
  return peer
}

type Done = Pick<Outcome, 'action' | 'outcome' | 'surface' | 'detail' | 'network_id' | 'object_id'>

function done(action: Outcome['action'], token: portal.CaptiveToken): Done {
  const { network_id, jump_peer_id, peer_id, peer_ip, peer_endpoint } = token
  const detail = { jump_peer_id, peer_id, peer_ip, peer_endpoint }
  return { action, outcome: 'ok', surface: 'rest', network_id, object_id: peer_id, detail }
}

async function recordRefused(env: OutcomeEnv, who: Principal, reason: string, trace: Trace): Promise<void> {
  const row = { surface: 'rest', trace, detail: { reason } } as const
  if (who.role === 'anonymous') return recordRefusal(env, { ...row, action: 'rejected' })
  const refused = { ...row, action: 'authenticate_captive_portal', outcome: 'unauthenticated', who } as const
  await env.database.write((tx) => record(env, tx, refused))
}
