import { withoutTokens } from '../errors.ts'
import type { Db, SqlValue } from './db.ts'
import { type Page, type PageRequest, selectPage } from './page.ts'

/** One thing that somebody did or was refused. `input`, `before` and `after` are JSON text without secrets. */
export interface AuditEntry {
  readonly id: string
  readonly at: string
  readonly actor_id: string
  readonly actor_email: string
  /** Kind of credential: `session`, `api_token`, `jwt`, `enrolment_token` or `none`. */
  readonly credential: string
  readonly credential_id: string | null
  /** Through which door: `rest`, `mcp` or `server`. */
  readonly surface: string
  /** Name of the operation, or of the authentication event: `login`, `logout`, `rejected`. */
  readonly action: string
  /** `ok` or the code of the refusal. */
  readonly outcome: string
  readonly network_id: string | null
  readonly object_id: string | null
  readonly request_id: string
  readonly remote_ip: string
  readonly input: string
  /** The object before and after the write; null where there was or is none. */
  readonly before: string | null
  readonly after: string | null
}

/** Which rows to list; a missing field does not restrict. Times are RFC 3339 UTC, `until` is not included. */
export interface AuditFilter {
  readonly actor_id?: string | undefined
  readonly action?: string | undefined
  readonly network_id?: string | undefined
  readonly outcome?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

const COLUMNS = [
  ...(['id', 'at', 'actor_id', 'actor_email', 'credential', 'credential_id', 'surface', 'action'] as const),
  ...(['outcome', 'network_id', 'object_id', 'request_id', 'remote_ip', 'input', 'before', 'after'] as const),
] satisfies (keyof AuditEntry)[]

const INSERT = `INSERT INTO audit_log (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`

/** Appends to the audit log; whoever listens to the database is told after the commit. */
export async function insert(tx: Db, entry: AuditEntry): Promise<void> {
  const kept = masked(entry)
  await tx.run(INSERT, ...COLUMNS.map((column) => kept[column]))
  tx.announce({ audit: kept })
}

/** People put tokens where ids belong; what looks like one is not kept. */
function masked(entry: AuditEntry): AuditEntry {
  const pairs = Object.entries(entry).map(([key, value]) => [
    key,
    typeof value === 'string' ? withoutTokens(value) : value,
  ])
  return Object.fromEntries(pairs)
}

const CONDITIONS: Record<keyof AuditFilter, string> = {
  actor_id: 'actor_id = ?',
  action: 'action = ?',
  network_id: 'network_id = ?',
  outcome: 'outcome = ?',
  since: 'at >= ?',
  until: 'at < ?',
}

/** One page of the rows that `filter` lets through, newest first. */
export async function list(tx: Db, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>> {
  const given = Object.entries(CONDITIONS).flatMap(([key, where]): [string, SqlValue][] => {
    const value = filter[key as keyof AuditFilter] // the keys of CONDITIONS
    return value === undefined ? [] : [[where, value]]
  })
  const query = {
    columns: COLUMNS.join(', '),
    from: 'audit_log',
    where: given.map(([where]) => where).join(' AND ') || '1 = 1',
    params: given.map(([, value]) => value),
    order: ['at DESC', 'id DESC'],
  }
  return selectPage(tx, query, page)
}

/** How many rows of `action` nobody in particular has left since `since`: in all, and from one address. */
export async function countStrangers(
  tx: Db,
  wanted: { action: string; since: string; remote_ip: string },
): Promise<{ all: number; own: number }> {
  const sql = `SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN remote_ip = ? THEN 1 ELSE 0 END), 0) AS own
    FROM audit_log WHERE actor_id = '' AND action = ? AND at > ?`
  const row = await tx.find<{ n: number; own: number }>(sql, wanted.remote_ip, wanted.action, wanted.since)
  return { all: row?.n ?? 0, own: row?.own ?? 0 }
}
