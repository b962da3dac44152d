import type { Db } from './db.ts'

/** One thing that somebody did or was refused. `input` is JSON text without secrets. */
export interface AuditEntry {
  readonly id: string
  readonly at: string
  readonly actor_id: string
  readonly actor_email: string
  readonly credential_id: string | null
  /** Through which door: `rest`, `mcp` or `server`. */
  readonly surface: string
  readonly action: string
  /** `ok` or the code of the refusal. */
  readonly outcome: string
  readonly network_id: string | null
  readonly object_id: string | null
  readonly input: string
}

/** Appends to the audit log. */
export async function insert(tx: Db, entry: AuditEntry): Promise<void> {
  await tx.run(
    `INSERT INTO audit_log (id, at, actor_id, actor_email, credential_id, surface, action, outcome, network_id,
      object_id, input) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[entry.id, entry.at, entry.actor_id, entry.actor_email, entry.credential_id, entry.surface, entry.action],
    ...[entry.outcome, entry.network_id, entry.object_id, entry.input],
  )
}
