/** How long a value holds. */
export interface CacheOptions {
  readonly ttlMs: number
  /** Two loads are at least this far apart, whether they succeed or fail. */
  readonly pauseMs: number
  /** Milliseconds. */
  readonly now: () => number
}

/**
 * One value from far away. Who asks while it is being loaded shares the load; a failure holds for the pause, so that
 * nobody can make us ask more often, whatever they send.
 */
export class Cached<T> {
  readonly #load: () => Promise<T>
  readonly #options: CacheOptions
  #value: T | undefined
  #failure: unknown
  #loadedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #pending: Promise<T> | undefined

  constructor(load: () => Promise<T>, options: CacheOptions) {
    this.#load = load
    this.#options = options
  }

  /** The value when there is a fresh one. */
  peek(): T | undefined {
    const { ttlMs, pauseMs } = this.#options
    return this.#since(this.#loadedAt) < Math.max(ttlMs, pauseMs) ? this.#value : undefined
  }

  /** A fresh value. */
  async get(): Promise<T> {
    const fresh = this.peek()
    if (fresh !== undefined) return fresh
    if (this.#pending === undefined && this.#isPausing()) throw this.#failure
    return this.#loadOnce()
  }

  /** A value newer than the one that was found wanting, if the pause is over; else the one that there is. */
  async renew(): Promise<T> {
    return this.#pending === undefined && this.#isPausing() ? this.get() : this.#loadOnce()
  }

  #loadOnce(): Promise<T> {
    this.#pending ??= this.#start().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #start(): Promise<T> {
    try {
      const value = await this.#load()
      this.#value = value
      this.#loadedAt = this.#options.now()
      return value
    } catch (error) {
      this.#failure = error
      throw error
    } finally {
      this.#triedAt = this.#options.now()
    }
  }

  #isPausing(): boolean {
    return this.#since(this.#triedAt) < this.#options.pauseMs
  }

  #since(time: number): number {
    return this.#options.now() - time
  }
}
