import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exampleOf } from '../../src/api/openapi/examples/index.ts'
import { describeApi } from '../../src/api/openapi/index.ts'
import { PASSWORD, restClient, startTestApp, type TestApp } from '../harness.ts'
import { conformanceOf } from './conformance.ts'
import { type Furnished, furnish } from './furnished.ts'
import { bodyOf, type Json } from './topologies.ts'

/** The moment at which the API reference was written. */
const now = () => new Date('2024-04-13T10:05:00Z')

const conformance = conformanceOf(JSON.parse(JSON.stringify(describeApi())))

/** Examples that need an OpenID provider. */
const ELSEWHERE = ['POST /auth/token', 'POST /captive-portal/token', 'POST /captive-portal/authenticate']

const replayed = conformance.endpoints
  .map(({ route }) => route)
  .filter((route) => exampleOf(route) && !ELSEWHERE.includes(route))

let app: TestApp
let count = 0

beforeAll(async () => {
  app = await startTestApp({}, { now })
})
afterAll(() => app[Symbol.asyncDispose]())

/** What the placeholders of the API reference stand for here. */
function meanings(furnished: Furnished): Record<string, string> {
  const { ids, network, laptop, server, jump, secondJump, secondPolicy, user, aclId } = furnished
  return {
    'net-uuid': network.id,
    'net-id-1': network.id,
    'peer-uuid': laptop.id,
    'peer-uuid-2': server.id,
    'peer-uuid-3': server.id,
    'peer-uuid-bad': server.id,
    'jump-uuid': jump.id,
    'jump-uuid-2': secondJump.id,
    'group-uuid': ids.group_id!,
    'policy-uuid': ids.policy_id!,
    'policy-uuid-1': secondPolicy.id,
    'policy-uuid-2': ids.policy_id!,
    'user-sub-123': user.id,
    'acl-uuid': aclId,
    'another-user-id': user.id,
    'your-admin-password': PASSWORD,
  }
}

/** `value` with every placeholder replaced, in keys as in values. */
function filled(value: Json, meaning: Record<string, string>): Json {
  if (typeof value === 'string') return meaning[value] ?? value
  if (Array.isArray(value)) return value.map((item) => filled(item, meaning))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [meaning[key] ?? key, filled(item, meaning)]))
}

/** Every field of `example` that `answer` lacks, or has with another JSON type; null fits any, as an empty list does. */
function differences(example: Json, answer: Json, path = ''): string[] {
  if (example === null || answer === null) return []
  const [wanted, got] = [example, answer].map((value) => (Array.isArray(value) ? 'array' : typeof value))
  if (wanted !== got) return [`${path}: ${got} instead of ${wanted}`]
  if (typeof example !== 'object') return []
  const keys = Array.isArray(example) ? Object.keys(example.slice(0, answer.length)) : Object.keys(example)
  return keys.flatMap((key) => differences(example[key], answer[key], `${path}.${key}`))
}

/** Paths of lists that `example` shows filled and that are empty in `answer`. */
function emptyLists(example: Json, answer: Json, path = ''): string[] {
  if (typeof example !== 'object' || example === null || !answer) return []
  if (Array.isArray(example) && example.length > 0 && answer.length === 0) return [path]
  return Object.keys(example).flatMap((key) => emptyLists(example[key], answer[key], `${path}.${key}`))
}

/** A moment as it is answered, whatever its precision was; anything else as it is. */
const stored = (value: Json) => (/^\d{4}-.*Z$/.test(String(value)) ? new Date(value).toISOString() : value)

/** What stands between a furnished network and an example that wants it otherwise. */
async function prepare(route: string, path: string, furnished: Furnished): Promise<void> {
  const isAttaching = route.startsWith('POST ') && /\{group_id\}\/\w+\/\{/.test(route)
  const admin = app.as(app.adminToken)
  if (isAttaching) bodyOf(await admin.delete(path), 204)
  if (route === 'PUT /networks/{network_id}/routes/{route_id}') {
    bodyOf(await admin.delete(`${path}/dns/${furnished.ids.dns_id}`), 204)
  }
}

function sendExample(route: string, path: string, furnished: Furnished, request: Json) {
  const credentials: Record<string, string> = {
    'GET /agent/resolve': furnished.laptop.token,
    'GET /users/me': furnished.token,
    'GET /users/me/tokens': furnished.token,
  }
  const rest = restClient(app.url, credentials[route] ?? app.adminToken)
  if (route.startsWith('GET ')) return rest.get(request ? `${path}?${new URLSearchParams(request)}` : path)
  if (route.startsWith('DELETE ')) return rest.delete(path)
  return route.startsWith('PUT ') ? rest.put(path, request) : rest.post(path, request)
}

describe.each(replayed)('%s', (route) => {
  test('answers the example of the API reference as documented', async () => {
    const furnished = await furnish(app, ++count)
    const meaning = meanings(furnished)
    const { request, response } = filled(exampleOf(route), meaning)
    const path = route.split(' ')[1]!.replace(/\{(\w+)\}/g, (_, name) => furnished.ids[name]!)
    await prepare(route, path, furnished)
    const answer = await sendExample(route, path, furnished, request)
    expect(answer).toMatchObject({ status: conformance.successOf(route).status })
    expect(conformance.deviation(route, answer)).toBeUndefined()
    if (response === undefined) return
    expect(differences(response, answer.body)).toEqual([])
    if (route.startsWith('GET ')) expect(emptyLists(response, answer.body)).toEqual([])
    const told = Object.entries(request ?? {}).filter(([key]) => key in answer.body)
    expect(answer.body).toMatchObject(Object.fromEntries(told.map(([key, value]) => [key, stored(value)])))
  })
})
