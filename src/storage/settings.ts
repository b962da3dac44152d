import type { Db } from './db.ts'

/** The value kept under `key`. */
export async function find(tx: Db, key: string): Promise<string | undefined> {
  return (await tx.find<{ value: string }>('SELECT value FROM settings WHERE key = ?', key))?.value
}

/** Keeps `value` under `key`, in place of what was there. */
export async function put(tx: Db, key: string, value: string): Promise<void> {
  await tx.run(
    'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    key,
    value,
  )
}
