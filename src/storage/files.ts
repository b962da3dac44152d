import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '../random.ts'

const KEY_BYTES = 32
const OWNER_ONLY = 0o600

/** Makes the folder of the database, and the file readable by its owner only. */
export async function prepareDatabaseFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a', OWNER_ONLY)
  await file.close()
}

/** The key that seals the database at `path`: kept in `<path>.key`, made at the first start. */
export async function readSecretKey(path: string, random: Pick<Random, 'newBytes'>): Promise<string> {
  const keyPath = `${path}.key`
  try {
    return (await readFile(keyPath, 'utf8')).trim()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
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
