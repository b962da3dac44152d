import { ANONYMOUS, type Principal } from '../core/principal.ts'
import { AppError } from '../errors.ts'
import type { Random } from '../random.ts'
import * as audit from '../storage/audit.ts'
import * as credentials from '../storage/credentials.ts'
import type { Database, Db } from '../storage/db.ts'
import * as users from '../storage/users.ts'
import { verifyPassword } from './passwords.ts'
import { mintSession } from './secrets.ts'

/** Life of a session, counted from the login. */
export const SESSION_SECONDS = 30 * 24 * 3600

/** What signing in and out needs. */
export interface LoginEnv {
  readonly database: Database
  readonly random: Random
  readonly now: () => Date
}

/** A new session as it is told to its owner. */
export interface IssuedSession {
  readonly session_hash: string
  /** Seconds. */
  readonly expires_in: number
}

/** Opens a session for whoever knows the password of `username` (`admin` or an e-mail address). */
export async function login(env: LoginEnv, username: string, password: string): Promise<IssuedSession> {
  const known = await env.database.read((tx) => users.findLogin(tx, username))
  const ok = await verifyPassword(known?.password_hash, password)
  const session = ok && known?.password_hash ? await openSession(env, known.id, known.password_hash) : undefined
  if (session) return session
  await env.database.write((tx) => record(env, tx, ANONYMOUS, 'unauthenticated', username))
  throw new AppError('unauthenticated', 'invalid credentials')
}

/** Ends the session whose value is `session`; a value that is none is ignored. */
export async function logout(env: LoginEnv, session: string): Promise<void> {
  await env.database.write((tx) => credentials.removeSession(tx, session))
}

/** The session, or undefined when the user was deleted or the password changed meanwhile. */
async function openSession(env: LoginEnv, userId: string, hash: string): Promise<IssuedSession | undefined> {
  const now = env.now()
  const expiresAt = new Date(now.getTime() + SESSION_SECONDS * 1000).toISOString()
  const session = mintSession(env.random)
  return env.database.write(async (tx) => {
    const user = await users.find(tx, userId)
    if (!user || (await users.findLogin(tx, user.email))?.password_hash !== hash) return undefined
    const id = env.random.newId()
    const row = {
      id,
      user_id: user.id,
      name: '',
      created_at: now.toISOString(),
      expires_at: expiresAt,
      last_used_at: null,
    }
    await credentials.insert(tx, { ...row, kind: 'session' }, session)
    await credentials.removeExpired(tx, now.toISOString())
    await users.touchLogin(tx, user.id, now.toISOString())
    await record(env, tx, { ...user, credential: 'session', credential_id: id }, 'ok', user.email)
    return { session_hash: session, expires_in: SESSION_SECONDS }
  })
}

async function record(env: LoginEnv, tx: Db, who: Principal, outcome: string, username: string): Promise<void> {
  await audit.insert(tx, {
    id: env.random.newId(),
    at: env.now().toISOString(),
    actor_id: who.id,
    actor_email: who.email,
    credential_id: who.credential_id,
    surface: 'rest',
    action: 'login',
    outcome,
    network_id: null,
    object_id: null,
    input: JSON.stringify({ username: username.slice(0, 254) }),
  })
}
