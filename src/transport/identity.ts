import type { IncomingMessage } from 'node:http'
import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'

/** Who asks, in the form that the SDK hands to handlers as `ctx.http.authInfo`. The token itself stays behind. */
export function authInfoOf({ who, trace }: Pick<Exchange, 'who' | 'trace'>): AuthInfo {
  return { token: '', clientId: who.id, scopes: [], extra: { principal: who, trace } }
}

/** A request as the SDK's Node adapters expect it. */
export type IdentifiedRequest = IncomingMessage & { auth: AuthInfo; method: string; url: string }

/** The request with the identity of its sender, in the form that the SDK's Node adapters expect. */
export function withIdentity(exchange: Exchange): IdentifiedRequest {
  const { req } = exchange
  return Object.assign(req, { auth: authInfoOf(exchange), method: req.method ?? 'GET', url: req.url ?? '/' })
}
