import type { Principal } from '../core/principal.ts'
import type { Db } from './db.ts'
import { visiblePeers } from './visible.ts'

/** What a peer's agent last said of itself. Uptimes in seconds. */
export interface AgentSession {
  readonly peer_id: string
  readonly hostname: string
  readonly system_uptime: number
  readonly wireguard_uptime: number
  readonly reported_endpoint: string
  readonly last_seen: string
  readonly first_seen: string
  readonly session_id: string
}

/** Sessions of a peer that were seen at or after `since`, the latest first. */
export async function listSeenSince(tx: Db, peerId: string, since: string): Promise<AgentSession[]> {
  return tx.all(
    `SELECT peer_id, hostname, system_uptime, wireguard_uptime, reported_endpoint, last_seen, first_seen, session_id
      FROM agent_sessions WHERE peer_id = ? AND last_seen >= ? ORDER BY last_seen DESC, session_id`,
    peerId,
    since,
  )
}

/** Sessions of a network's peers that `who` may see and that were heard of at or after `since`, by peer. */
export async function listOfNetwork(tx: Db, who: Principal, networkId: string, since: string): Promise<AgentSession[]> {
  const visible = visiblePeers(who)
  return tx.all(
    `SELECT s.peer_id, s.hostname, s.system_uptime, s.wireguard_uptime, s.reported_endpoint, s.last_seen, s.first_seen,
      s.session_id FROM agent_sessions s JOIN peers ON peers.id = s.peer_id
      WHERE peers.network_id = ? AND s.last_seen >= ? AND ${visible.where} ORDER BY peers.id, s.last_seen DESC, s.session_id`,
    networkId,
    since,
    ...visible.params,
  )
}

/** Records what an agent said: a new session, or the newest words of a known one. */
export async function put(tx: Db, session: AgentSession): Promise<void> {
  const { session_id, peer_id, hostname, system_uptime, wireguard_uptime, reported_endpoint } = session
  await tx.run(
    `INSERT INTO agent_sessions (session_id, peer_id, hostname, system_uptime, wireguard_uptime, reported_endpoint,
      first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (session_id) DO UPDATE SET hostname = excluded.hostname, system_uptime = excluded.system_uptime,
      wireguard_uptime = excluded.wireguard_uptime, reported_endpoint = excluded.reported_endpoint,
      last_seen = excluded.last_seen`,
    ...[session_id, peer_id, hostname, system_uptime, wireguard_uptime, reported_endpoint],
    ...[session.first_seen, session.last_seen],
  )
}
