import { createHash } from 'node:crypto'
import type { CredentialKind, Role } from '../core/principal.ts'
import type { Db } from './db.ts'

/** A session or API token; the secret itself is kept by its owner only. */
export interface Credential {
  readonly id: string
  readonly kind: Extract<CredentialKind, 'session' | 'api_token'>
  readonly user_id: string
  readonly name: string
  readonly created_at: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
}

/** A credential with the user who holds it. */
export interface CredentialHolder extends Credential {
  readonly email: string
  readonly user_name: string
  readonly role: Role
}

const COLUMNS = 'c.id, c.kind, c.user_id, c.name, c.created_at, c.expires_at, c.last_used_at'

/** Who holds the credential whose secret is `secret`: one indexed look-up. */
export async function findHolder(tx: Db, secret: string): Promise<CredentialHolder | undefined> {
  return tx.find(
    `SELECT ${COLUMNS}, u.email, u.name AS user_name, u.role FROM credentials c JOIN users u ON u.id = c.user_id
      WHERE c.secret_hash = ?`,
    hashSecret(secret),
  )
}

/** A user's credentials of one kind, oldest first. */
export async function list(tx: Db, userId: string, kind: Credential['kind']): Promise<Credential[]> {
  const sql = `SELECT ${COLUMNS} FROM credentials c WHERE c.user_id = ? AND c.kind = ? ORDER BY c.id`
  return tx.all(sql, userId, kind)
}

/** Keeps a new credential, its secret as a hash. */
export async function insert(tx: Db, credential: Credential, secret: string): Promise<void> {
  const { id, kind, user_id, name, created_at, expires_at } = credential
  await tx.run(
    `INSERT INTO credentials (id, kind, secret_hash, user_id, name, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[id, kind, hashSecret(secret), user_id, name, created_at, expires_at],
  )
}

/** Ends one credential of a user; false when there is none of that kind. */
export async function remove(tx: Db, userId: string, kind: Credential['kind'], id: string): Promise<boolean> {
  const sql = 'DELETE FROM credentials WHERE user_id = ? AND kind = ? AND id = ?'
  return (await tx.run(sql, userId, kind, id)) > 0
}

/** Ends the session whose secret is `secret`, if there is one. */
export async function removeSession(tx: Db, secret: string): Promise<void> {
  await tx.run("DELETE FROM credentials WHERE secret_hash = ? AND kind = 'session'", hashSecret(secret))
}

/** Ends all sessions of a user; API tokens stay. */
export async function removeSessions(tx: Db, userId: string): Promise<void> {
  await tx.run("DELETE FROM credentials WHERE user_id = ? AND kind = 'session'", userId)
}

/** Forgets credentials that expired before `now`. */
export async function removeExpired(tx: Db, now: string): Promise<void> {
  await tx.run("DELETE FROM credentials WHERE kind = 'session' AND expires_at < ?", now)
}

/** Remembers that the credential was used. */
export async function touch(tx: Db, id: string, at: string): Promise<void> {
  await tx.run('UPDATE credentials SET last_used_at = ? WHERE id = ?', at, id)
}

/** Secrets are random and long, so one round of SHA-256 keeps them. */
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
