import { z } from 'zod'

/** JSON Schema 2020-12 as plain data. */
export type JsonSchema = Record<string, unknown>

/** Marks of our own that mean nothing to a client. */
const OWN_MARKS = ['ref', 'secret']

/** What `schema` accepts, as small as it can be said: no `$schema`, no default bounds, no patterns that a format names. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      for (const mark of OWN_MARKS) delete jsonSchema[mark]
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern
    },
  })
  return rest
}
