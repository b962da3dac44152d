import type { Trace } from '../core/trace.ts'
import { AppError } from '../errors.ts'
import type { Random } from '../random.ts'
import * as credentials from '../storage/credentials.ts'
import type { Database, Db } from '../storage/db.ts'
import * as users from '../storage/users.ts'
import { type Outcome, record, recordRefusal } from './outcomes.ts'
import { verifyPassword } from './passwords.ts'
import { principalOf } from './resolver.ts'
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
export async function login(
  env: LoginEnv,
  { username, password }: { username: string; password: string },
  trace: Trace,
): Promise<IssuedSession> {
  const known = await env.database.read((tx) => users.findLogin(tx, username))
  const ok = await verifyPassword(known?.password_hash, password)
  const session = ok && known?.password_hash ? await openSession(env, known.id, known.password_hash, trace) : undefined
  if (session) return session
  const detail = { username: username.slice(0, MAX_USERNAME) }
  await recordRefusal(env, { action: 'login', surface: 'rest', trace, detail })
  throw new AppError('unauthenticated', 'invalid credentials')
}

/** Ends the session whose value is `session`; a value that is none is ignored. */
export async function logout(env: LoginEnv, session: string, trace: Trace): Promise<void> {
  await env.database.write(async (tx) => {
    const holder = await credentials.findHolder(tx, session)
    if (holder?.kind !== 'session') return
    await credentials.removeSession(tx, session)
    const outcome = { action: 'logout', outcome: 'ok', surface: 'rest', trace, detail: {} } as const
    await record(env, tx, { ...outcome, who: principalOf(holder) })
  })
}

/** Longest user name: an e-mail address. Source: RFC 5321, section 4.5.3.1.3. */
const MAX_USERNAME = 254

/** The session, or undefined when the user was deleted or the password changed meanwhile. */
async function openSession(
  env: LoginEnv,
  userId: string,
  hash: string,
  trace: Trace,
): Promise<IssuedSession | undefined> {
  return env.database.write(async (tx) => {
    const user = await users.find(tx, userId)
    if (!user || (await users.findLogin(tx, user.email))?.password_hash !== hash) return undefined
    const { secret } = await startSession(env, tx, user, { trace, detail: { username: user.email } })
    return { session_hash: secret, expires_in: SESSION_SECONDS }
  })
}

/** Opens a session of `user`, in the transaction that found them entitled to it. */
export async function startSession(
  env: LoginEnv,
  tx: Db,
  user: users.User,
  door: Pick<Outcome, 'trace' | 'detail'>,
): Promise<{ id: string; secret: string }> {
  const now = env.now()
  const secret = mintSession(env.random)
  const row = {
    id: env.random.newId(),
    user_id: user.id,
    name: '',
    created_at: now.toISOString(),
    expires_at: new Date(now.getTime() + SESSION_SECONDS * 1000).toISOString(),
    last_used_at: null,
  }
  await credentials.insert(tx, { ...row, kind: 'session' }, secret)
  await credentials.removeExpired(tx, now.toISOString())
  await users.touchLogin(tx, user.id, now.toISOString())
  const who = { ...user, credential: 'session', credential_id: row.id } as const
  await record(env, tx, { ...door, action: 'login', outcome: 'ok', surface: 'rest', who })
  return { id: row.id, secret }
}
