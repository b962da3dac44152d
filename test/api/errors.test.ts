import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'
import { expectCivil, expectRefusal } from './civility.ts'
import { ENDPOINTS, fill, type Ids, newObjects, PATHS } from './endpoints.ts'
import { JSON_TYPE, type RawAnswer, type RawRequest, sendAsAdmin, sendRaw } from './raw.ts'

let app: TestApp
let ids: Ids

beforeAll(async () => {
  app = await startTestApp()
  ids = await newObjects(app)
})

afterAll(() => app[Symbol.asyncDispose]())

const asAdmin = (request: RawRequest) => sendAsAdmin(app, request)

/** A request of the administrator with this text as JSON. */
function sendText(path: string, body: string, method = 'POST'): Promise<RawAnswer> {
  return asAdmin({ method, path: fill(path, ids), headers: JSON_TYPE, body })
}

test.each(ENDPOINTS.filter(({ audience }) => audience !== 'anyone'))(
  '$method $path needs a credential',
  async ({ method, path }) => {
    const answer = await sendRaw(app, { method, path: fill(path, ids) })
    expectRefusal(answer, 401, 'unauthenticated')
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
  },
)

test.each(ENDPOINTS.filter(({ audience }) => audience === 'administrators'))(
  '$method $path is refused to a user, whether or not the object exists',
  async ({ method, path }) => {
    const { token } = await app.addUser(`${method}-${path.replace(/\W+/g, '-')}`.toLowerCase())
    for (const concrete of [fill(path, ids), path.replace(/:\w+/g, 'none')]) {
      expectRefusal(
        await sendRaw(app, { method, path: concrete, headers: { authorization: `Bearer ${token}` } }),
        403,
        'forbidden',
      )
    }
  },
)

test.each(ENDPOINTS.filter(({ path }) => path.includes(':')))(
  '$method $path answers 404 for an object that does not exist',
  async ({ method, path }) => {
    const name = path.endsWith('/acl') ? '{"enabled":true}' : '{"name":"ghost"}'
    const body = method === 'POST' || method === 'PUT' ? { body: name, headers: JSON_TYPE } : {}
    expectRefusal(await asAdmin({ method, path: path.replace(/:\w+/g, 'none'), ...body }), 404, 'not_found')
  },
)

test.each(PATHS)('%s answers 405 with Allow to the methods it lacks', async (path, methods) => {
  // the methods of /users/:user, of which these paths are no users, answer there
  const literal = path === '/users/me' || path === '/users/defaults' ? ['PUT', 'DELETE'] : []
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'TRACE']) {
    if (method in methods || literal.includes(method)) continue
    const answer = await asAdmin({ method, path: fill(path, ids) })
    expectRefusal(answer, 405, 'method_not_allowed')
    const allowed = String(answer.headers.allow).split(', ')
    const wanted = 'GET' in methods ? [...Object.keys(methods), 'HEAD'] : Object.keys(methods)
    expect(allowed.sort()).toEqual(wanted.sort())
  }
})

test('me and defaults are no users that could be changed or deleted', async () => {
  for (const path of ['/users/me', '/users/defaults']) {
    const answers = [await sendText(path, '{"name":"x"}', 'PUT'), await asAdmin({ method: 'DELETE', path })]
    const wanted = path === '/users/me' ? [404, 405] : [200, 404, 405]
    for (const answer of answers) expect(wanted).toContain(answer.status)
  }
  expect(await asAdmin({ path: '/users/me' })).toMatchObject({ body: { id: 'admin', name: 'Administrator' } })
})

test('HEAD answers like GET without a body', async () => {
  expect(await asAdmin({ method: 'HEAD', path: '/networks' })).toMatchObject({ status: 200, text: '' })
  expect(await asAdmin({ method: 'HEAD', path: '/networks/none' })).toMatchObject({ status: 404, text: '' })
  expect(await sendRaw(app, { method: 'HEAD', path: '/networks' })).toMatchObject({ status: 401, text: '' })
})

test.each(['', '/', '/nothing', '/networks/a/b/c/d', '/users/me/tokens/a/b', '/auth', '/security', '/ipam/networks'])(
  'the path "%s" does not exist',
  async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
      expectRefusal(await asAdmin({ method, path }), 404, 'not_found')
  },
)

test('paths outside the API do not exist', async () => {
  for (const path of ['/', '/api', '/api/v2/health', '/%zz', '/.env', '/favicon.ico']) {
    const response = await fetch(`${app.url}${path}`, { method: 'POST' })
    expect([400, 404]).toContain(response.status)
    expect(await response.json()).toEqual({ error: expect.any(String), code: expect.any(String) })
  }
})

test.each([
  '%00',
  'a%00b',
  '%2e%2e',
  '%2e%2e%2fusers',
  '..%2f..%2fetc%2fpasswd',
  '%0a',
  '%0d%0aSet-Cookie:%20x=y',
  '%27%20OR%201=1%20--',
  '%25',
  '*',
  '%F0%9F%92%A9',
  '%ED%A0%80',
  '%FF',
  '%zz',
  '%',
  '%e0%a4%a',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  '[object%20Object]',
  ':network',
  '{network_id}',
  '%20',
  'a;b=c',
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(10_000),
])('the id %s names nothing', async (id) => {
  for (const { method, path } of ENDPOINTS.filter((endpoint) => endpoint.path.includes(':'))) {
    const [before = '', after = ''] = path.split(/:\w+(.*)/)
    const hostile = `${before}${id}${fill(after, ids)}`
    const body =
      method === 'POST' || method === 'PUT' ? { body: '{"enabled":true,"name":"x"}', headers: JSON_TYPE } : {}
    const answer = await asAdmin({ method, path: hostile, ...body })
    expectCivil(answer, `${method} ${hostile}`)
    expect([400, 404], `${method} ${hostile}`).toContain(answer.status)
    expect(answer.headers['set-cookie']).toBeUndefined()
  }
})

test.each(['/networks/../users', '/networks/./x', '//networks', '/networks//', '/networks/%2e%2e/users', '/networks?'])(
  'the odd path %s is answered civilly',
  async (path) => {
    expectCivil(await asAdmin({ path }), path)
    expectCivil(await sendRaw(app, { path }), path)
  },
)

test('error texts do not contain line breaks that came from the request', async () => {
  const answers = [
    await asAdmin({ path: '/networks/a%0ab' }),
    await sendText('/networks', JSON.stringify({ name: 'office', cidr: '10.0.0.0/8\nx' })),
    await sendText('/networks/:network/acl', '{"enabled":true,"blocked_peers":{"a\\nb":true}}', 'PUT'),
    await sendText('/users', '{"email":"x@example.com","name":"x","authorized_networks":["a\\nb"]}'),
  ]
  for (const answer of answers) {
    expectCivil(answer, answer.text)
    expect(answer.body.error).not.toMatch(/\n/)
  }
})

test('after all this nothing was logged as our own fault', async () => {
  const faults = app.logged.filter((line) => JSON.parse(line).level >= 50)
  expect(faults).toEqual([])
})
