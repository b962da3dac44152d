import type { Server } from '@modelcontextprotocol/server'

/** What one client may hold of the endpoint, and for how long. */
export interface McpLimits {
  /** A session without an open stream and without requests ends after this. */
  readonly idleMs: number
  /** Interval of the comments that keep a quiet event stream open through proxies. */
  readonly keepAliveMs: number
  /** The least recently used session of a principal ends when it starts one more than this. */
  readonly maxSessionsPerPrincipal: number
  /** Long-lived event streams of all three protocol generations together. */
  readonly maxStreamsPerPrincipal: number
  /** An event stream with more unread bytes than this is disconnected at the next event. */
  readonly maxBufferedBytes: number
  readonly maxBodyBytes: number
  /** How long requests may still take when the endpoint closes. */
  readonly drainMs: number
  /** Messages in one JSON-RPC batch. */
  readonly maxBatch: number
}

/** The limits of a server whose operator set none. */
export const DEFAULT_LIMITS: McpLimits = Object.freeze({
  idleMs: 30 * 60_000,
  keepAliveMs: 15_000,
  maxSessionsPerPrincipal: 64,
  maxStreamsPerPrincipal: 64,
  maxBufferedBytes: 1024 * 1024,
  maxBodyBytes: 1024 * 1024,
  drainMs: 3_000,
  maxBatch: 20,
})

/** Where events of the endpoint are recorded; a pino logger is one. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What one generation of the protocol holds open. */
export interface Census {
  readonly generation: string
  readonly sessions: number
  readonly streams: number
}

/** What each protocol generation needs from the outside. */
export interface LegContext {
  readonly path: string
  readonly createServer: () => Server
  readonly newId: () => string
  readonly now: () => number
  readonly log: Log
  readonly limits: McpLimits
}
