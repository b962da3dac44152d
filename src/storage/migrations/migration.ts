/** One step of the schema: portable SQL statements, run in order. Appended, never edited. */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}
