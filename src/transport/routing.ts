import type { IncomingMessage } from 'node:http'
import { classifyInboundRequest, isInitializeRequest } from '@modelcontextprotocol/server'

/** What decides who serves a request. */
export interface RequestFacts {
  readonly method: string
  /** Path and query as in the request line. */
  readonly url: string
  readonly accept: string | undefined
  /** The Mcp-Session-Id header. */
  readonly sessionId: string | undefined
  readonly protocolVersion: string | undefined
  readonly mcpMethod: string | undefined
  readonly mcpName: string | undefined
  /** The parsed body; undefined for every method but POST. */
  readonly body: unknown
}

/** Who serves a request: three generations of the protocol share one path. */
export type Branch =
  | { readonly kind: 'preflight' }
  | { readonly kind: 'landing' }
  | { readonly kind: 'open_sse' }
  | { readonly kind: 'sse_message'; readonly sessionId: string }
  | { readonly kind: 'initialize' }
  | { readonly kind: 'session_message'; readonly sessionId: string }
  | { readonly kind: 'session_stream'; readonly sessionId: string }
  | { readonly kind: 'end_session'; readonly sessionId: string }
  | { readonly kind: 'modern' }
  | { readonly kind: 'refuse'; readonly code: 'invalid' | 'method_not_allowed'; readonly message: string }

/** The facts of `req`, whose body was parsed before. */
export function factsOf(req: IncomingMessage, body?: unknown): RequestFacts {
  return {
    method: req.method ?? 'GET',
    url: req.url ?? '/',
    accept: req.headers.accept,
    sessionId: header(req, 'mcp-session-id'),
    protocolVersion: header(req, 'mcp-protocol-version'),
    mcpMethod: header(req, 'mcp-method'),
    mcpName: header(req, 'mcp-name'),
    body,
  }
}

/**
 * The one branch that serves the request.
 * Every session of the 2025 generation has an id, therefore a GET without one can only be a client of 2024-11-05
 * that opens its stream; a protocol version header on it is what such a client sends when it reconnects.
 */
export function route(facts: RequestFacts): Branch {
  switch (facts.method) {
    case 'OPTIONS':
      return { kind: 'preflight' }
    case 'GET':
      return routeGet(facts)
    case 'DELETE':
      return facts.sessionId === undefined
        ? refuse('method_not_allowed', 'DELETE ends a session: send its Mcp-Session-Id header')
        : { kind: 'end_session', sessionId: facts.sessionId }
    case 'POST':
      return routePost(facts)
    default:
      return refuse('method_not_allowed', 'this is an MCP endpoint: send JSON-RPC messages by POST')
  }
}

function routeGet({ sessionId, accept = '' }: RequestFacts): Branch {
  if (sessionId !== undefined) return { kind: 'session_stream', sessionId }
  const wanted = accept.toLowerCase()
  if (wanted.includes('text/event-stream')) return { kind: 'open_sse' }
  if (wanted.includes('text/html')) return { kind: 'landing' }
  return refuse('method_not_allowed', 'GET opens an event stream: send Accept: text/event-stream, or messages by POST')
}

function routePost(facts: RequestFacts): Branch {
  const { sessionId, body } = facts
  const sseSessionId = URL.parse(facts.url, 'http://localhost')?.searchParams.get('sessionId')
  if (typeof sseSessionId === 'string') {
    if (sessionId === undefined) return { kind: 'sse_message', sessionId: sseSessionId }
    return refuse('invalid', 'sessionId in the URL and an Mcp-Session-Id header name two sessions: send one of them')
  }
  if (isModern(facts)) return { kind: 'modern' }
  if (sessionId !== undefined) return { kind: 'session_message', sessionId }
  if (isInitializeRequest(body)) return { kind: 'initialize' }
  return refuse(
    'invalid',
    'send an initialize request (protocolVersion, capabilities, clientInfo) and repeat the Mcp-Session-Id of its ' +
      'answer in every request, or speak protocol version 2026-07-28 with its _meta and headers',
  )
}

/** The SDK answers all it calls modern, malformed messages too: its refusals are the ones the specification asks for. */
function isModern({ protocolVersion, mcpMethod, mcpName, body }: RequestFacts): boolean {
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...(protocolVersion !== undefined && { protocolVersionHeader: protocolVersion }),
    ...(mcpMethod !== undefined && { mcpMethodHeader: mcpMethod }),
    ...(mcpName !== undefined && { mcpNameHeader: mcpName }),
    body,
  })
  return outcome.kind !== 'legacy'
}

function refuse(code: 'invalid' | 'method_not_allowed', message: string): Branch {
  return { kind: 'refuse', code, message }
}

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
