/** What went wrong, as a stable word that programs may rely on. */
export type ErrorCode = keyof typeof STATUS

/** The one mapping from error code to HTTP status. */
const STATUS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  exhausted: 409,
  too_large: 413,
  unsupported_media_type: 415,
  too_many: 429,
  internal: 500,
  unavailable: 503,
} as const

/** Every code, in the order of the table. */
export const ERROR_CODES = Object.keys(STATUS) as ErrorCode[] // the keys of a constant are its type's

/** Names and ids that belong to an error. */
export type ErrorDetails = Readonly<Record<string, string | readonly string[]>>

/** An error that the caller can act on: `message` names the thing and says what to do; `cause` is for the log only. */
export class AppError extends Error {
  readonly code: ErrorCode
  /** Ids of what is in the way, for programs. */
  readonly details: ErrorDetails | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
    this.details = options.details
  }

  /** HTTP status of this error's code. */
  get status(): number {
    return STATUS[this.code]
  }

  /** The body that every HTTP error answer carries. */
  get body(): { error: string; code: ErrorCode; details?: ErrorDetails } {
    const body = { error: this.message, code: this.code }
    return this.details === undefined ? body : { ...body, details: this.details }
  }
}

const TOKEN = /(wirety_|ses_|enr_|cpt_)[A-Za-z0-9_-]{16,}/g

/** `text` with everything that looks like one of our tokens cut to its prefix. */
export function withoutTokens(text: string): string {
  return text.replace(TOKEN, '$1...')
}

const MAX_QUOTED = 80

/** `value` in quotes for an error text: cut short, with everything invisible or misleading written as an escape. */
export function quoted(value: string): string {
  const safe = withoutTokens(value)
  const shown = safe.length > MAX_QUOTED ? `${safe.slice(0, MAX_QUOTED)}...` : safe
  return JSON.stringify(shown).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

/** What the outside may know of any thrown value: an `AppError` as it is, everything else as `internal` without detail. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal', 'internal error; the server log has the details', { cause: thrown })
}
