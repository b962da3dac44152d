import { z } from 'zod'
import * as agentSessions from '../../storage/agent-sessions.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import { NetworkId, PeerId, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

/** A session is active while its agent was heard of this recently: six missed heartbeats. */
const ACTIVE_MS = 3 * 60_000

const SessionView = z.object({
  peer_id: z.string(),
  hostname: z.string(),
  system_uptime: z.int(),
  wireguard_uptime: z.int(),
  reported_endpoint: z.string(),
  last_seen: Timestamp,
  first_seen: Timestamp,
  session_id: z.string(),
})

const EndpointChange = z.object({
  peer_id: z.string(),
  old_endpoint: z.string(),
  new_endpoint: z.string(),
  changed_at: Timestamp,
  source: z.string(),
})

/** Lists the sessions of a network's active agents. */
export const listSessions = defineOperation({
  name: 'list_sessions',
  title: 'List agent sessions',
  description: 'Lists the sessions of active agents in a network. Users see those of their own peers.',
  http: 'GET /networks/{network_id}/sessions',
  permission: 'peers:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.array(SessionView),
  async run({ tx, who, now }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return agentSessions.listOfNetwork(tx, who, id, activeSince(now))
  },
})

/** What the agents of a peer last said. */
export const getPeerSession = defineOperation({
  name: 'get_peer_session',
  title: 'Get peer session',
  description: "Shows whether a peer's agent is active, since when and from where.",
  http: 'GET /networks/{network_id}/peers/{peer_id}/session',
  permission: 'peers:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, peer_id: PeerId }),
  output: z.object({
    peer_id: z.string(),
    has_active_agent: z.boolean(),
    current_session: SessionView.nullable(),
    conflicting_sessions: z.array(SessionView),
    recent_endpoint_changes: z.array(EndpointChange),
    suspicious_activity: z.boolean(),
    last_checked: Timestamp,
  }),
  async run({ tx, who, now, vault }, input) {
    const peer = await peers.get(tx, vault, who, input.network_id, input.peer_id)
    const active = await agentSessions.listSeenSince(tx, peer.id, activeSince(now))
    return {
      peer_id: peer.id,
      has_active_agent: active.length > 0,
      current_session: active[0] ?? null,
      conflicting_sessions: active.length > 1 ? active : [],
      recent_endpoint_changes: [],
      suspicious_activity: false,
      last_checked: now,
    }
  },
})

function activeSince(now: string): string {
  return new Date(Date.parse(now) - ACTIVE_MS).toISOString()
}
