import fc from 'fast-check'
import type { Json } from './topologies.ts'

/** Values that a schema of the document admits, as far as its keywords go; `known` are ids of things that exist. */
export function admitted(schema: Json, known: readonly string[]): fc.Arbitrary<Json> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) {
    const { anyOf, ...rest } = schema
    return fc.oneof(...anyOf.map((option: Json) => admitted({ ...rest, ...option }, known)))
  }
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type: string) => admitted({ ...schema, type }, known)))
  }
  switch (schema.type) {
    case 'integer':
      return integers(schema)
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(admitted(schema.items, known), { maxLength: Math.min(schema.maxItems ?? 3, 3) })
    case 'object':
      return objects(schema, known)
    case 'null':
      return fc.constant(null)
    default:
      return strings(schema, known)
  }
}

function integers({ minimum, maximum }: Json): fc.Arbitrary<number> {
  const near = fc.integer({ min: Math.max(minimum ?? 0, -3), max: Math.min(maximum ?? 300, 300) })
  return fc.oneof({ weight: 3, arbitrary: near }, fc.constantFrom(...[minimum, maximum].filter(Number.isInteger), 1))
}

function strings({ format, pattern, minLength = 0, maxLength = 300 }: Json, known: readonly string[]) {
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (format === 'ipv4') return fc.ipV4()
  if (format === 'ipv6') return fc.ipV6()
  if (format === 'cidr') return cidrs
  if (format === 'email') return fc.stringMatching(/^[a-z]{1,9}@[a-z]{1,9}\.com$/)
  if (pattern) {
    const fits = (text: string) => text.length >= minLength && text.length <= maxLength
    return fc.stringMatching(new RegExp(pattern, 'u')).filter(fits)
  }
  const text = fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) })
  return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...known, '*') }, text)
}

const cidrs = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 8, max: 30 }))
    .map(([n, length]) => `10.${n}.0.0/${length}`),
  fc.integer({ min: 16, max: 127 }).map((length) => `fd00:${length}::/${length}`),
)

function objects({ properties = {}, required = [], additionalProperties }: Json, known: readonly string[]) {
  const fields = Object.entries<Json>(properties).map(([key, field]) => [key, admitted(field, known)])
  const record = fc.record(Object.fromEntries(fields), { requiredKeys: required })
  if (typeof additionalProperties !== 'object') return record
  return fc.dictionary(fc.constantFrom(...known), admitted(additionalProperties, known), { maxKeys: 2 })
}

/** Values that nobody asked for. */
export const anything: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    -1,
    0,
    0.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    '*',
    '\u0000',
    "'",
    '%',
    '../..',
    [],
    {},
    [[]],
    [null],
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('a'.repeat(300), '0.0.0.0/0', '::/0', '255.255.255.255/32', '9999-12-31T23:59:59-23:59', 'wirety_'),
  fc.jsonValue({ maxDepth: 2 }),
)

/** An admitted value with, at times, one field of it or all of it replaced by anything. */
export function spoilt(schema: Json, known: readonly string[]): fc.Arbitrary<Json> {
  const good = admitted(schema, known)
  const keys = Object.keys(schema.properties ?? {})
  if (keys.length === 0) return fc.oneof({ weight: 2, arbitrary: good }, anything)
  const oneField = fc
    .tuple(good, fc.constantFrom(...keys), anything)
    .map(([value, key, other]) => ({ ...value, [key]: other }))
  return fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 5, arbitrary: oneField },
    { weight: 1, arbitrary: anything },
  )
}
