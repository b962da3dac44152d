import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'

/** One HTTP request and its answer; the identity is proved and the body parsed, both once. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly who: Principal
  readonly trace: Trace
  /** Undefined for every method but POST. */
  readonly body: unknown
}
