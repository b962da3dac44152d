import { foundation } from './0001-foundation.ts'
import type { Migration } from './migration.ts'

/** All steps; the position (from 1) is the schema version. */
export const migrations: readonly Migration[] = [foundation]
