import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PortalScene, startPortal } from './portal-scene.ts'
import { sendRaw } from './raw.ts'

const AUTHENTICATE = '/captive-portal/authenticate'
const MISMATCH = 'session mismatch: please reopen the captive portal link in the browser that received it'

let scene: PortalScene

beforeAll(async () => {
  scene = await startPortal()
})
afterAll(() => scene[Symbol.asyncDispose]())

const unauthenticated = (error: string) => ({ status: 401, body: { error, code: 'unauthenticated' } })

test('a link belongs to the browser that opened it first', async () => {
  const { laptop, sessions } = scene
  const link = await scene.link(laptop)
  const path = `/captive-portal/start?token=${link}`
  expect((await sendRaw(scene.app, { method: 'HEAD', path })).status).toBe(302)
  const first = await scene.opened(link, sessions.alice)
  const second = scene.browser(sessions.alice)
  expect(await second.get(path)).toMatchObject({ status: 400, body: { error: MISMATCH } })
  expect(second.cookies.has('wirety_cp_state')).toBe(false)
  expect(await second.post(AUTHENTICATE, { captive_token: link })).toMatchObject(unauthenticated(MISMATCH))
  second.cookies.set('wirety_cp_state', 'f'.repeat(32))
  expect(await second.post(AUTHENTICATE, { captive_token: link })).toMatchObject(unauthenticated(MISMATCH))
  expect((await first.get(path)).status).toBe(302)
  expect((await first.post(AUTHENTICATE, { captive_token: link })).status).toBe(200)
})

test('of two browsers that open a link at the same time one gets it', async () => {
  const link = await scene.link(scene.laptop)
  const opening = Array.from({ length: 8 }, () => scene.browser().get(`/captive-portal/start?token=${link}`))
  const statuses = (await Promise.all(opening)).map(({ status }) => status)
  expect(statuses.toSorted()).toEqual([302, ...Array(7).fill(400)])
})

test.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', '/networks', 'ftp://example.com/', 'https://'])(
  'nobody is sent to %s afterwards, and such a link stays unopened',
  async (redirect) => {
    const link = await scene.link(scene.laptop)
    const query = new URLSearchParams({ token: link, redirect })
    expect(await scene.browser().get(`/captive-portal/start?${query}`)).toMatchObject({
      status: 400,
      body: { error: 'redirect must be an http or https URL' },
    })
    expect((await scene.browser().get(`/captive-portal/start?token=${link}`)).status).toBe(302)
  },
)

test('opening a link needs its token', async () => {
  const start = (query: string) => scene.browser().get(`/captive-portal/start${query}`)
  expect(await start('')).toMatchObject({ status: 400, body: { error: 'token is required' } })
  expect(await start('?token=')).toMatchObject({ status: 400, body: { error: 'token is required' } })
  expect(await start('?token=cpt_x')).toMatchObject({ status: 400, body: { error: 'invalid token' } })
  expect((await start('?token=a&token=b')).status).toBe(400)
})
