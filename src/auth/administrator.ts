import { newPassword } from '../random.ts'
import * as credentials from '../storage/credentials.ts'
import type { Database, Db } from '../storage/db.ts'
import * as users from '../storage/users.ts'
import { hashPassword, verifyPassword } from './passwords.ts'

/** The user who is always there: it cannot be deleted, and nobody else may have its address. */
export const ADMIN = { id: 'admin', email: 'admin@wirety.local', name: 'Administrator' }

/**
 * Makes sure that the built-in administrator exists and has the configured password. Returns a generated one when
 * none was configured and none is set: to be shown once, it is kept as a hash only. A changed password ends the
 * administrator's sessions.
 */
export async function ensureAdministrator(
  database: Database,
  configured: string | undefined,
  now: string,
): Promise<string | undefined> {
  const known = await database.read((tx) => users.findLogin(tx, ADMIN.id))
  if (configured === undefined && known?.password_hash) return undefined
  if (configured !== undefined && (await verifyPassword(known?.password_hash, configured))) return undefined
  const password = configured ?? newPassword()
  const hash = await hashPassword(password)
  await database.write(async (tx) => {
    if (!(await users.findLogin(tx, ADMIN.id))) {
      await insert(tx, hash, now)
    } else {
      await users.setPassword(tx, ADMIN.id, hash)
      await credentials.removeSessions(tx, ADMIN.id)
    }
  })
  return configured === undefined ? password : undefined
}

/** Makes sure that the built-in administrator exists, without a password: nobody signs in as it, nobody else is it. */
export async function reserveAdministrator(database: Database, now: string): Promise<undefined> {
  await database.write(async (tx) => {
    if (!(await users.findLogin(tx, ADMIN.id))) await insert(tx, null, now)
  })
}

async function insert(tx: Db, hash: string | null, now: string): Promise<void> {
  const times = { created_at: now, updated_at: now, last_login_at: null }
  await users.insert(tx, { ...ADMIN, role: 'administrator', authorized_networks: [], ...times }, hash)
}
