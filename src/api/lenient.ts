import { z } from 'zod'

/** The schema inside optional, nullable and default wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return unwrap(schema.unwrap() as z.ZodType) // zod types the inner schema as its core type
  }
  return schema
}

/** The field called `key` of an object schema. */
export function fieldOf(schema: z.ZodObject, key: string): z.ZodType | undefined {
  return Object.hasOwn(schema.shape, key) ? (schema.shape[key] as z.ZodType) : undefined // as above
}

/** `value` without what `schema` does not name and without null for what may be left out: REST clients send both. */
export function dropUnknown(schema: z.ZodType, value: unknown): unknown {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => dropUnknown(inner.element as z.ZodType, item)) // as above
  }
  if (!(inner instanceof z.ZodObject) || !isRecord(value)) return value
  const kept = Object.entries(value).flatMap(([key, item]) => {
    const field = fieldOf(inner, key)
    if (field === undefined || (item === null && isLeftOut(field))) return []
    return [[key, dropUnknown(field, item)] as const]
  })
  return Object.fromEntries(kept)
}

/** Query-string values turned into the numbers and booleans that `schema` asks for; text that is none stays text. */
export function readText(schema: z.ZodObject, query: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([key, value]) => {
      const field = fieldOf(schema, key)
      return field === undefined || value === '' ? [] : [[key, readScalar(unwrap(field), value)] as const]
    }),
  )
}

/** A number or boolean that arrived as text, where `schema` asks for one; anything else as it is. */
export function readScalar(schema: z.ZodType, value: unknown): unknown {
  if (typeof value !== 'string') return value
  const text = value.trim()
  if (schema instanceof z.ZodNumber && /^-?\d{1,16}(\.\d+)?$/.test(text)) return Number(text)
  if (schema instanceof z.ZodBoolean && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return value
}

/** Whether null can only mean that the field was not given: some clients write it for what they leave out. */
export function isLeftOut(field: z.ZodType): boolean {
  return field instanceof z.ZodOptional && !field.isNullable()
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
