import { setImmediate } from 'node:timers/promises'

/** After this long without a pause sockets and timers get their turn. */
const PAUSE_AFTER_MS = 10

type Job = () => Promise<void>

/**
 * Lets one piece of asynchronous work run at a time. Work without a lane is short and goes first; the lanes, one for
 * each principal, take turns, so that whoever asks for much waits for themselves and not the others for them. The driver never
 * waits for anything, so a long queue would run as one block: a pause now and then lets the rest of the process live.
 */
export class Turn {
  readonly #first: Job[] = []
  readonly #lanes = new Map<string, Job[]>()
  #isRunning = false
  #pausedAt = performance.now()

  take<T>(work: () => Promise<T>, lane?: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#queueOf(lane).push(() => work().then(resolve, reject))
    if (!this.#isRunning) void this.#run()
    return promise
  }

  #queueOf(lane: string | undefined): Job[] {
    if (lane === undefined) return this.#first
    const queue = this.#lanes.get(lane) ?? []
    this.#lanes.set(lane, queue)
    return queue
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let job = this.#next(); job; job = this.#next()) {
      await job()
      if (performance.now() - this.#pausedAt < PAUSE_AFTER_MS) continue
      await setImmediate()
      this.#pausedAt = performance.now()
    }
    this.#isRunning = false
  }

  #next(): Job | undefined {
    const short = this.#first.shift()
    if (short) return short
    for (const [lane, queue] of this.#lanes) {
      const job = queue.shift()
      this.#lanes.delete(lane)
      if (queue.length > 0) this.#lanes.set(lane, queue) // behind the others
      if (job) return job
    }
    return undefined
  }
}
