import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Operation } from '../../src/api/operation.ts'
import { operations } from '../../src/api/operations/index.ts'
import { startTestApp, type TestApp } from '../harness.ts'
import { expectRefusal } from './civility.ts'
import { type Furnished, furnish } from './furnished.ts'
import { everythingOf } from './policy-objects.ts'
import { JSON_TYPE, sendRaw } from './raw.ts'
import { bodyOf, type Json } from './topologies.ts'

/** What the API reference marks for administrators, and what came later and decides over everybody. */
const ADMIN_ONLY = [
  /\/(groups|policies|routes|dns|acl)\b/,
  /\/security\/config$/,
  /\/resolve$/,
  /^\w+ \/users(?!\/me)/,
  /^\w+ \/audit/,
  /^(POST|PUT|DELETE) \/networks(\/\{network_id\})?$/,
]

const endpoints = operations.filter(({ permission }) => permission !== 'public')
const isAdminOnly = ({ http }: Operation) => ADMIN_ONLY.some((pattern) => pattern.test(http))
const reserved = endpoints.filter(isAdminOnly)
const shared = endpoints.filter((operation) => !isAdminOnly(operation))

let app: TestApp
let own: Furnished
let foreign: Furnished
let before: Json

beforeAll(async () => {
  app = await startTestApp()
  own = await furnish(app, 1)
  foreign = await furnish(app, 2)
  before = await snapshot()
})

afterAll(() => app[Symbol.asyncDispose]())

async function snapshot(): Promise<Json> {
  const admin = app.as(app.adminToken)
  const users = bodyOf(await admin.get('/users'), 200).map(({ id, role, name }: Json) => ({ id, role, name }))
  return { users, own: await everythingOf(admin, own.network), foreign: await everythingOf(admin, foreign.network) }
}

/** Sends an operation as the user of `own`; `body` is sent with what writes. */
function send(operation: Operation, ids: Readonly<Record<string, string>>, body = '{}') {
  const [method = '', path = ''] = operation.http.split(' ')
  const concrete = path.replace(/\{(\w+)\}/g, (_all, name: string) => ids[name] ?? 'none')
  const authorization = { authorization: `Bearer ${own.token}` }
  const isBare = method === 'GET' || method === 'DELETE'
  return sendRaw(app, {
    method,
    path: concrete,
    headers: { ...authorization, ...(isBare ? {} : JSON_TYPE) },
    ...(isBare ? {} : { body }),
  })
}

test('groups, policies, routes, names, access lists and thresholds are for administrators', () => {
  expect(reserved.length).toBeGreaterThanOrEqual(45)
  const [open, closed] = ['sessions', 'reachability'].map((tail) => shared.filter(({ http }) => http.endsWith(tail)))
  expect([open, closed].map((found) => found?.length)).toEqual([1, 1])
})

describe.each(reserved.map((operation) => [operation.http, operation] as const))('%s', (_http, operation) => {
  test('is refused to a user, whether or not the objects exist, and whatever the body is', async () => {
    for (const ids of [own.ids, foreign.ids, { ...own.ids, network_id: foreign.network.id }, {}]) {
      expectRefusal(await send(operation, ids), 403, 'forbidden')
    }
    for (const body of ['{"name":7}', '{"name":"x","policy_ids":[],"rules":[{}]}']) {
      expectRefusal(await send(operation, own.ids, body), 403, 'forbidden')
    }
  })
})

describe.each(shared.map((operation) => [operation.http, operation] as const))('%s', (http, operation) => {
  test('answers a user about a network, a peer or an incident that is not its own as about none', async () => {
    if (!http.includes('{') || http.includes('{token_id}')) return
    const answers = [await send(operation, foreign.ids, '{"name":"x"}'), await send(operation, {}, '{"name":"x"}')]
    for (const answer of answers) expectRefusal(answer, 404, 'not_found')
  })
})

test('after all this nothing has changed and nothing was logged as our own fault', async () => {
  expect(await snapshot()).toEqual(before)
  expect(app.logged.filter((line) => JSON.parse(line).level >= 50)).toEqual([])
})
