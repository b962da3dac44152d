import type { TestApp } from '../harness.ts'

/** A row of the audit log as REST shows it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into rows of every shape
export type Row = Record<string, any>

/** The newest rows, and how many there are. */
export async function trail(app: TestApp, query = ''): Promise<{ total: number; rows: Row[] }> {
  const { status, body } = await app.as(app.adminToken).get(`/audit?page_size=100&${query}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return { total: body.total, rows: body.data }
}

/** Every row as it lies in the database, as one text. */
export async function rawRows(app: TestApp): Promise<string> {
  const rows = await app.app.env.database.read((tx) => tx.all('SELECT * FROM audit_log ORDER BY id'))
  return JSON.stringify(rows)
}
