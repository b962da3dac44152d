import { AppError } from '../errors.ts'
import type { Database } from './db.ts'
import { migrations } from './migrations/index.ts'

const HISTORY = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)`

/** Brings the database to the newest schema in one transaction; refuses one that a newer program has written. */
export async function migrate(database: Database, now: string): Promise<void> {
  await database.write(async (tx) => {
    await tx.run(HISTORY)
    const row = await tx.find<{ version: number | null }>('SELECT MAX(version) AS version FROM schema_migrations')
    const current = row?.version ?? 0
    const newest = migrations.length
    if (current > newest) {
      throw new AppError(
        'unavailable',
        `the database has schema version ${current}, this program knows ${newest}: start a newer wirety-mcp`,
      )
    }
    for (const [index, migration] of migrations.entries()) {
      const version = index + 1
      if (version <= current) continue
      for (const statement of migration.statements) await tx.run(statement)
      await tx.run('INSERT INTO schema_migrations VALUES (?, ?, ?)', version, migration.name, now)
    }
  })
}
