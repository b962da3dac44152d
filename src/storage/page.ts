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

/** A SELECT in parts; `order` is what to sort by, each `column` or `column DESC`, the last one unique. */
export interface PagedQuery {
  readonly columns: string
  readonly from: string
  readonly where: string
  readonly params: readonly SqlValue[]
  readonly order: readonly string[]
  /** Number of rows, where it is known without counting. */
  readonly total?: number | undefined
}

/**
 * Runs `query` for one page and counts all its rows, unless their number is known. A page of the second half is read from the end, so that the last
 * page costs what the first one does.
 */
export async function selectPage<Row>(tx: Db, query: PagedQuery, request: PageRequest): Promise<Page<Row>> {
  const { columns, from, where, params, order } = query
  const total = query.total ?? (await count(tx, query))
  const offset = (request.page - 1) * request.page_size
  if (offset >= total) return { data: [], total, ...request }
  const rest = Math.min(request.page_size, total - offset)
  const isNearEnd = offset > total / 2
  const by = (isNearEnd ? order.map(reversed) : order).join(', ')
  const sql = `SELECT ${columns} FROM ${from} WHERE ${where} ORDER BY ${by} LIMIT ? OFFSET ?`
  const rows = await tx.all<Row>(sql, ...params, rest, isNearEnd ? total - offset - rest : offset)
  return { data: isNearEnd ? rows.reverse() : rows, total, ...request }
}

async function count(tx: Db, { from, where, params }: PagedQuery): Promise<number> {
  const counted = await tx.find<{ n: number }>(`SELECT COUNT(*) AS n FROM ${from} WHERE ${where}`, ...params)
  return counted?.n ?? 0
}

function reversed(column: string): string {
  return column.endsWith(' DESC') ? column.slice(0, -' DESC'.length) : `${column} DESC`
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
