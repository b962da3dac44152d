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

/** An error that the caller can act on: `message` names the thing and says what to do; `cause` is for the log only. */
export class AppError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
  }

  /** HTTP status of this error's code. */
  get status(): number {
    return STATUS[this.code]
  }

  /** The body that every HTTP error answer carries. */
  get body(): { error: string; code: ErrorCode } {
    return { error: this.message, code: this.code }
  }
}

const MAX_QUOTED = 80

/** `value` in quotes for an error text: cut short, with everything invisible or misleading written as an escape. */
export function quoted(value: string): string {
  const shown = value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}...` : value
  return JSON.stringify(shown).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

/** What the outside may know of any thrown value: an `AppError` as it is, everything else as `internal` without detail. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal', 'internal error; the server log has the details', { cause: thrown })
}
