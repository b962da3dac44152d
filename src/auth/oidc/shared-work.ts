/** Work under way, or that failed a moment ago. */
interface Entry {
  readonly outcome: Promise<void>
  failedAt: number | undefined
}

/** Runs one piece of work per key at a time: who asks meanwhile shares its outcome. A failure holds for a pause. */
export class SharedWork {
  readonly #entries = new Map<string, Entry>()
  readonly #pauseMs: number
  readonly #now: () => number

  constructor(pauseMs: number, now: () => number) {
    this.#pauseMs = pauseMs
    this.#now = now
  }

  run(key: string, work: () => Promise<void>): Promise<void> {
    this.#forgetFailures()
    const running = this.#entries.get(key)
    if (running) return running.outcome
    const entry: Entry = { outcome: work(), failedAt: undefined }
    this.#entries.set(key, entry)
    entry.outcome.then(
      () => this.#entries.delete(key),
      () => {
        entry.failedAt = this.#now()
      },
    )
    return entry.outcome
  }

  #forgetFailures(): void {
    for (const [key, { failedAt }] of this.#entries) {
      if (failedAt !== undefined && this.#now() - failedAt >= this.#pauseMs) this.#entries.delete(key)
    }
  }
}
