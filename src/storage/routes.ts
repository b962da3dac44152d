import type { Route } from '../core/topology.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'

const COLUMNS = `id, network_id, name, description, destination_cidr, destination_cidr_v6, jump_peer_id, domain_suffix,
  created_at, updated_at`

/** A network's routes, oldest first. */
export async function list(tx: Db, networkId: string): Promise<Route[]> {
  return tx.all(`SELECT ${COLUMNS} FROM routes WHERE network_id = ? ORDER BY created_at, id`, networkId)
}

/** The route, in this network. */
export async function get(tx: Db, networkId: string, id: string): Promise<Route> {
  const row = await tx.find<Route>(`SELECT ${COLUMNS} FROM routes WHERE network_id = ? AND id = ?`, networkId, id)
  if (!row) throw new AppError('not_found', `no route ${quoted(id)} in network ${quoted(networkId)}`)
  return row
}

/** The prefixes that a network's routes lead to. */
export async function listDestinations(tx: Db, networkId: string): Promise<string[]> {
  const found = await list(tx, networkId)
  return found.flatMap((route) => [route.destination_cidr, route.destination_cidr_v6]).filter((cidr) => cidr !== null)
}

/** Names of the routes that lead through a jump peer. */
export async function namesThrough(tx: Db, jumpPeerId: string): Promise<string[]> {
  const rows = await tx.all<{ name: string }>('SELECT name FROM routes WHERE jump_peer_id = ? ORDER BY id', jumpPeerId)
  return rows.map((row) => row.name)
}

/** Adds a route. */
export async function insert(tx: Db, route: Route): Promise<void> {
  await refuseTakenName(tx, route)
  await tx.run(
    `INSERT INTO routes (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[route.id, route.network_id, route.name, route.description, route.destination_cidr, route.destination_cidr_v6],
    ...[route.jump_peer_id, route.domain_suffix, route.created_at, route.updated_at],
  )
}

/** Writes the fields that a person may change. */
export async function update(tx: Db, route: Route): Promise<void> {
  await refuseTakenName(tx, route)
  await tx.run(
    `UPDATE routes SET name = ?, description = ?, destination_cidr = ?, destination_cidr_v6 = ?, jump_peer_id = ?,
      domain_suffix = ?, updated_at = ? WHERE id = ?`,
    ...[route.name, route.description, route.destination_cidr, route.destination_cidr_v6, route.jump_peer_id],
    ...[route.domain_suffix, route.updated_at, route.id],
  )
}

/** Removes a route, its mappings, and its place in every group. */
export async function remove(tx: Db, id: string): Promise<void> {
  await tx.run('DELETE FROM routes WHERE id = ?', id)
}

async function refuseTakenName(tx: Db, route: Route): Promise<void> {
  const sql = 'SELECT 1 AS one FROM routes WHERE network_id = ? AND name = ? AND id <> ?'
  if (await tx.find(sql, route.network_id, route.name, route.id)) {
    throw new AppError('conflict', `a route called ${quoted(route.name)} exists in this network`)
  }
}
