import { Agent, errors, request } from 'undici'
import { AppError } from '../../errors.ts'

/** From the first byte sent to the last byte received. */
const TIMEOUT_MS = 5_000
/** Largest answer: metadata and key sets are a few kilobytes. */
const MAX_BYTES = 512 * 1024
/** Calls to one host at a time; more wait for their turn, no longer than the timeout. */
const CONNECTIONS = 16

/** What a call needs. Bodies are forms, all others count as none. */
export interface Call {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** Calls to the identity provider: each with a timeout, a size limit and without following redirects. */
export interface Outbound extends AsyncDisposable {
  /** The whole answer. Throws `unavailable`. */
  readonly fetch: (url: string, call: Call) => Promise<Response>
}

/** Opens a pool of connections of its own; disposing of it ends what is under way. */
export function createOutbound(): Outbound {
  const agent = new Agent({
    connections: CONNECTIONS,
    maxResponseSize: MAX_BYTES,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    connect: { timeout: TIMEOUT_MS },
  })
  return {
    fetch: (url, call) => send(agent, url, call),
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

async function send(dispatcher: Agent, url: string, { method, headers, body }: Call): Promise<Response> {
  const form = body instanceof URLSearchParams ? body.toString() : null
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const answer = await request(url, { dispatcher, method, headers, body: form, signal })
    const text = await answer.body.text()
    return toResponse(answer.statusCode, answer.headers, text)
  } catch (cause) {
    throw cause instanceof AppError ? cause : new AppError('unavailable', problemOf(cause), { cause })
  }
}

function toResponse(status: number, headers: Record<string, string | string[] | undefined>, text: string): Response {
  if (status >= 300 && status < 400) {
    throw new AppError('unavailable', 'the identity provider answers with a redirect, which is not followed')
  }
  const flat = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  return new Response(status === 204 || status === 205 ? null : text, { status, headers: flat })
}

const TIMEOUTS = [errors.HeadersTimeoutError, errors.BodyTimeoutError, errors.ConnectTimeoutError]

function problemOf(cause: unknown): string {
  if (cause instanceof errors.ResponseExceededMaxSizeError) return 'the identity provider sent too much'
  const isTimeout = TIMEOUTS.some((kind) => cause instanceof kind)
  if (isTimeout || (cause instanceof Error && cause.name === 'TimeoutError')) {
    return 'the identity provider did not answer in time'
  }
  return 'the identity provider cannot be reached'
}
