import type { IncomingMessage } from 'node:http'
import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Principal } from '../core/principal.ts'

/** Who asks, in the form that the SDK hands to handlers as `ctx.http.authInfo`. The token itself stays behind. */
export function authInfoOf(principal: Principal): AuthInfo {
  return { token: '', clientId: principal.id, scopes: [], extra: { principal } }
}

/** A request as the SDK's Node adapters expect it. */
export type IdentifiedRequest = IncomingMessage & { auth: AuthInfo; method: string; url: string }

/** `req` with the identity of this very request, in the form that the SDK's Node adapters expect. */
export function withIdentity(req: IncomingMessage, principal: Principal): IdentifiedRequest {
  return Object.assign(req, { auth: authInfoOf(principal), method: req.method ?? 'GET', url: req.url ?? '/' })
}
