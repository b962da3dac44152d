import type { Migration } from './migration.ts'

/** The audit log tells the credential, the request, the address, and the object before and after. */
export const auditTrail: Migration = {
  name: 'audit-trail',
  statements: [
    "ALTER TABLE audit_log ADD COLUMN credential TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE audit_log ADD COLUMN request_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE audit_log ADD COLUMN remote_ip TEXT NOT NULL DEFAULT ''",
    'ALTER TABLE audit_log ADD COLUMN before TEXT',
    'ALTER TABLE audit_log ADD COLUMN after TEXT',
    'DROP INDEX audit_log_by_network',
    'CREATE INDEX audit_log_by_time ON audit_log (at, id)',
    'CREATE INDEX audit_log_by_network ON audit_log (network_id, at, id)',
    'CREATE INDEX audit_log_by_actor ON audit_log (actor_id, at, id)',
    'CREATE INDEX audit_log_by_action ON audit_log (action, at, id)',
    'CREATE INDEX audit_log_by_outcome ON audit_log (outcome, at, id)',
  ],
}
