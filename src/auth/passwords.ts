import { hash, verify } from '@node-rs/argon2'

/** Argon2id, 19 MiB, two passes (OWASP password storage, the library's algorithm default). */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Same cost as a real check, so that an unknown user cannot be told from a wrong password by time. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$3Jp8GhJbO4pEfjtxVJ5cPVcyZmrSGAH1YSdQjGjHpXQ'

/** The text to keep in place of `password`; computed off the main thread. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, OPTIONS)
}

/** Whether `password` is the one that was hashed. Takes equally long when there is nothing to compare with. */
export async function verifyPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  const matches = await verify(stored ?? NOBODY, password)
  return matches && Boolean(stored)
}
