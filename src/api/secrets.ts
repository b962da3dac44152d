import { z } from 'zod'
import { fieldOf, unwrap } from './lenient.ts'

/** How a field marked in its schema is kept from those who must not see it; undefined for an ordinary field. */
export function secrecyOf(schema: z.ZodType): true | 'wireguard' | undefined {
  const mark = schema.meta()?.secret
  if (mark === true || mark === 'wireguard') return mark
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? secrecyOf(schema.unwrap() as z.ZodType) // zod types the inner schema as its core type
    : undefined
}

/** What of `value` its `schema` names and does not mark as secret, at any depth; undefined when that is nothing. */
export function withoutSecrets(schema: z.ZodType, value: unknown): unknown {
  if (secrecyOf(schema) !== undefined) return undefined
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => withoutSecrets(inner.element as z.ZodType, item)) // as above
  }
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null) return value
  const shown = Object.entries(value).flatMap(([key, item]) => {
    const field = fieldOf(inner, key)
    const kept = field && withoutSecrets(field, item)
    return kept === undefined ? [] : [[key, kept] as const]
  })
  return Object.fromEntries(shown)
}
