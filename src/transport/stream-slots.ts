import { AppError } from '../errors.ts'

/** Counts the long-lived event streams of each principal, so that one of them cannot use up the server's sockets. */
export class StreamSlots {
  readonly #open = new Map<string, number>()
  readonly #max: number

  constructor(maxPerPrincipal: number) {
    this.#max = maxPerPrincipal
  }

  /** Takes a slot and returns what gives it back; throws `too_many`. */
  take(principalId: string): () => void {
    const open = this.#open.get(principalId) ?? 0
    if (open >= this.#max) {
      throw new AppError('too_many', `${open} event streams are open for this account: close one, or retry later`)
    }
    this.#open.set(principalId, open + 1)
    let isHeld = true
    return () => {
      if (isHeld) this.#giveBack(principalId)
      isHeld = false
    }
  }

  #giveBack(principalId: string): void {
    const open = (this.#open.get(principalId) ?? 1) - 1
    if (open === 0) this.#open.delete(principalId)
    else this.#open.set(principalId, open)
  }
}
