import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../errors.ts'
import type { Random } from '../random.ts'

const KEY_BYTES = 32
const OWNER_ONLY = 0o600

/** Makes the folder of the database, and the file readable by its owner only. */
export async function prepareDatabaseFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a', OWNER_ONLY)
  await file.close()
}

/**
 * The key that seals the database at `path`: kept in `<path>.key`, made at the first start. A database that was sealed
 * before (`isSealed`) is never given another key.
 */
export async function readSecretKey(
  path: string,
  isSealed: boolean,
  random: Pick<Random, 'newBytes'>,
): Promise<string> {
  const keyPath = `${path}.key`
  const kept = await readIfThere(keyPath)
  if (kept !== undefined && kept.length >= KEY_BYTES) return kept
  if (kept !== undefined || isSealed) {
    const problem = kept === undefined ? 'is missing' : 'holds no key'
    throw new AppError(
      'unavailable',
      `${keyPath} ${problem}: bring it back from a backup, or set SECRET_KEY to what it held`,
    )
  }
  const key = random.newBytes(KEY_BYTES).toString('hex')
  const file = await open(keyPath, 'wx', OWNER_ONLY)
  try {
    await file.writeFile(`${key}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return key
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
