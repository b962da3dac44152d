import { type JSONRPCRequest, SdkHttpError } from '@modelcontextprotocol/client'

/** Code of answers that the bridge itself makes up for a server that gave none. */
const NO_ANSWER = -32000

/** A JSON-RPC error answer. */
export interface ServerError {
  readonly id?: unknown
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Whether the server no longer knows the session that the message named. */
export function isSessionUnknown(error: unknown): boolean {
  return error instanceof SdkHttpError && error.status === 404
}

/** The error that answers `request` when sending it failed: the server's own if it sent one, else what to do about it. */
export function failure(request: JSONRPCRequest, error: unknown, url: URL): ServerError['error'] {
  const told = serverError(error)
  if (told?.id === request.id) return told.error
  return { code: told?.error.code ?? NO_ANSWER, message: explain(error, url, told?.error.message) }
}

/** One sentence for a human about a failure to reach the server. */
export function explain(error: unknown, url: URL, told = serverError(error)?.error.message): string {
  const address = `${url.origin}${url.pathname}`
  if (!(error instanceof SdkHttpError)) {
    return `no answer from ${address} (${reason(error)}): check that the server runs there`
  }
  if (error.status === 401) {
    return `the server at ${address} refuses the token in WIRETY_TOKEN: make a new API token and put it there`
  }
  const hint = error.status === 404 ? 'check the address, there is no MCP endpoint' : 'the server log may say why'
  return `the server at ${address} answered HTTP ${error.status}: ${told ?? hint}`
}

/** @NOTE The SDK's own parser refuses `id: null`, which JSON-RPC demands where the id of the request is not known. */
function serverError(error: unknown): ServerError | undefined {
  const text = error instanceof SdkHttpError ? error.data.text : undefined
  if (typeof text !== 'string') return undefined
  try {
    const body: unknown = JSON.parse(text)
    return isServerError(body) ? body : undefined
  } catch {
    return undefined
  }
}

function isServerError(body: unknown): body is ServerError {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return false
  return typeof error.code === 'number' && typeof error.message === 'string'
}

/** `fetch` hides why it failed in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.message
}
