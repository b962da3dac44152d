import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeApi } from '../../src/api/openapi/index.ts'
import { startTestApp, type TestApp } from '../harness.ts'
import { anything, spoilt } from './arbitraries.ts'
import { conformanceOf, type Described } from './conformance.ts'
import { type Furnished, furnish } from './furnished.ts'
import { sendRaw } from './raw.ts'
import type { Json } from './topologies.ts'

const conformance = conformanceOf(JSON.parse(JSON.stringify(describeApi())))

/** Requests to each endpoint; with some 75 endpoints about a thousand in all. */
const REQUESTS = 14

/** Signing out is answered whatever the body is: nobody should stay signed in because of it. */
const LENIENT = ['POST /auth/logout']

/** Reads first, so that what they ask for is still there. */
const ORDER = ['GET', 'PUT', 'POST', 'DELETE']
const endpoints = conformance.endpoints.toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method))

/** A request, with each part as text or JSON as the document has it. */
interface Draft {
  readonly path: string
  readonly body: Json
  readonly credential: 'admin' | 'user' | 'none' | 'wrong'
}

let app: TestApp
let furnished: Furnished
let count = 0

beforeAll(async () => {
  app = await startTestApp()
  furnished = await furnish(app, ++count)
})
afterAll(() => app[Symbol.asyncDispose]())

const segment = fc.oneof(fc.constant('none'), fc.string({ minLength: 1, maxLength: 9 }), fc.constant('x'.repeat(300)))

/** Requests to an endpoint: mostly as documented, of things that mostly exist, by people who mostly may. */
function draftsOf({ path, operation }: Described): fc.Arbitrary<Draft> {
  const known = Object.values(furnished.ids)
  const parameters: Json[] = operation.parameters ?? []
  const values = parameters.map((parameter) =>
    parameter.in === 'path'
      ? fc.oneof({ weight: 6, arbitrary: fc.constant(furnished.ids[parameter.name] ?? 'none') }, segment)
      : fc.option(fc.oneof(spoilt(parameter.schema, known), anything), { nil: undefined }),
  )
  const body = operation.requestBody?.content['application/json'].schema
  return fc.record({
    path: fc.tuple(...values).map((given) => pathOf(path, parameters, given)),
    body: body === undefined ? fc.constant(undefined) : spoilt(body, known),
    credential: fc.constantFrom('admin', 'admin', 'admin', 'admin', 'user', 'none', 'wrong'),
  })
}

function pathOf(template: string, parameters: readonly Json[], values: readonly Json[]): string {
  const given = new Map(parameters.map(({ name }, index) => [name, values[index]]))
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(given.get(name)).toWellFormed()))
  const query = parameters.flatMap(({ name, in: place }, index) => {
    const value = values[index]
    return place === 'query' && value !== undefined ? [[name, textOf(value)]] : []
  })
  return query.length === 0 ? path : `${path}?${new URLSearchParams(query)}`
}

const textOf = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()

async function send(method: string, { path, body, credential }: Draft) {
  const token = { admin: app.adminToken, user: furnished.token, none: undefined, wrong: 'wirety_00' }[credential]
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const answer = await sendRaw(app, {
    method,
    path,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { ...answer, headers: new Headers(answer.headers as Record<string, string>) }
}

describe.each(endpoints)('$route', (endpoint) => {
  const { route, method, path } = endpoint

  test('answers whatever it is sent as documented', async () => {
    if (method === 'DELETE') furnished = await furnish(app, ++count)
    const schemaAt = ['paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema']
    await fc.assert(
      fc.asyncProperty(draftsOf(endpoint), async (draft) => {
        const answer = await send(method, draft)
        expect(answer.status, answer.text).toBeLessThan(500)
        expect(conformance.deviation(route, answer), JSON.stringify(draft)).toBeUndefined()
        if (answer.status >= 300 || draft.body === undefined || LENIENT.includes(route)) return
        expect(conformance.complaint(schemaAt, draft.body), 'accepted against the schema').toBeUndefined()
      }),
      { numRuns: REQUESTS },
    )
  })
})

test('after all this nothing was logged as our own fault', () => {
  expect(app.logged.filter((line) => JSON.parse(line).level >= 50)).toEqual([])
})
