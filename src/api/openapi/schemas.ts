import { z } from 'zod'
import { unwrap } from '../lenient.ts'
import type { Operation } from '../operation.ts'

/** JSON Schema 2020-12 as plain data. */
export type JsonSchema = Record<string, unknown>

/** Object schemas that several answers share, with the name each has among the document's components. */
export type Components = ReadonlyMap<z.core.$ZodType, string>

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>

/**
 * What a request may carry. Objects stay open: the REST API ignores what it does not know. With `nullsAreLeftOut`, null
 * may stand for every field that may be left out.
 */
export function requestSchema(schema: z.ZodObject, { nullsAreLeftOut }: { nullsAreLeftOut: boolean }): JsonSchema {
  return convert(schema, 'input', ({ jsonSchema }) => {
    if (jsonSchema['x-secret']) jsonSchema.format = 'password'
    if (nullsAreLeftOut) admitNulls(jsonSchema)
  })
}

/** Keywords other than type, enum and a choice of types let null pass. */
function admitNulls(jsonSchema: JsonSchema): void {
  const { properties = {}, required = [] } = jsonSchema as Fields // of what is no object nothing is wanted
  for (const [key, field] of Object.entries(properties)) {
    if (required.includes(key)) continue
    if (typeof field.type === 'string') field.type = [field.type, 'null']
    if (Array.isArray(field.enum)) field.enum = [...field.enum, null]
  }
}

/** What an object schema says of its fields. */
export interface Fields {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

/** What an answer carries, with references to `components` at every depth. */
export function answerSchema(schema: z.ZodType, components: Components): JsonSchema {
  const name = components.get(schema)
  return name === undefined ? convertAnswer(schema, components) : refTo(name)
}

/** The shared schemas by name, in alphabetical order. */
export function componentSchemas(components: Components): Record<string, JsonSchema> {
  const named = [...components].map(([schema, name]) => [name, convertAnswer(schema, components)] as const)
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * The object schemas that stand in the answers of several operations. Each takes the shortest name that an operation
 * which answers it, or a list of it, suggests: `get_user` and `get_current_user` give `User`.
 */
export function sharedSchemas(operations: readonly Operation[]): Components {
  const uses = new Map<z.ZodType, number>()
  for (const { output } of operations) countObjects(output, uses)
  const shared = new Map<z.ZodType, string>()
  for (const { name, output } of operations) {
    const row = rowOf(output)
    if (!(row instanceof z.ZodObject) || (uses.get(row) ?? 0) < 2) continue
    const [best, candidate] = [shared.get(row), componentName(name, row !== output)]
    if (best === undefined || candidate.length < best.length) shared.set(row, candidate)
  }
  return unambiguous(shared)
}

/** Two schemas of one name would overwrite each other. */
function unambiguous(components: Components): Components {
  if (new Set(components.values()).size === components.size) return components
  throw new Error(`two schemas share a name: ${[...components.values()].sort().join(', ')}`)
}

function convertAnswer(schema: z.core.$ZodType, components: Components): JsonSchema {
  return convert(schema, 'output', ({ zodSchema, jsonSchema, path }) => {
    const name = path.length > 0 ? components.get(zodSchema) : undefined
    if (name === undefined) return
    for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
    Object.assign(jsonSchema, refTo(name))
  })
}

function convert(schema: z.core.$ZodType, io: 'input' | 'output', override: Override): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override(context) {
      tidy(context.jsonSchema, io)
      override(context)
    },
  })
  return rest
}

/** Our own marks as JSON Schema knows them, and nothing of what only repeats a type's own bounds. */
function tidy(jsonSchema: JsonSchema, io: 'input' | 'output'): void {
  const { openapi, secret } = jsonSchema
  for (const mark of ['openapi', 'secret', 'ref']) delete jsonSchema[mark]
  if (typeof openapi === 'object') Object.assign(jsonSchema, openapi)
  if (secret !== undefined) jsonSchema['x-secret'] = true
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  if (JSON.stringify(jsonSchema.propertyNames) === '{"type":"string"}') delete jsonSchema.propertyNames
  if (io === 'input') return
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}

function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** What a list or a page is a list of; anything else itself. */
function rowOf(output: z.ZodType): z.ZodType {
  if (output instanceof z.ZodArray) return output.element as z.ZodType // zod types inner schemas as core types
  const rows = output instanceof z.ZodObject ? output.shape.data : undefined
  return rows instanceof z.ZodArray ? (rows.element as z.ZodType) : output // as above
}

function countObjects(schema: z.ZodType, uses: Map<z.ZodType, number>): void {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray) countObjects(inner.element as z.ZodType, uses) // as above
  if (!(inner instanceof z.ZodObject)) return
  uses.set(inner, (uses.get(inner) ?? 0) + 1)
  for (const field of Object.values(inner.shape)) countObjects(field as z.ZodType, uses) // as above
}

/** `list_api_tokens` answers rows called `ApiToken`. */
function componentName(operation: string, isRow: boolean): string {
  const [, ...noun] = operation.split('_')
  const words = noun.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return isRow ? singular(words.join('')) : words.join('')
}

function singular(plural: string): string {
  return plural.endsWith('ies') ? `${plural.slice(0, -3)}y` : plural.replace(/s$/, '')
}
