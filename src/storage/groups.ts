import type { Group } from '../core/topology.ts'
import { AppError, quoted } from '../errors.ts'
import { type Attachment, attachments, list as listAttached } from './attachments.ts'
import type { Db } from './db.ts'
import { inList } from './page.ts'

type Row = Omit<Group, 'peer_ids' | 'policy_ids' | 'route_ids'>

const COLUMNS = 'id, network_id, name, description, priority, created_at, updated_at'

/** A network's groups by priority, equal ones by age: four queries, however many there are. */
export async function list(tx: Db, networkId: string): Promise<Group[]> {
  const rows = await tx.all<Row>(
    `SELECT ${COLUMNS} FROM groups WHERE network_id = ? ORDER BY priority, created_at, id`,
    networkId,
  )
  const peers = await listAttached(tx, 'peers', networkId)
  const policies = await listAttached(tx, 'policies', networkId)
  const routes = await listAttached(tx, 'routes', networkId)
  return rows.map((row) => ({
    ...row,
    peer_ids: peers.get(row.id) ?? [],
    policy_ids: policies.get(row.id) ?? [],
    route_ids: routes.get(row.id) ?? [],
  }))
}

/** The group, in this network. */
export async function get(tx: Db, networkId: string, id: string): Promise<Group> {
  const row = await tx.find<Row>(`SELECT ${COLUMNS} FROM groups WHERE network_id = ? AND id = ?`, networkId, id)
  if (!row) throw new AppError('not_found', `no group ${quoted(id)} in network ${quoted(networkId)}`)
  const of = (kind: Attachment) => attachments(tx, kind, id)
  return { ...row, peer_ids: await of('peers'), policy_ids: await of('policies'), route_ids: await of('routes') }
}

/** Ids of the groups of each peer of `peerIds`, oldest group first: one query. */
export async function listOfPeers(tx: Db, peerIds: readonly string[]): Promise<Map<string, string[]>> {
  if (peerIds.length === 0) return new Map()
  const { marks, params } = inList(peerIds)
  const rows = await tx.all<{ peer_id: string; group_id: string }>(
    `SELECT peer_id, group_id FROM group_peers WHERE peer_id IN (${marks}) ORDER BY peer_id, group_id`,
    ...params,
  )
  const byPeer = Map.groupBy(rows, (row) => row.peer_id)
  return new Map([...byPeer].map(([peerId, found]) => [peerId, found.map((row) => row.group_id)]))
}

/** Whether the network has this group. */
export async function exists(tx: Db, networkId: string, id: string): Promise<boolean> {
  return (await tx.find('SELECT 1 AS one FROM groups WHERE network_id = ? AND id = ?', networkId, id)) !== undefined
}

/** Adds a group without members. */
export async function insert(tx: Db, group: Row): Promise<void> {
  await refuseTakenName(tx, group)
  const { id, network_id, name, description, priority, created_at, updated_at } = group
  await tx.run(
    `INSERT INTO groups (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[id, network_id, name, description, priority, created_at, updated_at],
  )
}

/** Writes name, description and priority. */
export async function update(tx: Db, group: Row): Promise<void> {
  await refuseTakenName(tx, group)
  const { id, name, description, priority, updated_at } = group
  await tx.run(
    'UPDATE groups SET name = ?, description = ?, priority = ?, updated_at = ? WHERE id = ?',
    ...[name, description, priority, updated_at, id],
  )
}

/** Removes a group; its peers, policies and routes stay, rules that name it go. */
export async function remove(tx: Db, id: string): Promise<void> {
  await tx.run('DELETE FROM groups WHERE id = ?', id)
}

/** Ids of the groups that new peers of non-administrators join. */
export async function listDefaults(tx: Db, networkId: string): Promise<string[]> {
  return (await listDefaultsOf(tx, [networkId])).get(networkId) ?? []
}

/** The default groups of each network of `networkIds`: one query. */
export async function listDefaultsOf(tx: Db, networkIds: readonly string[]): Promise<Map<string, string[]>> {
  if (networkIds.length === 0) return new Map()
  const { marks, params } = inList(networkIds)
  const rows = await tx.all<{ network_id: string; group_id: string }>(
    `SELECT network_id, group_id FROM network_default_groups WHERE network_id IN (${marks}) ORDER BY network_id, position`,
    ...params,
  )
  const byNetwork = Map.groupBy(rows, (row) => row.network_id)
  return new Map([...byNetwork].map(([networkId, found]) => [networkId, found.map((row) => row.group_id)]))
}

/** Sets the groups that new peers of non-administrators join. */
export async function putDefaults(tx: Db, networkId: string, ids: readonly string[]): Promise<void> {
  await tx.run('DELETE FROM network_default_groups WHERE network_id = ?', networkId)
  for (const [position, id] of [...new Set(ids)].entries()) {
    if (!(await exists(tx, networkId, id)))
      throw new AppError('invalid', `default_group_ids: no group ${quoted(id)} in this network`)
    await tx.run('INSERT INTO network_default_groups VALUES (?, ?, ?)', networkId, id, position)
  }
}

async function refuseTakenName(tx: Db, group: Row): Promise<void> {
  const sql = 'SELECT 1 AS one FROM groups WHERE network_id = ? AND name = ? AND id <> ?'
  if (await tx.find(sql, group.network_id, group.name, group.id)) {
    throw new AppError('conflict', `a group called ${quoted(group.name)} exists in this network`)
  }
}
