import { z } from 'zod'

/** JSON Schema 2020-12 as plain data. */
export type JsonSchema = Record<string, unknown>

/** Marks of our own that mean nothing to a client. */
const OWN_MARKS = ['ref', 'refBy', 'secret', 'openapi']
/** Nouns whose objects may be given by name. */
const NAMED = ['network', 'peer', 'group', 'policy', 'route', 'user']

/** What a tool accepts, as small as it can be said: lengths and patterns are told by the refusal of whoever breaks them. */
export function inputSchemaOf(schema: z.ZodType): JsonSchema {
  return convert(schema, (jsonSchema) => {
    if (NAMED.includes(String(jsonSchema.ref)) && jsonSchema.description !== undefined) {
      jsonSchema.description = `${jsonSchema.description}, id or name`
    }
    if (jsonSchema.format !== undefined) delete jsonSchema.pattern
    for (const bound of ['minLength', 'maxLength', 'maxItems', 'propertyNames']) delete jsonSchema[bound]
  })
}

/** What a tool answers: names and types. What is always there and how text is written, a reader sees. */
export function outputSchemaOf(schema: z.ZodType): JsonSchema {
  return convert(schema, (jsonSchema) => {
    for (const detail of ['required', 'format', 'pattern', 'propertyNames', 'description']) delete jsonSchema[detail]
    if (isListOfText(jsonSchema)) delete jsonSchema.items
  })
}

function convert(schema: z.ZodType, simplify: (jsonSchema: JsonSchema) => void): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      simplify(jsonSchema)
      for (const mark of OWN_MARKS) delete jsonSchema[mark]
      if (jsonSchema.enum !== undefined) delete jsonSchema.type
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
  return rest
}

function isListOfText(jsonSchema: JsonSchema): boolean {
  return JSON.stringify(jsonSchema.items) === '{"type":"string"}'
}
