import { type Stats, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { AppError } from '../errors.ts'

/**
 * Proves that `connection` could write to the file that it opened, which was `opened` then: reads a row and takes the
 * write lock without waiting for it. Throws `unavailable`.
 */
export function proveWritable(connection: DatabaseSync, path: string, opened: Stats | undefined): void {
  const now = statSync(path, { throwIfNoEntry: false })
  if (now?.ino !== opened?.ino || now?.dev !== opened?.dev) {
    throw new AppError('unavailable', 'the database file is gone or was replaced: restart the server')
  }
  const waiting = connection.prepare('PRAGMA busy_timeout').get()?.timeout
  connection.exec('PRAGMA busy_timeout = 0')
  try {
    connection.exec('BEGIN IMMEDIATE')
    connection.prepare('SELECT MAX(version) FROM schema_migrations').get()
  } catch (cause) {
    throw new AppError('unavailable', 'the database is locked or cannot be read', { cause })
  } finally {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    connection.exec(`PRAGMA busy_timeout = ${Number(waiting)}`)
  }
}
