import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD, startTestApp, type TestApp } from '../harness.ts'
import { newSession } from './people.ts'
import { startProvider, type TestProvider } from './provider.ts'

let provider: TestProvider

beforeAll(async () => {
  provider = await startProvider()
})

afterAll(() => provider[Symbol.asyncDispose]())

describe('who comes first', () => {
  test('becomes administrator, the next ones do not, also at the same time', async () => {
    await using fresh = await startTestApp(provider.settings)
    const sessions = await Promise.all(['one', 'two', 'three'].map((name) => newSession(fresh, provider, name)))
    const roles = await Promise.all(
      sessions.map(async (session) => (await fresh.as(session).get('/users/me')).body.role),
    )
    expect(roles.sort()).toEqual(['administrator', 'user', 'user'])
  })

  test('does not when somebody administers already', async () => {
    await using simple = await startTestApp()
    await simple
      .as(simple.adminToken)
      .post('/users', { email: 'boss@example.com', name: 'Boss', role: 'administrator' })
    await using later = await restarted(simple, provider.settings)
    expect((await later.as(await newSession(later, provider, 'late')).get('/users/me')).body.role).toBe('user')
  })
})

test('nobody becomes administrator by coming first after others, when groups decide no longer', async () => {
  const groups = { AUTH_ADMIN_GROUP: 'ops', AUTH_USER_GROUP: 'staff' }
  await using strict = await startTestApp({ ...provider.settings, ...groups })
  await newSession(strict, provider, 'one', { groups: ['staff'] })
  await using loose = await restarted(strict, provider.settings)
  expect((await loose.as(await newSession(loose, provider, 'two')).get('/users/me')).body.role).toBe('user')
})

test('changing the way to sign in ends the sessions of the other way; API tokens stay', async () => {
  await using simple = await startTestApp()
  const login = await simple.as(undefined).post('/auth/login', { username: 'admin', password: PASSWORD })
  const bySession = login.body.session_hash
  {
    await using later = await restarted(simple, provider.settings)
    expect(await later.as(bySession).get('/users/me')).toMatchObject({ status: 401 })
    expect(await later.as(simple.adminToken).get('/users/me')).toMatchObject({ status: 200, body: { id: 'admin' } })
    const byProvider = await newSession(later, provider, 'alice')
    await using again = await restarted(later, {})
    expect(await again.as(byProvider).get('/users/me')).toMatchObject({ status: 401 })
    expect(await again.as(undefined).post('/auth/login', { username: 'admin', password: PASSWORD })).toMatchObject({
      status: 200,
    })
  }
})

/** The same data under other settings. */
async function restarted(former: TestApp, settings: Record<string, string>): Promise<TestApp> {
  await former.app[Symbol.asyncDispose]()
  return startTestApp(settings, { directory: former.directory })
}

test('an account whose provider moved to another address stays the same user', async () => {
  await using other = await startProvider()
  await using first = await startTestApp(provider.settings)
  const { id } = (await first.as(await newSession(first, provider, 'erin')).get('/users/me')).body
  await using moved = await restarted(first, other.settings)
  expect((await moved.as(await newSession(moved, other, 'erin')).get('/users/me')).body).toMatchObject({
    id,
    role: 'administrator',
  })
})
