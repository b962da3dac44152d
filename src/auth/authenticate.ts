import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { AppError } from '../errors.ts'
import { type OutcomeEnv, recordRefusal } from './outcomes.ts'
import { type ResolverEnv, resolvePrincipal } from './resolver.ts'

/** Who sent a request with these headers; a credential that is refused leaves an audit row. Throws `unauthenticated`. */
export async function authenticate(
  env: ResolverEnv & OutcomeEnv,
  headers: IncomingHttpHeaders,
  door: { readonly surface: 'rest' | 'mcp'; readonly trace: Trace },
): Promise<Principal> {
  try {
    return await resolvePrincipal(env, headers, door)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'unauthenticated') {
      await recordRefusal(env, { ...door, action: 'rejected', detail: { reason: thrown.message } })
    }
    throw thrown
  }
}
