import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto'
import { v7 } from 'uuid'

/** An X25519 key pair as WireGuard writes it: 32 bytes each, base64. Source: RFC 7748, wg(8). */
export interface KeyPair {
  readonly privateKey: string
  readonly publicKey: string
}

/** All randomness of the product, handed to whoever needs it. */
export interface Random {
  /** UUID version 7 (RFC 9562): later ids sort after earlier ones, also within a millisecond. */
  newId(): string
  newKeyPair(): KeyPair
  /** `bytes` random bytes. */
  newBytes(bytes: number): Buffer
}

const RAW_KEY_BYTES = 32

/** The operating system's randomness. */
export const systemRandom: Random = {
  newId: () => v7(),
  newKeyPair,
  newBytes: (bytes) => randomBytes(bytes),
}

/** 24 characters of easily read letters and digits: about 120 bits. */
export function newPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  return Array.from({ length: 24 }, () => letters[randomInt(letters.length)]).join('')
}

function newKeyPair(): KeyPair {
  // Both DER encodings end in the raw key (RFC 8410).
  const pair = generateKeyPairSync('x25519', {
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  })
  const raw = (der: Buffer) => der.subarray(-RAW_KEY_BYTES)
  return {
    privateKey: clamp(raw(pair.privateKey)).toString('base64'),
    publicKey: raw(pair.publicKey).toString('base64'),
  }
}

/** Sets the fixed bits of an X25519 scalar, as `wg genkey` does; the public key stays the same (RFC 7748, section 5). */
function clamp(scalar: Buffer): Buffer {
  const key = Buffer.from(scalar)
  key[0] = (key[0] ?? 0) & 248
  key[31] = ((key[31] ?? 0) & 127) | 64
  return key
}
