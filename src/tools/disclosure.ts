import { z } from 'zod'
import { secrecyOf } from '../api/secrets.ts'
import { hideKeys } from '../core/wireguard.ts'

/**
 * `schema` as an assistant may know it: secret fields are gone, keys in configuration text are hidden. Parsing an
 * operation's output with it is what keeps secrets out of every tool result; as an input it offers no secret field.
 */
export function disclosed(schema: z.ZodType): z.ZodType {
  if (secrecyOf(schema) === 'wireguard') return z.string().transform(hideKeys)
  if (schema instanceof z.ZodObject) return disclosedObject(schema)
  if (schema instanceof z.ZodArray) return z.array(disclosed(schema.element as z.ZodType)) // zod types inner schemas as core types
  return schema
}

/** An object schema without its secret fields, as strict or lenient as before. */
export function disclosedObject(schema: z.ZodObject): z.ZodObject {
  const shown = Object.entries(schema.shape).flatMap(([key, field]) => {
    const type = field as z.ZodType // as above
    return secrecyOf(type) === true ? [] : [[key, disclosed(type)] as const]
  })
  const isStrict = schema.def.catchall instanceof z.ZodNever
  return (isStrict ? z.strictObject : z.object)(Object.fromEntries(shown))
}
