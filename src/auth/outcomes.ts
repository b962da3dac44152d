import { ANONYMOUS, type Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import type { Random } from '../random.ts'
import * as audit from '../storage/audit.ts'
import type { Database, Db } from '../storage/db.ts'

/** What leaving an audit row needs. */
export interface OutcomeEnv {
  readonly database: Database
  readonly random: Random
  readonly now: () => Date
}

/** What happened to a credential: it was made, used, ended or refused. */
export interface Outcome {
  readonly action: 'login' | 'logout' | 'rejected' | PortalAction
  readonly who: Principal
  /** `ok` or the code of the refusal. */
  readonly outcome: string
  readonly surface: 'rest' | 'mcp'
  readonly trace: Trace
  readonly network_id?: string
  readonly object_id?: string
  /** What else is known; never a secret. */
  readonly detail: Readonly<Record<string, string>>
}

/** What happens to a link to the captive portal. */
type PortalAction = 'create_captive_portal_token' | 'bind_captive_portal_token' | 'authenticate_captive_portal'

/** Writes the audit row of `outcome` in the transaction that brings it about. */
export async function record(env: OutcomeEnv, tx: Db, outcome: Outcome): Promise<void> {
  const { who, trace, action, surface, detail } = outcome
  await audit.insert(tx, {
    id: env.random.newId(),
    at: env.now().toISOString(),
    actor_id: who.id,
    actor_email: who.email,
    credential: who.credential,
    credential_id: who.credential_id,
    surface,
    action,
    outcome: outcome.outcome,
    network_id: outcome.network_id ?? null,
    object_id: outcome.object_id ?? null,
    ...trace,
    input: JSON.stringify(detail),
    before: null,
    after: null,
  })
}

/** Rows that strangers may leave within a minute, all together and from one address. */
const LIMITS = { login: { all: 120, own: 30 }, rejected: { all: 60, own: 10 } } as const
const WINDOW_MS = 60_000

/** A refusal of somebody who proved nothing. */
export type Refusal = Omit<Outcome, 'who' | 'outcome' | 'action'> & { readonly action: keyof typeof LIMITS }

/**
 * Writes the audit row of a refused stranger, unless too many have left one within the last minute: what everybody can
 * cause must not fill the disk. The last one before the limit says so; the access log has them all.
 */
export async function recordRefusal(env: OutcomeEnv, refusal: Refusal): Promise<void> {
  const { action, trace } = refusal
  const limit = LIMITS[action]
  const since = new Date(env.now().getTime() - WINDOW_MS).toISOString()
  await env.database.write(async (tx) => {
    const left = await audit.countStrangers(tx, { action, since, remote_ip: trace.remote_ip })
    if (left.all >= limit.all || left.own >= limit.own) return
    const isLast = left.all + 1 === limit.all || left.own + 1 === limit.own
    const detail = isLast ? { ...refusal.detail, limit: 'more of this minute may be left out' } : refusal.detail
    await record(env, tx, { ...refusal, detail, who: ANONYMOUS, outcome: 'unauthenticated' })
  })
}
