import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD, type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, type Json, newNetwork, newPeer, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const refused = (error: string) => ({ status: 400, body: { error: expect.stringContaining(error), code: 'invalid' } })

const login = (username: string, password: string) => app.as(undefined).post('/auth/login', { username, password })

/** The session of somebody who signs in. */
async function sessionOf(username: string, password: string = PASSWORD): Promise<Rest> {
  return app.as(bodyOf(await login(username, password), 200).session_hash)
}

test('the built-in administrator is there from the start', async () => {
  expect(await read(admin, '/users/me')).toEqual({
    id: 'admin',
    email: 'admin@wirety.local',
    name: 'Administrator',
    role: 'administrator',
    authorized_networks: [],
    created_at: expect.any(String),
    updated_at: expect.any(String),
    last_login_at: expect.any(String),
  })
})

test('a new user has what was given, never signed in, and shows no password', async () => {
  const network = await newNetwork(admin)
  const given = { email: 'anna@example.com', name: 'Anna', role: 'user', authorized_networks: [network.id] }
  const user = bodyOf(await admin.post('/users', { ...given, password: PASSWORD }), 201)
  expect(user).toEqual({
    ...given,
    id: expect.any(String),
    created_at: expect.any(String),
    updated_at: user.created_at,
    last_login_at: null,
  })
  expect(await read(admin, `/users/${user.id}`)).toEqual(user)
  expect(await read(admin, '/users')).toContainEqual(user)
  const me = await read(await sessionOf('anna@example.com'), '/users/me')
  expect(me).toEqual({ ...user, last_login_at: expect.any(String) })
})

test('an e-mail address belongs to one user, however it is written', async () => {
  const body = { email: 'Berta@Example.com', name: 'Berta', password: PASSWORD }
  expect(bodyOf(await admin.post('/users', body), 201)).toMatchObject({ email: 'berta@example.com' })
  for (const email of ['berta@example.com', 'BERTA@example.com']) {
    const answer = await admin.post('/users', { ...body, email })
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expect(answer.body.error).toBe('a user with this email already exists')
  }
  expect(await login('BERTA@EXAMPLE.COM', PASSWORD)).toMatchObject({ status: 200 })
})

test('of many who create the same user at once, one does', async () => {
  const body = { email: 'race@example.com', name: 'Race' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => admin.post('/users', body)))
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(7).fill(409)])
})

test.each([
  [{ email: 'x', name: 'X' }, 'email'],
  [{ email: 'x@example.com\n', name: 'X' }, 'email'],
  [{ name: 'X' }, 'email'],
  [{ email: 'x@example.com' }, 'name'],
  [{ email: 'x@example.com', name: '' }, 'name'],
  [{ email: 'x@example.com', name: 'a\nb' }, 'name'],
  [{ email: 'x@example.com', name: 'x'.repeat(256) }, 'name'],
  [{ email: 'x@example.com', name: 'X', role: 'root' }, 'role'],
  [{ email: 'x@example.com', name: 'X', password: 'short' }, 'at least 8 characters'],
  [{ email: 'x@example.com', name: 'X', password: 12345678 }, 'password'],
  [{ email: 'x@example.com', name: 'X', authorized_networks: ['nowhere'] }, 'no network "nowhere"'],
  [{ email: 'x@example.com', name: 'X', authorized_networks: 'all' }, 'authorized_networks'],
])('the user %j is refused', async (body, error) => {
  expect(await admin.post('/users', body)).toMatchObject(refused(error))
  expect((await read(admin, '/users')).map((user: Json) => user.email)).not.toContain('x@example.com')
})

test('a user without a password cannot sign in until one is set', async () => {
  const { id } = bodyOf(await admin.post('/users', { email: 'clara@example.com', name: 'Clara' }), 201)
  expect(await login('clara@example.com', 'undefined')).toMatchObject({ status: 401 })
  bodyOf(await admin.put(`/users/${id}`, { password: PASSWORD }), 200)
  expect(await login('clara@example.com', PASSWORD)).toMatchObject({ status: 200 })
})

test('an update changes the given fields and no others', async () => {
  const network = await newNetwork(admin)
  const { id } = await app.addUser('doris')
  const before = await read(admin, `/users/${id}`)
  const change = { name: 'Doris', authorized_networks: [network.id, network.id] }
  const after = bodyOf(await admin.put(`/users/${id}`, { ...change, email: 'other@example.com', id: 'x' }), 200)
  const expected = { ...before, name: 'Doris', authorized_networks: [network.id], updated_at: after.updated_at }
  expect(after).toEqual(expected)
  for (const nothing of [{}, { name: '', role: null, authorized_networks: null }]) {
    const same = { ...expected, updated_at: expect.any(String) }
    expect(bodyOf(await admin.put(`/users/${id}`, nothing), 200)).toEqual(same)
  }
})

test.each([
  [{ name: 7 }, 'name'],
  [{ role: 'root' }, 'role'],
  [{ password: 'short' }, 'at least 8 characters'],
  [{ name: 'new', authorized_networks: ['nowhere'] }, 'no network "nowhere"'],
])('the update %j of a user is refused and changes nothing', async (change, error) => {
  const { id } = await app.addUser(`e-${error.length}-${JSON.stringify(change).length}`)
  const before = await read(admin, `/users/${id}`)
  expect(await admin.put(`/users/${id}`, change)).toMatchObject(refused(error))
  expect(await read(admin, `/users/${id}`)).toEqual(before)
})

test('a user that does not exist is not found', async () => {
  expect(await admin.get('/users/nobody')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await admin.put('/users/nobody', { name: 'x' })).toMatchObject({ status: 404 })
  expect(await admin.delete('/users/nobody')).toMatchObject({ status: 404 })
})

test('a new role counts at once, for tokens and sessions that exist', async () => {
  const { id, token } = await app.addUser('frida')
  const session = await sessionOf('frida@example.com')
  const statuses = async () => [(await app.as(token).get('/users')).status, (await session.get('/users')).status]
  expect(await statuses()).toEqual([403, 403])
  bodyOf(await admin.put(`/users/${id}`, { role: 'administrator' }), 200)
  expect(await statuses()).toEqual([200, 200])
  bodyOf(await admin.put(`/users/${id}`, { role: 'user' }), 200)
  expect(await statuses()).toEqual([403, 403])
})

test('the last administrator can be neither demoted nor deleted', async () => {
  const demotion = await admin.put('/users/admin', { role: 'user', name: 'Nobody' })
  expect(demotion).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(demotion.body.error).toContain('last administrator')
  expect(await admin.delete('/users/admin')).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(await read(admin, '/users/me')).toMatchObject({ role: 'administrator', name: 'Administrator' })
})

test('two administrators who demote each other at once leave one', async () => {
  const { id, token } = await app.addUser('gerda')
  bodyOf(await admin.put(`/users/${id}`, { role: 'administrator' }), 200)
  const gerda = app.as(token)
  const answers = await Promise.all([
    admin.put(`/users/${id}`, { role: 'user' }),
    gerda.put('/users/admin', { role: 'user' }),
  ])
  const still = answers[0].status === 200 ? admin : gerda
  expect(answers.map((answer) => answer.status)).toContain(200)
  const roles = (await read(still, '/users')).filter((user: Json) => user.role === 'administrator')
  expect(roles).toHaveLength(1)
  bodyOf(await still.put('/users/admin', { role: 'administrator' }), 200)
  bodyOf(await admin.delete(`/users/${id}`), 204)
})

test('an administrator may leave when there is another one', async () => {
  const { id, token } = await app.addUser('hanna')
  bodyOf(await admin.put(`/users/${id}`, { role: 'administrator' }), 200)
  expect(await app.as(token).delete(`/users/${id}`)).toMatchObject({ status: 204 })
  expect(await app.as(token).get('/users/me')).toMatchObject({ status: 401 })
})

test('with a deleted user go its sessions and tokens, and its peers stay without an owner', async () => {
  const network = await newNetwork(admin)
  const { id, token } = await app.addUser('ilse', [network.id])
  const session = await sessionOf('ilse@example.com')
  const peer = await newPeer(app.as(token), network)
  expect(peer.owner_id).toBe(id)
  expect(await admin.delete(`/users/${id}`)).toMatchObject({ status: 204, text: '' })
  for (const rest of [app.as(token), session]) {
    expect(await rest.get('/users/me')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  }
  expect(await login('ilse@example.com', PASSWORD)).toMatchObject({ status: 401 })
  expect(await read(admin, peerPath(network, peer))).toEqual({ ...peer, owner_id: '' })
  expect(await admin.get(`/users/${id}`)).toMatchObject({ status: 404 })
  const again = await app.addUser('ilse', [network.id])
  expect(await read(app.as(again.token), `/networks/${network.id}/peers`)).toMatchObject({ total: 0 })
})

test('a new password ends the sessions and leaves the tokens', async () => {
  const { id, token } = await app.addUser('jutta')
  const session = await sessionOf('jutta@example.com')
  expect(await session.get('/users/me')).toMatchObject({ status: 200 })
  bodyOf(await admin.put(`/users/${id}`, { password: 'another good password' }), 200)
  expect(await session.get('/users/me')).toMatchObject({ status: 401 })
  expect(await app.as(token).get('/users/me')).toMatchObject({ status: 200 })
  expect(await login('jutta@example.com', PASSWORD)).toMatchObject({ status: 401 })
  expect(await login('jutta@example.com', 'another good password')).toMatchObject({ status: 200 })
})

test('an update without a password leaves the sessions alone', async () => {
  const { id } = await app.addUser('karin')
  const session = await sessionOf('karin@example.com')
  bodyOf(await admin.put(`/users/${id}`, { name: 'Karin' }), 200)
  expect(await read(session, '/users/me')).toMatchObject({ name: 'Karin' })
})

test('no session that was opened with the old password survives a new one', async () => {
  const { id } = await app.addUser('lena')
  let password = PASSWORD
  for (let round = 0; round < 5; round++) {
    const next = `good password number ${round}`
    const early = Array.from({ length: 3 }, () => login('lena@example.com', password))
    const change = admin.put(`/users/${id}`, { password: next })
    const answers = await Promise.all(early)
    bodyOf(await change, 200)
    for (const { status, body } of answers) {
      if (status === 200) expect(await app.as(body.session_hash).get('/users/me')).toMatchObject({ status: 401 })
    }
    password = next
  }
})

test('new users get the default role and networks unless told otherwise', async () => {
  const network = await newNetwork(admin)
  const other = await newNetwork(admin)
  const untouched = await read(admin, '/users/defaults')
  expect(untouched).toEqual({ default_role: 'user', default_authorized_networks: [] })
  const defaults = { default_role: 'administrator', default_authorized_networks: [network.id] }
  expect(bodyOf(await admin.put('/users/defaults', defaults), 200)).toEqual(defaults)
  const make = async (name: string, fields: object = {}) =>
    bodyOf(await admin.post('/users', { email: `${name}@example.com`, name, ...fields }), 201)
  expect(await make('maria')).toMatchObject({ role: 'administrator', authorized_networks: [network.id] })
  expect(await make('nele', { role: 'user', authorized_networks: [other.id] })).toMatchObject({
    role: 'user',
    authorized_networks: [other.id],
  })
  expect(await make('olivia', { authorized_networks: [] })).toMatchObject({ authorized_networks: [] })
  expect(bodyOf(await admin.put('/users/defaults', { default_role: 'user' }), 200)).toEqual({
    ...defaults,
    default_role: 'user',
  })
  bodyOf(await admin.delete(`/networks/${network.id}`), 204)
  expect(await read(admin, '/users/defaults')).toEqual(untouched)
  expect(await make('paula')).toMatchObject({ role: 'user', authorized_networks: [] })
})

test.each([
  [{ default_role: 'root' }, 'default_role'],
  [{ default_role: 1 }, 'default_role'],
  [{ default_authorized_networks: ['nowhere'] }, 'no network "nowhere"'],
  [{ default_authorized_networks: 'all' }, 'default_authorized_networks'],
])('the defaults %j are refused and change nothing', async (body, error) => {
  const before = await read(admin, '/users/defaults')
  expect(await admin.put('/users/defaults', body)).toMatchObject(refused(error))
  expect(await read(admin, '/users/defaults')).toEqual(before)
})

test('a user sees itself and nobody else', async () => {
  const { id, token } = await app.addUser('quita')
  const quita = app.as(token)
  expect(await read(quita, '/users/me')).toMatchObject({ id, role: 'user' })
  for (const path of ['/users', `/users/${id}`, '/users/admin', '/users/nobody', '/users/defaults']) {
    expect(await quita.get(path), path).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  }
  expect(await quita.put(`/users/${id}`, { role: 'administrator' })).toMatchObject({ status: 403 })
  expect(await quita.post('/users', { email: 'x@example.com', name: 'x' })).toMatchObject({ status: 403 })
})
