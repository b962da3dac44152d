import type { Principal } from '../core/principal.ts'
import { AppError, quoted } from '../errors.ts'

/** A conversation that outlives one request; it belongs to the principal who began it. */
export interface Session {
  readonly id: string
  readonly principalId: string
  /** Whether a stream is open or a request is being served, so that silence does not mean absence. */
  readonly isBusy: boolean
  /** Never rejects. `reason` is for the client, where the protocol has room for it. */
  close(reason: string): Promise<void>
}

/** How sessions of one kind are kept. */
export interface SessionsOptions {
  readonly now: () => number
  readonly idleMs: number
  readonly maxPerPrincipal: number
  /** What a client does whose session is not known. */
  readonly remedy: string
}

/** The open sessions of one kind, least recently used first. */
export class Sessions<S extends Session> {
  readonly #entries = new Map<string, { readonly session: S; readonly usedAt: number }>()
  readonly #options: SessionsOptions
  readonly #sweeper: NodeJS.Timeout

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(options.idleMs / 2, 60_000)).unref()
  }

  get size(): number {
    return this.#entries.size
  }

  /** How many of the sessions are as `isSo` says. */
  count(isSo: (session: S) => boolean): number {
    return [...this.#entries.values()].filter((entry) => isSo(entry.session)).length
  }

  /** Adds a session; the least recently used one of the same principal ends when that makes one too many. */
  add(session: S): void {
    const own = [...this.#entries.values()].filter((entry) => entry.session.principalId === session.principalId)
    for (const entry of own.slice(0, Math.max(0, own.length + 1 - this.#options.maxPerPrincipal))) {
      void this.end(entry.session, 'too many sessions of this account')
    }
    this.#touch(session)
  }

  /** The session `id` of `who`; somebody else's is as unknown as one that never was. Throws `not_found`. */
  get(id: string, who: Principal): S {
    const session = this.#entries.get(id)?.session
    if (session === undefined || session.principalId !== who.id) {
      throw new AppError('not_found', `session ${quoted(id)} is not known here: ${this.#options.remedy}`)
    }
    this.#touch(session)
    return session
  }

  /** Forgets a session that ended by itself. */
  delete(session: S): void {
    if (this.#entries.get(session.id)?.session === session) this.#entries.delete(session.id)
  }

  /** Forgets a session and closes it. */
  end(session: S, reason: string): Promise<void> {
    this.delete(session)
    return session.close(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeper)
    const reason = 'the server is shutting down'
    await Promise.all([...this.#entries.values()].map((entry) => this.end(entry.session, reason)))
  }

  #touch(session: S): void {
    this.#entries.delete(session.id)
    this.#entries.set(session.id, { session, usedAt: this.#options.now() })
  }

  /** A busy session counts as used now but keeps its place: only its client's requests make it recently used. */
  #sweep(): void {
    const now = this.#options.now()
    for (const { session, usedAt } of [...this.#entries.values()]) {
      if (session.isBusy) this.#entries.set(session.id, { session, usedAt: now })
      else if (usedAt <= now - this.#options.idleMs) void this.end(session, 'idle for too long')
    }
  }
}
