import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import type { Random } from '../src/random.ts'

/** A clock that stands still. */
export const fixedClock = () => new Date('2026-01-01T00:00:00.000Z')

/** Randomness that repeats: ids, bytes and keys are counted, each for itself, so that two servers give equal answers. */
export function countedRandom(): Random {
  const counts = { id: 0, bytes: 0, key: 0 }
  return {
    newId: () => `01900000-0000-7000-8000-${(++counts.id).toString(16).padStart(12, '0')}`,
    newBytes: (length) => digest(`bytes ${++counts.bytes}`, length),
    newKeyPair() {
      const raw = digest(`key ${++counts.key}`, 32)
      const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw])
      const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
      const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
      return { privateKey: raw.toString('base64'), publicKey: publicKey.toString('base64') }
    },
  }
}

function digest(text: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(text).digest()
}
