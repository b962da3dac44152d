import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Database, Db } from './db.ts'
import * as settings from './settings.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Seals what must not lie in the database in clear: keys and enrolment tokens. AES-256-GCM (NIST SP 800-38D). */
export interface Vault {
  /** `place` names where the value lies; it opens only there. */
  seal(plain: string, place: string): string
  open(sealed: string, place: string): string
}

/** A vault whose key derives from `secret` (HKDF-SHA-256, RFC 5869). */
export function createVault(secret: string, random: Pick<Random, 'newBytes'>): Vault {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'wirety-mcp vault', 32))
  return {
    seal(plain, place) {
      const nonce = random.newBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64')
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
        'utf8',
      )
    },
  }
}

const PROOF = 'vault_proof'

/** Whether the database holds anything sealed. */
export async function isSealed(database: Database): Promise<boolean> {
  return database.read(async (tx) => (await settings.find(tx, PROOF)) !== undefined)
}

/** Whether `vault` has the secret that the database was sealed with. */
export async function opensWith(tx: Db, vault: Vault): Promise<boolean> {
  const proof = await settings.find(tx, PROOF)
  try {
    return proof !== undefined && vault.open(proof, PROOF) === PROOF
  } catch {
    return false
  }
}

/** Refuses a secret that is not the one this database was sealed with; remembers the first one. */
export async function proveVault(database: Database, vault: Vault): Promise<void> {
  await database.write(async (tx) => {
    const proof = await settings.find(tx, PROOF)
    if (proof === undefined) return settings.put(tx, PROOF, vault.seal(PROOF, PROOF))
    try {
      vault.open(proof, PROOF)
    } catch (cause) {
      throw new AppError('unavailable', 'SECRET_KEY (or the .key file) is not the one this database was created with', {
        cause,
      })
    }
  })
}
