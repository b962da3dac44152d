import type { Db, SqlValue } from './db.ts'

/** One page of a longer list. Pages count from 1. */
export interface Page<T> {
  readonly data: T[]
  readonly total: number
  readonly page: number
  readonly page_size: number
}

/** Which page is wanted, already within bounds. */
export interface PageRequest {
  readonly page: number
  readonly page_size: number
}

/** A SELECT in parts; `order` ends in a unique column. */
export interface PagedQuery {
  readonly columns: string
  readonly from: string
  readonly where: string
  readonly params: readonly SqlValue[]
  readonly order: string
}

/** Runs `query` for one page and counts all its rows. */
export async function selectPage<Row>(tx: Db, query: PagedQuery, request: PageRequest): Promise<Page<Row>> {
  const { columns, from, where, params, order } = query
  const counted = await tx.find<{ n: number }>(`SELECT COUNT(*) AS n FROM ${from} WHERE ${where}`, ...params)
  const total = counted?.n ?? 0
  const offset = (request.page - 1) * request.page_size
  if (offset >= total) return { data: [], total, ...request }
  const sql = `SELECT ${columns} FROM ${from} WHERE ${where} ORDER BY ${order} LIMIT ? OFFSET ?`
  return { data: await tx.all<Row>(sql, ...params, request.page_size, offset), total, ...request }
}

/** A condition that holds where one of `columns` contains `filter`, without regard to ASCII case. */
export function contains(columns: readonly string[], filter: string): { where: string; params: string[] } {
  const pattern = `%${filter.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
  const parts = columns.map((column) => `LOWER(${column}) LIKE ? ESCAPE '\\'`)
  return { where: `(${parts.join(' OR ')})`, params: columns.map(() => pattern) }
}

/** Place holders for a list of values, padded to a power of two so that few different statements have to be prepared. */
export function inList(values: readonly string[]): { marks: string; params: string[] } {
  const size = 2 ** Math.ceil(Math.log2(values.length))
  const params = Array.from({ length: size }, (_, index) => values[Math.min(index, values.length - 1)] ?? '')
  return { marks: params.map(() => '?').join(', '), params }
}
