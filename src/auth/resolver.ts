import type { IncomingHttpHeaders } from 'node:http'
import { parseCookie } from 'cookie'
import { ANONYMOUS, type Principal } from '../core/principal.ts'
import { AppError } from '../errors.ts'
import * as credentials from '../storage/credentials.ts'
import type { Database } from '../storage/db.ts'
import type { Door, IdentityProvider } from './identity.ts'

/** Cookie that carries a session. */
export const SESSION_COOKIE = 'wirety_session'

const API_TOKEN = /^wirety_[0-9a-f]{64}$/
const SESSION = /^ses_[A-Za-z0-9_-]{43}$/
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/
/** A provider's token that lists many groups is long. */
const AUTHORIZATION = /^(Bearer|Session) +(\S{1,12288})$/i
/** A use is written down at most this often, so that reading costs no write. */
const TOUCH_AFTER_MS = 5 * 60_000

/** A presented credential, not yet checked. */
interface Presented {
  readonly secret: string
  readonly kind: credentials.Credential['kind'] | 'jwt'
  readonly carrier: 'header' | 'cookie'
}

/** What the resolver needs. */
export interface ResolverEnv {
  readonly database: Database
  readonly identity: IdentityProvider
  readonly now: () => Date
}

/**
 * Who sent a request with these headers: nobody, or the holder of a live credential. An `Authorization` header decides
 * alone and is final when bad; a dead cookie counts as none. Throws `unauthenticated`.
 */
export async function resolvePrincipal(env: ResolverEnv, headers: IncomingHttpHeaders, door: Door): Promise<Principal> {
  const presented = readCredential(headers)
  if (!presented) return ANONYMOUS
  if (presented.kind === 'jwt') return env.identity.identify(presented.secret, door)
  const now = env.now().toISOString()
  const found = await env.database.read((tx) => credentials.findHolder(tx, presented.secret))
  if (!found || found.kind !== presented.kind || isExpired(found, now)) return refuse(presented, found, now)
  const holder = found.kind === 'session' ? await renewed(env, presented, found, door) : found
  if (!holder) return refuse(presented, holder, now)
  if (isStale(holder, env.now())) await env.database.write((tx) => credentials.touch(tx, holder.id, now))
  return principalOf(holder)
}

/** The session as it is when the identity provider stands by it; undefined when it ended. */
async function renewed(
  env: ResolverEnv,
  presented: Presented,
  session: credentials.CredentialHolder,
  door: Door,
): Promise<credentials.CredentialHolder | undefined> {
  try {
    if (!(await env.identity.revalidate(session, door))) return session
  } catch (thrown) {
    if (presented.carrier === 'cookie' && thrown instanceof AppError && thrown.code === 'unauthenticated')
      return undefined
    throw thrown
  }
  return env.database.read((tx) => credentials.findHolder(tx, presented.secret))
}

/** The holder of a credential as the one who asks. */
export function principalOf(holder: credentials.CredentialHolder): Principal {
  return {
    id: holder.user_id,
    email: holder.email,
    name: holder.user_name,
    role: holder.role,
    credential: holder.kind,
    credential_id: holder.id,
  }
}

/** Whether the request would be authenticated by a cookie, so that a foreign page could have sent it. */
export function isCookieCarried(headers: IncomingHttpHeaders): boolean {
  return headers.authorization === undefined && readCookie(headers) !== undefined
}

/** The session value that a request carries, in whatever way; undefined when there is none. */
export function presentedSession(headers: IncomingHttpHeaders): string | undefined {
  const match = AUTHORIZATION.exec(headers.authorization ?? '')
  return match?.[2] !== undefined && SESSION.test(match[2]) ? match[2] : readCookie(headers)
}

function readCredential(headers: IncomingHttpHeaders): Presented | undefined {
  if (headers.authorization !== undefined) return readAuthorization(headers.authorization)
  const cookie = readCookie(headers)
  return cookie === undefined ? undefined : { secret: cookie, kind: 'session', carrier: 'cookie' }
}

function readAuthorization(header: string): Presented {
  const [, scheme, secret] = AUTHORIZATION.exec(header) ?? []
  if (!scheme || !secret) {
    throw new AppError('unauthenticated', 'send "Authorization: Bearer wirety_..." or "Authorization: Session ..."')
  }
  if (SESSION.test(secret)) return { secret, kind: 'session', carrier: 'header' }
  if (API_TOKEN.test(secret) && scheme.toLowerCase() === 'bearer')
    return { secret, kind: 'api_token', carrier: 'header' }
  if (JWT.test(secret) && scheme.toLowerCase() === 'bearer') return { secret, kind: 'jwt', carrier: 'header' }
  throw new AppError('unauthenticated', scheme.toLowerCase() === 'bearer' ? 'invalid API token' : 'invalid session')
}

function readCookie(headers: IncomingHttpHeaders): string | undefined {
  const value = parseCookie(headers.cookie ?? '')[SESSION_COOKIE]
  return value !== undefined && SESSION.test(value) ? value : undefined
}

function refuse(presented: Presented, holder: credentials.CredentialHolder | undefined, now: string): Principal {
  if (presented.carrier === 'cookie') return ANONYMOUS
  const noun = presented.kind === 'session' ? 'session' : 'API token'
  const expired = holder !== undefined && holder.kind === presented.kind && isExpired(holder, now)
  throw new AppError('unauthenticated', expired ? `${noun} has expired` : `invalid ${noun}`)
}

function isExpired(credential: credentials.Credential, now: string): boolean {
  return credential.expires_at !== null && credential.expires_at <= now
}

function isStale(credential: credentials.Credential, now: Date): boolean {
  return credential.last_used_at === null || now.getTime() - Date.parse(credential.last_used_at) > TOUCH_AFTER_MS
}
