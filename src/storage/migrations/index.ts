import { foundation } from './0001-foundation.ts'

/** One step of the schema: portable SQL statements, run in order. Appended, never edited. */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

/** All steps; the position (from 1) is the schema version. */
export const migrations: readonly Migration[] = [foundation]
