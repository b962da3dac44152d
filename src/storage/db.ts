import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { AppError } from '../errors.ts'

/** A value that a query takes or gives: text, integer or null. Booleans are 0 and 1, lists are JSON text. */
export type SqlValue = string | number | null

/** Runs queries, inside a transaction or a consistent read. SQL is portable, parameters are `?`. */
export interface Db {
  /** The first row, or undefined. */
  find<Row>(sql: string, ...params: SqlValue[]): Promise<Row | undefined>
  all<Row>(sql: string, ...params: SqlValue[]): Promise<Row[]>
  /** Number of rows changed. */
  run(sql: string, ...params: SqlValue[]): Promise<number>
}

/** A database: hands out reads and transactions, one at a time. */
export interface Database extends AsyncDisposable {
  /** Runs `work` while nothing is being written. */
  read<T>(work: (tx: Db) => Promise<T>): Promise<T>
  /** Runs `work` in one transaction: a durable commit when it returns, nothing when it throws. */
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>
}

const DURABLE = [
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = FULL',
  'PRAGMA foreign_keys = ON',
  'PRAGMA busy_timeout = 5000',
]

/**
 * Opens or creates the SQLite file at `path`. One connection serves everybody in turn: the driver is synchronous,
 * so a second one would only add locks. An acknowledged write survives a power cut (WAL, synchronous FULL).
 */
export function openSqlite(path: string): Database {
  const connection = new DatabaseSync(path)
  for (const pragma of DURABLE) connection.exec(pragma)
  const db = new SqliteDb(connection)
  const turn = new Turn()
  return {
    read: (work) => turn.take(() => work(db)),
    write: (work) => turn.take(() => inTransaction(connection, () => work(db))),
    async [Symbol.asyncDispose]() {
      await turn.take(async () => connection.close())
    },
  }
}

class SqliteDb implements Db {
  readonly #connection: DatabaseSync
  /** Preparing costs more than running, so each SQL text is prepared once. */
  readonly #statements = new Map<string, StatementSync>()

  constructor(connection: DatabaseSync) {
    this.#connection = connection
  }

  async find<Row>(sql: string, ...params: SqlValue[]): Promise<Row | undefined> {
    // The row's shape is what the query's author says it is: SQL has no types to check it against.
    return this.#prepare(sql).get(...(params as SQLInputValue[])) as Row | undefined
  }

  async all<Row>(sql: string, ...params: SqlValue[]): Promise<Row[]> {
    return this.#prepare(sql).all(...(params as SQLInputValue[])) as Row[] // as above
  }

  async run(sql: string, ...params: SqlValue[]): Promise<number> {
    try {
      return Number(this.#prepare(sql).run(...(params as SQLInputValue[])).changes)
    } catch (error) {
      throw translate(error)
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Lets one piece of asynchronous work run at a time, in order of arrival. */
class Turn {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => undefined)
    return mine
  }
}

async function inTransaction<T>(connection: DatabaseSync, work: () => Promise<T>): Promise<T> {
  try {
    connection.exec('BEGIN IMMEDIATE')
  } catch (error) {
    throw translate(error)
  }
  try {
    const result = await work()
    connection.exec('COMMIT')
    return result
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

const UNIQUE_VIOLATIONS = new Set([1555, 2067]) // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE
const BUSY = 5

/** Turns what a caller can act on into an AppError. */
function translate(error: unknown): unknown {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  if (typeof code !== 'number') return error
  if (UNIQUE_VIOLATIONS.has(code)) return new AppError('conflict', 'that already exists', { cause: error })
  if ((code & 0xff) === BUSY) {
    return new AppError('unavailable', 'the database is in use by another process; try again', { cause: error })
  }
  return error
}
