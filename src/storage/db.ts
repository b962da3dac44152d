import { statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import type { AuditEntry } from './audit.ts'
import { proveWritable } from './readiness.ts'
import { Turn } from './turn.ts'

/** A value that a query takes or gives: text, integer or null. Booleans are 0 and 1, lists are JSON text. */
export type SqlValue = string | number | null

/** Runs queries, inside a transaction or a consistent read. SQL is portable, parameters are `?`. */
export interface Db {
  /** The first row, or undefined. */
  find<Row>(sql: string, ...params: SqlValue[]): Promise<Row | undefined>
  all<Row>(sql: string, ...params: SqlValue[]): Promise<Row[]>
  /** Number of rows changed. */
  run(sql: string, ...params: SqlValue[]): Promise<number>
  /** Tells the outside after the commit; nothing is told when there is none. */
  announce(notice: Notice): void
}

/** What the outside is told of a committed transaction. */
export interface Notice {
  readonly audit: AuditEntry
}

/** Who watches a database at work. */
export interface DatabaseObserver {
  /** Called once for each notice of a transaction after its commit; must not throw. */
  committed?(notice: Notice): void
  /** A piece of work has waited this long for its turn. */
  waited?(seconds: number): void
  /** A statement is about to run. */
  ran?(): void
}

/** A database: hands out reads and transactions, one at a time. */
export interface Database extends AsyncDisposable {
  /** Runs `work` while nothing is being written. Long work names its `lane`, the principal it is done for. */
  read<T>(work: (tx: Db) => Promise<T>, lane?: string): Promise<T>
  /** Runs `work` in one transaction: a durable commit when it returns, nothing when it throws. */
  write<T>(work: (tx: Db) => Promise<T>, lane?: string): Promise<T>
  /** Proves that the file is there and could be written now; throws `unavailable`. */
  check(): Promise<void>
}

/** The last one leaves waiting for another process to us: the driver would block everybody while it waits. */
const PRAGMAS = [
  'PRAGMA busy_timeout = 5000',
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = FULL',
  'PRAGMA foreign_keys = ON',
  'PRAGMA busy_timeout = 0',
]

/**
 * Opens or creates the SQLite file at `path`. One connection serves everybody in turn: the driver is synchronous,
 * so a second one would only add locks. An acknowledged write survives a power cut (WAL, synchronous FULL).
 */
export function openSqlite(path: string, observer: DatabaseObserver = {}): Database {
  const connection = new DatabaseSync(path)
  for (const pragma of PRAGMAS) connection.exec(pragma)
  const opened = statSync(path, { throwIfNoEntry: false })
  const db = new SqliteDb(connection, observer)
  const turn = new Turn()
  const inTurn = <T>(work: () => Promise<T>, lane: string | undefined) => {
    const asked = performance.now()
    return turn.take(() => {
      observer.waited?.((performance.now() - asked) / 1000)
      return work()
    }, lane)
  }
  return {
    read: (work, lane) => inTurn(() => work(db).catch((error) => Promise.reject(translate(error))), lane),
    write: (work, lane) => inTurn(() => db.announcing(() => inTransaction(connection, () => work(db))), lane),
    check: () => turn.take(async () => proveWritable(connection, path, opened)),
    async [Symbol.asyncDispose]() {
      await turn.take(async () => connection.close())
    },
  }
}

/** Opens the file at `path` to look at it: creates and changes nothing. */
export function inspectSqlite(path: string): Db & Disposable {
  const connection = new DatabaseSync(path, { readOnly: true })
  return Object.assign(new SqliteDb(connection, {}), { [Symbol.dispose]: () => connection.close() })
}

class SqliteDb implements Db {
  readonly #connection: DatabaseSync
  /** Preparing costs more than running, so each SQL text is prepared once. */
  readonly #statements = new Map<string, StatementSync>()
  readonly #observer: DatabaseObserver
  #notices: Notice[] = []

  constructor(connection: DatabaseSync, observer: DatabaseObserver) {
    this.#connection = connection
    this.#observer = observer
  }

  announce(notice: Notice): void {
    this.#notices.push(notice)
  }

  /** Runs one transaction and passes on what it announced, once it is committed. */
  async announcing<T>(transaction: () => Promise<T>): Promise<T> {
    this.#notices = []
    const result = await transaction()
    for (const notice of this.#notices) this.#observer.committed?.(notice)
    return result
  }

  async find<Row>(sql: string, ...params: SqlValue[]): Promise<Row | undefined> {
    // The row's shape is what the query's author says it is: SQL has no types to check it against.
    return this.#prepare(sql).get(...(params as SQLInputValue[])) as Row | undefined
  }

  async all<Row>(sql: string, ...params: SqlValue[]): Promise<Row[]> {
    return this.#prepare(sql).all(...(params as SQLInputValue[])) as Row[] // as above
  }

  async run(sql: string, ...params: SqlValue[]): Promise<number> {
    return Number(this.#prepare(sql).run(...(params as SQLInputValue[])).changes)
  }

  #prepare(sql: string): StatementSync {
    this.#observer.ran?.()
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

async function inTransaction<T>(connection: DatabaseSync, work: () => Promise<T>): Promise<T> {
  await begin(connection)
  try {
    const result = await work()
    connection.exec('COMMIT')
    return result
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw translate(error)
  }
}

const LOCK_PATIENCE_MS = 5_000
const LOCK_RETRY_MS = 20

/** Begins a write, waiting without blocking while another process writes. */
async function begin(connection: DatabaseSync): Promise<void> {
  for (const start = performance.now(); ; await setTimeout(LOCK_RETRY_MS)) {
    try {
      return connection.exec('BEGIN IMMEDIATE')
    } catch (error) {
      if (primaryCode(error) !== BUSY || performance.now() - start > LOCK_PATIENCE_MS) throw translate(error)
    }
  }
}

const UNIQUE_VIOLATIONS = new Set([1555, 2067]) // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE
const BUSY = 5
/** What is wrong with the database itself, by primary result code. Source: sqlite.org/rescode.html. */
const STORAGE_PROBLEMS: Record<number, string> = {
  [BUSY]: 'the database is in use by another process; try again',
  8: 'the database cannot be written: it is read-only',
  10: 'the database cannot be read or written: the disk fails',
  13: 'the database cannot be written: the disk is full',
  14: 'the database cannot be opened',
}

/** Turns what a caller can act on into an AppError. */
function translate(error: unknown): unknown {
  const code = errorCode(error)
  if (code === undefined) return error
  if (UNIQUE_VIOLATIONS.has(code)) return new AppError('conflict', 'that already exists', { cause: error })
  const problem = STORAGE_PROBLEMS[code & 0xff]
  return problem === undefined ? error : new AppError('unavailable', problem, { cause: error })
}

function errorCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

function primaryCode(error: unknown): number {
  return (errorCode(error) ?? 0) & 0xff
}
