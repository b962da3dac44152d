import type { Acl, AclRule } from '../core/topology.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'

const EVERY_PEER = '*'

interface RuleRow extends Omit<AclRule, 'source_peer' | 'target_peer'> {
  readonly source_peer: string | null
  readonly target_peer: string | null
}

/** The network's access list. */
export async function get(tx: Db, networkId: string): Promise<Acl> {
  const acl = await tx.find<{ id: string; name: string; enabled: number }>(
    'SELECT id, name, enabled FROM acls WHERE network_id = ?',
    networkId,
  )
  if (!acl) throw new AppError('not_found', `network ${quoted(networkId)} has no access list`)
  const blocked = await tx.all<{ peer_id: string }>(
    'SELECT peer_id FROM acl_blocked WHERE network_id = ? ORDER BY peer_id',
    networkId,
  )
  const rules = await tx.all<RuleRow>(
    `SELECT id, source_peer, target_peer, action, description FROM acl_rules WHERE network_id = ? ORDER BY position`,
    networkId,
  )
  return {
    ...acl,
    enabled: acl.enabled === 1,
    blocked_peers: blocked.map((row) => row.peer_id),
    rules: rules.map(fromRow),
  }
}

/** Puts `acl` in the place of what the network had. Every peer it names belongs to the network. */
export async function put(tx: Db, networkId: string, acl: Acl): Promise<void> {
  for (const table of ['acl_rules', 'acl_blocked', 'acls']) {
    await tx.run(`DELETE FROM ${table} WHERE network_id = ?`, networkId)
  }
  await tx.run('INSERT INTO acls VALUES (?, ?, ?, ?)', networkId, acl.id, acl.name, Number(acl.enabled))
  for (const peerId of acl.blocked_peers) await tx.run('INSERT INTO acl_blocked VALUES (?, ?)', networkId, peerId)
  for (const [position, rule] of acl.rules.entries()) {
    const peers = [rule.source_peer, rule.target_peer].map((peer) => (peer === EVERY_PEER ? null : peer))
    await tx.run(
      'INSERT INTO acl_rules VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[networkId, position, rule.id, ...peers, rule.action, rule.description],
    )
  }
}

function fromRow(row: RuleRow): AclRule {
  return { ...row, source_peer: row.source_peer ?? EVERY_PEER, target_peer: row.target_peer ?? EVERY_PEER }
}
