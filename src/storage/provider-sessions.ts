import type { Db } from './db.ts'

/** The identity provider's tokens behind a session, sealed. */
export interface ProviderSession {
  readonly credential_id: string
  readonly access_token: string
  readonly refresh_token: string | null
  readonly access_expires_at: string
}

/** The tokens of a session, with the user who holds it. */
export async function find(tx: Db, credentialId: string): Promise<(ProviderSession & { user_id: string }) | undefined> {
  return tx.find(
    `SELECT p.credential_id, p.access_token, p.refresh_token, p.access_expires_at, c.user_id
      FROM provider_sessions p JOIN credentials c ON c.id = p.credential_id WHERE p.credential_id = ?`,
    credentialId,
  )
}

/** Keeps the tokens of a new session. */
export async function insert(tx: Db, session: ProviderSession): Promise<void> {
  await tx.run(
    'INSERT INTO provider_sessions (credential_id, access_token, refresh_token, access_expires_at) VALUES (?, ?, ?, ?)',
    ...[session.credential_id, session.access_token, session.refresh_token, session.access_expires_at],
  )
}

/** Replaces the tokens of a session; false when it has ended. */
export async function update(tx: Db, session: ProviderSession): Promise<boolean> {
  const sql =
    'UPDATE provider_sessions SET access_token = ?, refresh_token = ?, access_expires_at = ? WHERE credential_id = ?'
  const { access_token, refresh_token, access_expires_at, credential_id } = session
  return (await tx.run(sql, access_token, refresh_token, access_expires_at, credential_id)) > 0
}

/** Ends a session. */
export async function end(tx: Db, credentialId: string): Promise<void> {
  await tx.run("DELETE FROM credentials WHERE id = ? AND kind = 'session'", credentialId)
}

/** Ends the sessions that were opened in the other way than the one in use: by a provider, or by a password. */
export async function endOthers(tx: Db, areProviders: boolean): Promise<void> {
  const behind = 'id IN (SELECT credential_id FROM provider_sessions)'
  await tx.run(`DELETE FROM credentials WHERE kind = 'session' AND ${areProviders ? `NOT ${behind}` : behind}`)
}
