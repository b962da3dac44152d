import type { Db } from './db.ts'

/** What can be put into a group. */
export type Attachment = 'peers' | 'policies' | 'routes'

const TABLES = {
  peers: { table: 'group_peers', column: 'peer_id' },
  policies: { table: 'group_policies', column: 'policy_id' },
  routes: { table: 'group_routes', column: 'route_id' },
} as const

/** Ids of what a group has of one kind, in order. */
export async function attachments(tx: Db, kind: Attachment, groupId: string): Promise<string[]> {
  const { table, column } = TABLES[kind]
  const sql = `SELECT ${column} AS id FROM ${table} WHERE group_id = ? ORDER BY position, ${column}`
  return (await tx.all<{ id: string }>(sql, groupId)).map((row) => row.id)
}

/** Ids of what each group of a network has of one kind, in order. */
export async function list(tx: Db, kind: Attachment, networkId: string): Promise<Map<string, string[]>> {
  const { table, column } = TABLES[kind]
  const rows = await tx.all<{ group_id: string; id: string }>(
    `SELECT a.group_id, a.${column} AS id FROM ${table} a JOIN groups g ON g.id = a.group_id
      WHERE g.network_id = ? ORDER BY a.group_id, a.position, a.${column}`,
    networkId,
  )
  const byGroup = Map.groupBy(rows, (row) => row.group_id)
  return new Map([...byGroup].map(([groupId, found]) => [groupId, found.map((row) => row.id)]))
}

/** Ids of the groups of a network that have `id`, oldest first. */
export async function groupsWith(tx: Db, kind: Attachment, id: string): Promise<string[]> {
  const { table, column } = TABLES[kind]
  const sql = `SELECT group_id FROM ${table} WHERE ${column} = ? ORDER BY group_id`
  return (await tx.all<{ group_id: string }>(sql, id)).map((row) => row.group_id)
}

/** Puts `id` at the end of a group; nothing happens when it is there already. */
export async function attach(tx: Db, kind: Attachment, groupId: string, id: string): Promise<void> {
  const { table } = TABLES[kind]
  await tx.run(
    `INSERT INTO ${table} SELECT ?, ?, COALESCE(MAX(position), -1) + 1 FROM ${table} WHERE group_id = ?
      ON CONFLICT DO NOTHING`,
    ...[groupId, id, groupId],
  )
}

/** Takes `id` out of a group; false when it is not there. */
export async function detach(tx: Db, kind: Attachment, groupId: string, id: string): Promise<boolean> {
  const { table, column } = TABLES[kind]
  return (await tx.run(`DELETE FROM ${table} WHERE group_id = ? AND ${column} = ?`, groupId, id)) > 0
}

/** Gives what a group has of one kind the order of `ids`, which names all of it. */
export async function reorder(tx: Db, kind: Attachment, groupId: string, ids: readonly string[]): Promise<void> {
  const { table, column } = TABLES[kind]
  for (const [position, id] of ids.entries()) {
    await tx.run(`UPDATE ${table} SET position = ? WHERE group_id = ? AND ${column} = ?`, position, groupId, id)
  }
}
