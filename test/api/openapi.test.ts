import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { methodsByPath } from '../../src/api/http.ts'
import type { OpenApiDocument } from '../../src/api/openapi/document.ts'
import { EXAMPLES, exampleOf, shownResponse } from '../../src/api/openapi/examples/index.ts'
import { describeApi } from '../../src/api/openapi/index.ts'
import { operations } from '../../src/api/operations/index.ts'
import { ERROR_CODES } from '../../src/errors.ts'
import { startTestApp, type TestApp } from '../harness.ts'
import { conformanceOf } from './conformance.ts'
import { JSON_TYPE, sendAsAdmin, sendRaw } from './raw.ts'

const document: OpenApiDocument = JSON.parse(JSON.stringify(describeApi()))
const conformance = conformanceOf(document)

/** Files of the documentation page: nothing that a program would ask for. */
const UNDESCRIBED = ['GET /docs/{asset}']

test('an independent validator finds the document a valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('every path that answers is described, and nothing else', () => {
  const served = [...methodsByPath()].flatMap(([path, methods]) =>
    methods.map((method) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
  )
  const described = conformance.endpoints.map(({ route }) => route)
  expect(described.toSorted()).toEqual(served.filter((route) => !UNDESCRIBED.includes(route)).toSorted())
})

test('operation ids are unique and those of the registry', () => {
  const ids = conformance.endpoints.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toEqual(expect.arrayContaining(operations.map(({ name }) => name)))
})

test('every tag is described', () => {
  const { tags } = document as unknown as { tags: { name: string; description?: string }[] }
  expect(tags.filter(({ description }) => description === undefined)).toEqual([])
  const used = conformance.endpoints.flatMap(({ operation }) => operation.tags)
  expect(new Set(used)).toEqual(new Set(tags.map(({ name }) => name)))
})

test('every component is used', () => {
  const text = JSON.stringify(document)
  const { schemas, responses } = document.components as Record<string, object>
  const refs = [
    ...Object.keys(schemas!).map((name) => `#/components/schemas/${name}`),
    ...Object.keys(responses!).map((name) => `#/components/responses/${name}`),
  ]
  expect(refs.filter((ref) => !text.includes(JSON.stringify(ref)))).toEqual([])
})

test('the error schema has every code', () => {
  expect(document).toMatchObject({
    components: { schemas: { Error: { properties: { code: { enum: ERROR_CODES } } } } },
  })
})

test('secrets are marked, on their way in and out', () => {
  const schemas = (document as unknown as { components: { schemas: Record<string, unknown> } }).components.schemas
  expect(schemas.Peer).toMatchObject({ properties: { token: { 'x-secret': true } } })
  const body = ['requestBody', 'content', 'application/json', 'schema', 'properties', 'password']
  expect(document.paths['/users']?.post).toHaveProperty(body, expect.objectContaining({ 'x-secret': true }))
})

test('an operation of the public needs no credential, any other does', () => {
  for (const { http, permission } of operations) {
    const { operation } = conformance.endpoints.find(({ route }) => route === http)!
    expect([http, operation.security, operation['x-required-permission']]).toEqual([
      http,
      permission === 'public' ? [] : undefined,
      permission,
    ])
  }
})

describe.each(conformance.endpoints.filter(({ route }) => exampleOf(route)))('the example of $route', ({ route }) => {
  test('is as its schemas say', () => {
    const { method, path, operation } = conformance.endpoints.find((endpoint) => endpoint.route === route)!
    const { request, ...example } = exampleOf(route)!
    const response = shownResponse(example)
    const at = ['paths', path, method.toLowerCase()]
    const { status } = conformance.successOf(route)
    if (response !== undefined) {
      const pointer = [...at, 'responses', String(status), 'content', 'application/json', 'schema']
      expect(conformance.complaint(pointer, response)).toBeUndefined()
    }
    if (request === undefined) return
    const body = [...at, 'requestBody', 'content', 'application/json', 'schema']
    if (method !== 'GET') expect(conformance.complaint(body, request)).toBeUndefined()
    else expect(operation.parameters.map((parameter: { name: string }) => parameter.name)).toEqual(Object.keys(request))
  })
})

test('every example of the API reference is shown, or its path is not served yet', () => {
  const shown = conformance.endpoints.filter(({ route }) => exampleOf(route)).length
  const served = new Set(conformance.endpoints.map(({ route }) => route.replace(/\{\w+\}/g, '{}')))
  const missing = Object.keys(EXAMPLES).filter((route) => !served.has(route.replace(/:\w+/g, '{}')))
  expect(shown + missing.length).toBe(Object.keys(EXAMPLES).length)
})

describe('served', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startTestApp()
  })
  afterAll(() => app[Symbol.asyncDispose]())

  test('the document is at /openapi.json for everybody, and is sent again only when it changed', async () => {
    const first = await fetch(`${app.url}/api/v1/openapi.json`)
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await first.json()).toEqual(document)
    const headers = { 'if-none-match': first.headers.get('etag')! }
    const second = await sendRaw(app, { path: '/openapi.json', headers })
    expect(second).toMatchObject({ status: 304, text: '' })
  })

  test('OPTIONS tells the methods of its own path', async () => {
    for (const { path, route } of conformance.endpoints) {
      const answer = await sendRaw(app, { method: 'OPTIONS', path: path.replace(/\{\w+\}/g, 'x') })
      const methods = conformance.endpoints.filter((other) => other.path === path).map(({ method }) => method)
      const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].toSorted()
      expect([route, answer.status, answer.headers.allow?.split(', ').toSorted()]).toEqual([route, 204, allowed])
    }
  })

  test('refusals of the request itself are as documented', async () => {
    const check = async (status: number, answer: Awaited<ReturnType<typeof sendRaw>>) => {
      const headers = new Headers(answer.headers as Record<string, string>)
      expect(answer.status).toBe(status)
      expect(conformance.deviation('POST /networks', { status, headers, text: answer.text })).toBeUndefined()
    }
    const path = '/networks'
    await check(405, await sendAsAdmin(app, { method: 'PATCH', path }))
    await check(401, await sendRaw(app, { method: 'POST', path }))
    await check(
      415,
      await sendAsAdmin(app, { method: 'POST', path, headers: { 'content-type': 'text/plain' }, body: 'x' }),
    )
    await check(400, await sendAsAdmin(app, { method: 'POST', path, headers: JSON_TYPE, body: '{' }))
    const big = JSON.stringify({ name: 'x'.repeat(1024 * 1024) })
    await check(413, await sendAsAdmin(app, { method: 'POST', path, headers: JSON_TYPE, body: big }))
  })
})
