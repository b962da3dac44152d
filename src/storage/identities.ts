import type { Db } from './db.ts'

/** Who somebody is at an identity provider: a subject is unique only together with its issuer. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

/** A user's identity. */
export interface HeldIdentity extends Identity {
  readonly user_id: string
}

/** The id of the user with this identity. */
export async function findUserId(tx: Db, { issuer, subject }: Identity): Promise<string | undefined> {
  const sql = 'SELECT user_id FROM identities WHERE issuer = ? AND subject = ?'
  return (await tx.find<{ user_id: string }>(sql, issuer, subject))?.user_id
}

/** The identity of a user. */
export async function findByUser(tx: Db, userId: string): Promise<HeldIdentity | undefined> {
  return tx.find('SELECT issuer, subject, user_id FROM identities WHERE user_id = ?', userId)
}

/** The identity that the user with this e-mail address has under the same subject at whatever issuer. */
export async function findElsewhere(tx: Db, subject: string, email: string): Promise<HeldIdentity | undefined> {
  return tx.find(
    `SELECT i.issuer, i.subject, i.user_id FROM identities i JOIN users u ON u.id = i.user_id
      WHERE i.subject = ? AND u.email = ?`,
    ...[subject, email],
  )
}

/** Gives a user an identity in place of what there was. */
export async function put(tx: Db, { issuer, subject, user_id }: HeldIdentity): Promise<void> {
  await tx.run(
    `INSERT INTO identities (issuer, subject, user_id) VALUES (?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject`,
    ...[issuer, subject, user_id],
  )
}

/** Whether anybody has an identity. */
export async function exist(tx: Db): Promise<boolean> {
  return (await tx.find('SELECT 1 AS one FROM identities LIMIT 1')) !== undefined
}

/** Whether an administrator besides `id` can sign in at an identity provider. */
export async function hasOtherAdministrator(tx: Db, id: string): Promise<boolean> {
  const sql = `SELECT 1 AS one FROM identities i JOIN users u ON u.id = i.user_id
    WHERE u.role = 'administrator' AND u.id <> ? LIMIT 1`
  return (await tx.find(sql, id)) !== undefined
}
