import type { ServerResponse } from 'node:http'
import { AppError, type ErrorCode } from '../errors.ts'

/** JSON-RPC codes of the refusals that have one of their own; the rest share `REFUSED`. Source: JSON-RPC 2.0 section 5.1. */
const RPC_CODES: Partial<Record<ErrorCode, number>> = {
  invalid: -32600,
  unauthenticated: -32001,
  not_found: -32001,
  internal: -32603,
}

const REFUSED = -32000
const PARSE_ERROR = -32700

const HEADERS: Partial<Record<ErrorCode, Record<string, string>>> = {
  unauthenticated: { 'WWW-Authenticate': 'Bearer realm="wirety"' },
  method_not_allowed: { Allow: 'GET, POST, DELETE, OPTIONS' },
  too_many: { 'Retry-After': '30' },
  too_large: { Connection: 'close' },
}

/** A request body that is not JSON; JSON-RPC has a code of its own for it. */
export class UnreadableJson extends AppError {
  constructor(cause: unknown) {
    super('invalid', 'the request body is not valid JSON in UTF-8: send one JSON-RPC message', { cause })
  }
}

/** Answers with a JSON-RPC error that belongs to no request, and the HTTP status of its code. */
export function answerError(res: ServerResponse, error: AppError): void {
  const code = error instanceof UnreadableJson ? PARSE_ERROR : (RPC_CODES[error.code] ?? REFUSED)
  const body = { jsonrpc: '2.0', error: { code, message: error.message }, id: null }
  res.writeHead(error.status, { 'Content-Type': 'application/json', ...HEADERS[error.code] })
  res.end(JSON.stringify(body))
}
