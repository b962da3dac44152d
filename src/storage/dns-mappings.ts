import type { DnsMapping } from '../core/dns.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'

const COLUMNS = 'm.id, m.route_id, m.name, m.ip_address, m.ip_address_v6, m.created_at, m.updated_at'

/** A route's mappings, oldest first. */
export async function list(tx: Db, routeId: string): Promise<DnsMapping[]> {
  return tx.all(`SELECT ${COLUMNS} FROM dns_mappings m WHERE m.route_id = ? ORDER BY m.created_at, m.id`, routeId)
}

/** The mappings of all routes of a network, oldest first. */
export async function listOfNetwork(tx: Db, networkId: string): Promise<DnsMapping[]> {
  return tx.all(
    `SELECT ${COLUMNS} FROM dns_mappings m JOIN routes r ON r.id = m.route_id
      WHERE r.network_id = ? ORDER BY m.created_at, m.id`,
    networkId,
  )
}

/** The mapping, of this route. */
export async function get(tx: Db, routeId: string, id: string): Promise<DnsMapping> {
  const sql = `SELECT ${COLUMNS} FROM dns_mappings m WHERE m.route_id = ? AND m.id = ?`
  const row = await tx.find<DnsMapping>(sql, routeId, id)
  if (!row) throw new AppError('not_found', `no DNS mapping ${quoted(id)} of route ${quoted(routeId)}`)
  return row
}

/** Adds a mapping. */
export async function insert(tx: Db, mapping: DnsMapping): Promise<void> {
  await refuseTakenName(tx, mapping)
  const { id, route_id, name, ip_address, ip_address_v6, created_at, updated_at } = mapping
  await tx.run(
    'INSERT INTO dns_mappings VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[id, route_id, name, ip_address, ip_address_v6, created_at, updated_at],
  )
}

/** Writes name and addresses. */
export async function update(tx: Db, mapping: DnsMapping): Promise<void> {
  await refuseTakenName(tx, mapping)
  const { id, name, ip_address, ip_address_v6, updated_at } = mapping
  await tx.run(
    'UPDATE dns_mappings SET name = ?, ip_address = ?, ip_address_v6 = ?, updated_at = ? WHERE id = ?',
    ...[name, ip_address, ip_address_v6, updated_at, id],
  )
}

/** Removes a mapping. */
export async function remove(tx: Db, id: string): Promise<void> {
  await tx.run('DELETE FROM dns_mappings WHERE id = ?', id)
}

async function refuseTakenName(tx: Db, mapping: DnsMapping): Promise<void> {
  const sql = 'SELECT 1 AS one FROM dns_mappings WHERE route_id = ? AND LOWER(name) = LOWER(?) AND id <> ?'
  if (await tx.find(sql, mapping.route_id, mapping.name, mapping.id)) {
    throw new AppError('conflict', `a DNS mapping called ${quoted(mapping.name)} exists on this route`)
  }
}
