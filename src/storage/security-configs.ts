import type { Db } from './db.ts'

/** Thresholds of the incident detection of one network. Windows in minutes. */
export interface SecurityConfig {
  readonly id: string
  readonly network_id: string
  readonly enabled: boolean
  readonly session_conflict_threshold_minutes: number
  readonly endpoint_change_threshold_minutes: number
  readonly max_endpoint_changes_per_day: number
  readonly port_change_threshold_minutes: number
  readonly max_port_changes_per_window: number
  readonly created_at: string
  readonly updated_at: string
}

/** The config, or undefined while nobody has changed the defaults. */
export async function find(tx: Db, networkId: string): Promise<SecurityConfig | undefined> {
  const row = await tx.find<Omit<SecurityConfig, 'enabled'> & { enabled: number }>(
    `SELECT id, network_id, enabled, session_conflict_threshold_minutes, endpoint_change_threshold_minutes,
      max_endpoint_changes_per_day, port_change_threshold_minutes, max_port_changes_per_window, created_at, updated_at
      FROM security_configs WHERE network_id = ?`,
    networkId,
  )
  return row && { ...row, enabled: row.enabled === 1 }
}

/** Puts the config in the place of what was there. */
export async function put(tx: Db, config: SecurityConfig): Promise<void> {
  await tx.run('DELETE FROM security_configs WHERE network_id = ?', config.network_id)
  await tx.run(
    'INSERT INTO security_configs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...[config.network_id, config.id, Number(config.enabled), config.session_conflict_threshold_minutes],
    ...[config.endpoint_change_threshold_minutes, config.max_endpoint_changes_per_day],
    ...[config.port_change_threshold_minutes, config.max_port_changes_per_window, config.created_at, config.updated_at],
  )
}
