import { isAdmin, type Principal } from '../core/principal.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'
import { type Condition, visibleNetworks } from './visible.ts'

/** What kind of misuse was seen. */
export type IncidentType = 'shared_config' | 'session_conflict' | 'suspicious_activity'

/** A security incident of one peer. It outlives the peer. */
export interface Incident {
  readonly id: string
  readonly network_id: string
  readonly network_name: string
  readonly peer_id: string
  readonly peer_name: string
  readonly incident_type: IncidentType
  readonly detected_at: string
  readonly public_key: string
  readonly endpoints: readonly string[]
  readonly details: string
  /** Whether the peer is cut off while the incident is open. */
  readonly blocks: boolean
  readonly resolved_at: string | null
  /** E-mail address of who resolved it. */
  readonly resolved_by: string | null
}

interface Row extends Omit<Incident, 'endpoints' | 'blocks'> {
  readonly endpoints: string
  readonly blocks: number
}

/** Which incidents to list; a missing field does not restrict. */
export interface IncidentFilter {
  readonly network_id?: string | undefined
  readonly resolved?: boolean | undefined
}

const SELECT = `SELECT incidents.id, incidents.network_id, networks.name AS network_name, incidents.peer_id,
  incidents.peer_name, incidents.incident_type, incidents.detected_at, incidents.public_key, incidents.endpoints,
  incidents.details, incidents.blocks, incidents.resolved_at, incidents.resolved_by
  FROM incidents JOIN networks ON networks.id = incidents.network_id`

/** Incidents that `who` may see, newest first. */
export async function list(tx: Db, who: Principal, filter: IncidentFilter): Promise<Incident[]> {
  const visible = visibleIncidents(who)
  const parts = [visible.where]
  const params = [...visible.params]
  if (filter.network_id !== undefined) {
    parts.push('incidents.network_id = ?')
    params.push(filter.network_id)
  }
  if (filter.resolved !== undefined) parts.push(`incidents.resolved_at IS ${filter.resolved ? 'NOT NULL' : 'NULL'}`)
  const rows = await tx.all<Row>(`${SELECT} WHERE ${parts.join(' AND ')} ORDER BY incidents.id DESC`, ...params)
  return rows.map(fromRow)
}

/** The incident, if `who` may see it. */
export async function get(tx: Db, who: Principal, id: string): Promise<Incident> {
  const visible = visibleIncidents(who)
  const row = await tx.find<Row>(`${SELECT} WHERE incidents.id = ? AND ${visible.where}`, id, ...visible.params)
  if (!row) throw new AppError('not_found', `no incident ${quoted(id)} that you can see`)
  return fromRow(row)
}

/** Records an incident that has been detected. While it is open and `blocks`, the peer reaches nobody. */
export async function raise(
  tx: Db,
  incident: Omit<Incident, 'network_name' | 'resolved_at' | 'resolved_by'>,
): Promise<void> {
  const { id, network_id, peer_id, peer_name, incident_type, detected_at, public_key, details } = incident
  await tx.run(
    `INSERT INTO incidents (id, network_id, peer_id, peer_name, incident_type, detected_at, public_key, endpoints,
      details, blocks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[id, network_id, peer_id, peer_name, incident_type, detected_at, public_key, JSON.stringify(incident.endpoints)],
    ...[details, Number(incident.blocks)],
  )
}

/** Closes an open incident. */
export async function resolve(tx: Db, id: string, at: string, by: string): Promise<void> {
  await tx.run('UPDATE incidents SET resolved_at = ?, resolved_by = ? WHERE id = ? AND resolved_at IS NULL', at, by, id)
}

/** Ids of the peers of a network that an open incident cuts off. */
export async function listQuarantined(tx: Db, networkId: string): Promise<string[]> {
  const sql = `SELECT DISTINCT peer_id FROM incidents
    WHERE network_id = ? AND resolved_at IS NULL AND blocks = 1 ORDER BY peer_id`
  return (await tx.all<{ peer_id: string }>(sql, networkId)).map((row) => row.peer_id)
}

/** Administrators see every incident, users those of the peers they own in networks they are authorised for. */
function visibleIncidents(who: Principal): Condition {
  const network = visibleNetworks(who, 'incidents.network_id')
  if (isAdmin(who)) return network
  return {
    where: `EXISTS (SELECT 1 FROM peers WHERE peers.id = incidents.peer_id AND peers.owner_id = ?) AND ${network.where}`,
    params: [who.id, ...network.params],
  }
}

function fromRow(row: Row): Incident {
  return { ...row, endpoints: JSON.parse(row.endpoints), blocks: row.blocks === 1 }
}
