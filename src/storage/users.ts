import type { Role } from '../core/principal.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'
import * as settings from './settings.ts'

/** A person who may sign in. */
export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly authorized_networks: readonly string[]
  readonly created_at: string
  readonly updated_at: string
  readonly last_login_at: string | null
}

/** What a new user gets unless told otherwise. */
export interface UserDefaults {
  readonly default_role: Role
  readonly default_authorized_networks: readonly string[]
}

const COLUMNS = 'id, email, name, role, created_at, updated_at, last_login_at'

/** All users, oldest first. */
export async function list(tx: Db): Promise<User[]> {
  const users = await tx.all<Omit<User, 'authorized_networks'>>(`SELECT ${COLUMNS} FROM users ORDER BY created_at, id`)
  const grants = await tx.all<{ user_id: string; network_id: string }>(
    'SELECT user_id, network_id FROM user_networks ORDER BY user_id, network_id',
  )
  const byUser = Map.groupBy(grants, (grant) => grant.user_id)
  return users.map((user) => ({
    ...user,
    authorized_networks: (byUser.get(user.id) ?? []).map((grant) => grant.network_id),
  }))
}

/** The user, or undefined. */
export async function find(tx: Db, id: string): Promise<User | undefined> {
  const user = await tx.find<Omit<User, 'authorized_networks'>>(`SELECT ${COLUMNS} FROM users WHERE id = ?`, id)
  if (!user) return undefined
  const grants = await tx.all<{ network_id: string }>(
    'SELECT network_id FROM user_networks WHERE user_id = ? ORDER BY network_id',
    id,
  )
  return { ...user, authorized_networks: grants.map((grant) => grant.network_id) }
}

/** The user. */
export async function get(tx: Db, id: string): Promise<User> {
  const user = await find(tx, id)
  if (!user) throw new AppError('not_found', `no user ${quoted(id)}`)
  return user
}

/** Id and password hash of whoever signs in as `login`: the id of the built-in administrator, or an e-mail address. */
export async function findLogin(
  tx: Db,
  login: string,
): Promise<{ id: string; password_hash: string | null } | undefined> {
  return tx.find(
    'SELECT id, password_hash FROM users WHERE email = ? OR (id = ? AND id = ?)',
    login.toLowerCase(),
    login,
    'admin',
  )
}

/** Ids and names of the users who are called `name`, or have it as id or e-mail address. */
export async function named(tx: Db, name: string): Promise<{ id: string; name: string }[]> {
  const sql = 'SELECT id, name FROM users WHERE id = ? OR email = ? OR LOWER(name) = ? ORDER BY id LIMIT 5'
  return tx.all(sql, name, name.toLowerCase(), name.toLowerCase())
}

/** E-mail addresses of all users, for suggestions; at most 200. */
export async function emails(tx: Db): Promise<string[]> {
  const rows = await tx.all<{ email: string }>('SELECT email FROM users ORDER BY created_at, id LIMIT 200')
  return rows.map((row) => row.email)
}

/** Adds a user. */
export async function insert(tx: Db, user: User, passwordHash: string | null): Promise<void> {
  await tx.run(
    'INSERT INTO users (id, email, name, role, password_hash, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[user.id, user.email, user.name, user.role, passwordHash, user.created_at, user.updated_at],
  )
  await grant(tx, user.id, user.authorized_networks)
}

/** Writes name, role and authorised networks. */
export async function update(tx: Db, user: User): Promise<void> {
  await tx.run(
    'UPDATE users SET name = ?, role = ?, updated_at = ? WHERE id = ?',
    ...[user.name, user.role, user.updated_at, user.id],
  )
  await tx.run('DELETE FROM user_networks WHERE user_id = ?', user.id)
  await grant(tx, user.id, user.authorized_networks)
}

/** Writes what an identity provider says of the user: e-mail address, name and role. */
export async function updateProfile(tx: Db, user: User): Promise<void> {
  await tx.run(
    'UPDATE users SET email = ?, name = ?, role = ?, updated_at = ? WHERE id = ?',
    ...[user.email, user.name, user.role, user.updated_at, user.id],
  )
}

/** Sets the password hash. */
export async function setPassword(tx: Db, id: string, passwordHash: string): Promise<void> {
  await tx.run('UPDATE users SET password_hash = ? WHERE id = ?', passwordHash, id)
}

/** Remembers a sign-in. */
export async function touchLogin(tx: Db, id: string, at: string): Promise<void> {
  await tx.run('UPDATE users SET last_login_at = ? WHERE id = ?', at, id)
}

/** Removes the user with sessions and tokens; peers stay, without an owner. */
export async function remove(tx: Db, id: string): Promise<void> {
  await tx.run('DELETE FROM users WHERE id = ?', id)
}

/** Whether an administrator besides `id` exists. */
export async function hasOtherAdministrator(tx: Db, id: string): Promise<boolean> {
  const sql = "SELECT 1 AS one FROM users WHERE role = 'administrator' AND id <> ? LIMIT 1"
  return (await tx.find(sql, id)) !== undefined
}

/** Ids out of `ids` that name no network. */
export async function missingNetworks(tx: Db, ids: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  for (const id of ids) {
    if (!(await tx.find('SELECT 1 AS one FROM networks WHERE id = ?', id))) missing.push(id)
  }
  return missing
}

const DEFAULTS_KEY = 'user_defaults'

/** What new users get. Networks that are gone are left out. */
export async function getDefaults(tx: Db): Promise<UserDefaults> {
  const stored = await settings.find(tx, DEFAULTS_KEY)
  if (stored === undefined) return { default_role: 'user', default_authorized_networks: [] }
  const defaults: UserDefaults = JSON.parse(stored)
  const missing = new Set(await missingNetworks(tx, defaults.default_authorized_networks))
  const alive = defaults.default_authorized_networks.filter((id) => !missing.has(id))
  return { ...defaults, default_authorized_networks: alive }
}

/** Sets what new users get. */
export async function putDefaults(tx: Db, defaults: UserDefaults): Promise<void> {
  await settings.put(tx, DEFAULTS_KEY, JSON.stringify(defaults))
}

async function grant(tx: Db, userId: string, networkIds: readonly string[]): Promise<void> {
  for (const networkId of new Set(networkIds)) {
    await tx.run('INSERT INTO user_networks VALUES (?, ?)', userId, networkId)
  }
}
