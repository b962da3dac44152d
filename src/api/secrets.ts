import { z } from 'zod'

/** How a field marked in its schema is kept from those who must not see it; undefined for an ordinary field. */
export function secrecyOf(schema: z.ZodType): true | 'wireguard' | undefined {
  const mark = schema.meta()?.secret
  if (mark === true || mark === 'wireguard') return mark
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? secrecyOf(schema.unwrap() as z.ZodType) // zod types the inner schema as its core type
    : undefined
}

/** The fields of `input` that `schema` names and does not mark as secret. */
export function withoutSecrets(schema: z.ZodObject, input: Record<string, unknown>): Record<string, unknown> {
  const shown = Object.entries(input).filter(([key]) => {
    const field = schema.shape[key]
    return field !== undefined && secrecyOf(field as z.ZodType) === undefined // as above
  })
  return Object.fromEntries(shown)
}
