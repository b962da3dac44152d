import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../errors.ts'
import { inspectSqlite } from './db.ts'
import { migrations } from './migrations/index.ts'
import { opensWith, type Vault } from './vault.ts'

/**
 * Writes the state of the database at `source` into the empty file `target`, while a server may be using it: one read
 * transaction, which writers do not wait for. Source: SQLite, "VACUUM INTO".
 */
export function copyDatabase(source: string, target: string): void {
  const connection = openExisting(source)
  try {
    connection.exec('PRAGMA busy_timeout = 5000')
    connection.prepare('VACUUM INTO ?').run(target)
  } finally {
    connection.close()
  }
}

function openExisting(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true })
  } catch (cause) {
    throw new AppError('not_found', `cannot open the database ${path} (setting DATABASE_URL)`, { cause })
  }
}

/** Proves that the file at `path`, known as `name`, is a whole database of ours which `vault` opens; answers its schema version. */
export async function examine(path: string, name: string, vault: Vault): Promise<number> {
  try {
    using db = inspectSqlite(path)
    const health = await db.find<{ integrity_check: string }>('PRAGMA integrity_check(1)')
    if (health?.integrity_check !== 'ok') throw damaged(name)
    const version = (await db.find<{ v: number | null }>('SELECT MAX(version) AS v FROM schema_migrations'))?.v ?? 0
    if (version > migrations.length) {
      throw new AppError(
        'invalid',
        `${name} has schema version ${version}, this program knows ${migrations.length}: use a newer wirety-mcp`,
      )
    }
    if (!(await opensWith(db, vault)))
      throw new AppError('invalid', `the key does not fit ${name}: bring the one it had`)
    return version
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    if (codeOf(cause) === CORRUPT) throw damaged(name, cause)
    throw new AppError('invalid', `${name} is not a database of wirety-mcp`, { cause })
  }
}

const BUSY = 5
const CORRUPT = 11

/**
 * Holds the database at `path` until disposed, so that it can be replaced; throws `conflict` while anybody has it open.
 * @NOTE Every connection to a database in WAL mode holds a lock as long as it is open, therefore leaving that mode
 * needs the file for oneself. A file that is no database has nobody who could use it.
 */
export function seizeDatabase(path: string): Disposable {
  const connection = new DatabaseSync(path)
  try {
    connection.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (cause) {
    if (codeOf(cause) === BUSY) {
      connection.close()
      throw new AppError('conflict', `a server is using ${path}: stop it first`, { cause })
    }
  }
  return { [Symbol.dispose]: () => connection.close() }
}

function damaged(name: string, cause?: unknown): AppError {
  return new AppError('invalid', `${name} is damaged: take another backup`, { cause })
}

/** SQLite's primary result code. */
function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}
