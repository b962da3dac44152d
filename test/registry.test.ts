import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { methodsByPath, NAMED_ROUTES } from '../src/api/http.ts'
import { unwrap } from '../src/api/lenient.ts'
import type { Operation } from '../src/api/operation.ts'
import { operations } from '../src/api/operations/index.ts'
import { routeOf } from '../src/api/rest.ts'
import { secrecyOf } from '../src/api/secrets.ts'
import { type Tool, tools } from '../src/tools/catalog.ts'

const VERBS = [
  'list',
  'get',
  'create',
  'update',
  'replace',
  'delete',
  'compute',
  'suggest',
  'resolve',
  'add',
  'remove',
  'attach',
  'detach',
  'reorder',
]
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

/** Every field of a schema at any depth, with its path. */
function fieldsOf(schema: z.ZodType, path = ''): { path: string; key: string; field: z.ZodType }[] {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray) return fieldsOf(inner.element as z.ZodType, `${path}[]`)
  if (!(inner instanceof z.ZodObject)) return []
  return Object.entries(inner.shape).flatMap(([key, type]) => {
    const field = type as z.ZodType
    return [{ path: `${path}.${key}`, key, field }, ...fieldsOf(field, `${path}.${key}`)]
  })
}

const isDescribed = (field: z.ZodType) => Boolean(field.description ?? unwrap(field).description)

test('operation names are unique', () => {
  expect(new Set(operations.map((operation) => operation.name)).size).toBe(operations.length)
})

describe.each(operations.map((operation) => [operation.name, operation] as const))(
  '%s',
  (name, operation: Operation) => {
    test('is called verb_noun', () => {
      expect(VERBS).toContain(name.split('_')[0])
      expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/)
      expect(name.length).toBeLessThanOrEqual(40)
    })

    test('has a path whose every parameter is an input', () => {
      const parameters = [...operation.http.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(Object.keys(operation.input.shape)).toEqual(expect.arrayContaining(parameters))
    })

    test('reads if and only if its method is GET, and deletes if and only if it is DELETE', () => {
      expect(operation.effect === 'read').toBe(operation.http.startsWith('GET '))
      expect(operation.effect === 'delete').toBe(operation.http.startsWith('DELETE '))
    })

    test('takes a strict object at every depth', () => {
      const objects = [operation.input, ...fieldsOf(operation.input).map(({ field }) => innermost(field))]
      const loose = objects.filter(
        (schema) => schema instanceof z.ZodObject && !(schema.def.catchall instanceof z.ZodNever),
      )
      expect(loose).toEqual([])
    })

    test('describes every input', () => {
      expect(
        fieldsOf(operation.input)
          .filter(({ field }) => !isDescribed(field))
          .map(({ path }) => path),
      ).toEqual([])
    })

    test('marks every output that sounds like a secret', () => {
      const suspicious = fieldsOf(operation.output).filter(({ key }) =>
        /private|secret|token|password|hash|preshared|config$/.test(key),
      )
      expect(suspicious.filter(({ field }) => secrecyOf(field) === undefined).map(({ path }) => path)).toEqual([])
    })

    test('is frozen and has a permission', () => {
      expect(Object.isFrozen(operation)).toBe(true)
      expect(operation.permission).toMatch(/^(public|self|[a-z]+:(read|write))$/)
    })
  },
)

function innermost(schema: z.ZodType): z.ZodType {
  const inner = unwrap(schema)
  return inner instanceof z.ZodArray ? innermost(inner.element as z.ZodType) : inner
}

describe.each([...tools].map(([name, tool]) => [name, tool] as const))('tool %s', (name, { definition }: Tool) => {
  test('is described to clients as before', async () => {
    await expect(`${JSON.stringify(definition, null, 2)}\n`).toMatchFileSnapshot(`golden/tools/${name}.json`)
  })

  test('costs at most 1.6 kB', () => {
    expect(bytes(definition)).toBeLessThanOrEqual(1600)
  })

  test('has schemas that every client digests', () => {
    expect(JSON.stringify(definition)).not.toMatch(/"\$(ref|schema|defs)"|"prefixItems"/)
    expect(Object.keys(definition.inputSchema)).not.toEqual(expect.arrayContaining(['anyOf']))
    expect(definition.inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
  })
})

test('the list of all tools costs at most 60 kB', () => {
  expect(bytes([...tools.values()].map((tool) => tool.definition))).toBeLessThanOrEqual(60_000)
})

test('every path of the API is an operation or a named exception', () => {
  const routes = [...methodsByPath()].flatMap(([path, methods]) => methods.map((method) => `${method} ${path}`))
  const named = operations.map((operation) => {
    const { method, path } = routeOf(operation)
    return `${method.toUpperCase()} ${path}`
  })
  expect(routes.sort()).toEqual([...named, ...NAMED_ROUTES].sort())
})
