import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeApi } from '../../src/api/openapi/index.ts'
import { startTestApp } from '../harness.ts'
import { conformanceOf } from './conformance.ts'
import { type PortalScene, startPortal } from './portal-scene.ts'
import type { RawAnswer } from './raw.ts'
import { newOffice, newPeer } from './topologies.ts'

const AUTHENTICATE = '/captive-portal/authenticate'
const DAY = 24 * 3600_000

const conformance = conformanceOf(JSON.parse(JSON.stringify(describeApi())))
let scene: PortalScene

beforeAll(async () => {
  scene = await startPortal()
})
afterAll(() => scene[Symbol.asyncDispose]())

function expectDocumented(route: string, { headers, ...answer }: RawAnswer): void {
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
  expect(conformance.deviation(route, { ...answer, headers: new Headers(pairs) })).toBeUndefined()
}

const unauthenticated = (error: string) => ({ status: 401, body: { error, code: 'unauthenticated' } })

test('a jump peer gets a link, its owner opens it in a browser and is let through for a day', async () => {
  const { laptop, jump, network, sessions } = scene
  const asked = await scene.ask({ peer_ip: laptop.address, peer_endpoint: '203.0.113.5:51820' })
  expectDocumented('POST /captive-portal/token', asked)
  expect(asked.body).toEqual({
    token: expect.stringMatching(/^cpt_[\w-]{43}$/),
    network_id: network.id,
    jump_peer_id: jump.id,
    peer_ip: laptop.address,
    peer_endpoint: '203.0.113.5:51820',
    created_at: expect.any(String),
    expires_at: expect.any(String),
  })
  expect(Date.parse(asked.body.expires_at) - Date.parse(asked.body.created_at)).toBe(600_000)

  const { token } = asked.body
  const browser = scene.browser(sessions.alice)
  const redirect = 'http://example.com/a b?x=1&token=evil#y'
  const started = await browser.get(`/captive-portal/start?${new URLSearchParams({ token, redirect })}`)
  expectDocumented('GET /captive-portal/start', started)
  const location = new URL(started.headers.location ?? '', 'https://portal.example')
  expect(location.pathname).toBe('/captive-portal')
  expect([...location.searchParams]).toEqual([
    ['token', token],
    ['redirect', 'http://example.com/a%20b?x=1&token=evil#y'],
  ])
  expect(started.headers['set-cookie']).toEqual([
    expect.stringMatching(
      /^wirety_cp_state=[0-9a-f]{32}; Max-Age=600; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
    ),
  ])

  const preview = await browser.get(`/captive-portal/preview?token=${token}`)
  expectDocumented('GET /captive-portal/preview', preview)
  expect(preview.body).toEqual({
    peer_id: laptop.id,
    peer_name: 'laptop',
    peer_wg_ip: laptop.address,
    network_id: network.id,
    network_name: 'office',
    peer_endpoint: '203.0.113.5:51820',
    endpoint_ip: '203.0.113.5',
  })

  const answer = await browser.post(AUTHENTICATE, { captive_token: token })
  expectDocumented('POST /captive-portal/authenticate', answer)
  expect(answer).toMatchObject({
    status: 200,
    body: { peer_ip: laptop.address, network_id: network.id, whitelisted: true },
  })
  expect(browser.cookies.has('wirety_cp_state')).toBe(false)
  expect(await scene.admitted()).toEqual([laptop.id])
  expect(await browser.post(AUTHENTICATE, { captive_token: token })).toMatchObject(unauthenticated('invalid token'))
  expect(await scene.admitted(DAY - 60_000)).toEqual([laptop.id])
  expect(await scene.admitted(DAY)).toEqual([])
})

test('a peer is known by its IPv6 address, however it is written, and by the older name of its endpoint', async () => {
  const { laptop, sessions } = scene
  const peer_ip = laptop.address_v6.replace('::', ':0:0:0:').toUpperCase()
  const asked = await scene.ask({ peer_ip, peer_endpoint_ip: '2001:DB8::1', peer_endpoint: '' })
  expect(asked.body).toMatchObject({ peer_ip: laptop.address_v6, peer_endpoint: '2001:db8::1' })
  const browser = await scene.opened(asked.body.token, sessions.alice)
  expect(await browser.post(AUTHENTICATE, { captive_token: asked.body.token })).toMatchObject({
    status: 200,
    body: { peer_ip: laptop.address_v6 },
  })
})

test('only the enrolment token of a jump peer makes links', async () => {
  const { laptop, sessions } = scene
  const body = { peer_ip: laptop.address }
  expect(await scene.ask(body, '')).toMatchObject(unauthenticated('authorization required'))
  expect(await scene.ask(body, `enr_${'x'.repeat(43)}`)).toMatchObject(unauthenticated('invalid token'))
  expect(await scene.ask(body, sessions.root)).toMatchObject(unauthenticated('invalid token'))
  expect(await scene.ask(body, laptop.token)).toMatchObject({
    status: 403,
    body: { error: 'only jump peers can create captive portal tokens', code: 'forbidden' },
  })
  expect((await scene.app.as(scene.jump.token).get('/networks')).status).toBe(401)
})

test('a link is made for addresses of the own network only', async () => {
  const root = scene.app.as(scene.sessions.root)
  const other = await newOffice(root, { name: 'plant', cidr: '10.20.0.0/24' })
  for (const peer_ip of [other.laptop.address, '10.10.0.200', 'laptop', '', undefined]) {
    expect(await scene.ask({ peer_ip }), peer_ip).toMatchObject({ status: 400, body: { code: 'invalid' } })
  }
  for (const peer_endpoint of ['vpn.example.com:51820', 'x y', '203.0.113.5:99999']) {
    expect((await scene.ask({ peer_ip: scene.laptop.address, peer_endpoint })).status).toBe(400)
  }
})

test('a new link for an address ends the former one of the same jump peer', async () => {
  const { laptop, phone, sessions } = scene
  const former = await scene.link(laptop)
  const others = await scene.link(phone)
  const next = await scene.link(laptop)
  expect(await scene.browser().get(`/captive-portal/start?token=${former}`)).toMatchObject({
    status: 400,
    body: { error: 'invalid token' },
  })
  for (const [link, session] of [
    [next, sessions.alice],
    [others, sessions.bert],
  ] as const) {
    const browser = await scene.opened(link, session)
    expect((await browser.post(AUTHENTICATE, { captive_token: link })).status).toBe(200)
  }
})

test('of two uses of a link at the same time one counts', async () => {
  const link = await scene.link(scene.laptop)
  const browser = await scene.opened(link, scene.sessions.alice)
  const using = Array.from({ length: 5 }, () => browser.post(AUTHENTICATE, { captive_token: link }))
  const statuses = (await Promise.all(using)).map(({ status }) => status)
  expect(statuses.toSorted()).toEqual([200, 401, 401, 401, 401])
})

test('a link that nobody opened is of no use', async () => {
  const link = await scene.link(scene.laptop)
  const browser = scene.browser(scene.sessions.alice)
  browser.cookies.set('wirety_cp_state', '0'.repeat(32))
  expect(await browser.post(AUTHENTICATE, { captive_token: link })).toMatchObject(
    unauthenticated('invalid token: not bound to a browser session'),
  )
})

test('a link ends after ten minutes', async () => {
  const link = await scene.link(scene.laptop)
  const browser = await scene.opened(link, scene.sessions.alice)
  scene.pass(600_000)
  expect(await browser.get(`/captive-portal/start?token=${link}`)).toMatchObject({
    status: 400,
    body: { error: 'token expired' },
  })
  expect(await browser.get(`/captive-portal/preview?token=${link}`)).toMatchObject(unauthenticated('token expired'))
  expect(await browser.post(AUTHENTICATE, { captive_token: link })).toMatchObject(unauthenticated('token expired'))
})

test('what expired is forgotten when something new is written', async () => {
  scene.pass(2 * DAY)
  await scene.link(scene.phone)
  const count = (table: string) =>
    scene.app.app.env.database.read((tx) => tx.find<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))
  expect(await count('captive_portal_tokens')).toEqual({ n: 1 })
  expect(await count('captive_portal_whitelist')).toEqual({ n: 0 })
  scene.pass(-2 * DAY) // the provider knows no other time
})

test('without OpenID Connect there is no captive portal', async () => {
  await using simple = await startTestApp()
  const admin = simple.as(simple.adminToken)
  const { jump, laptop } = await newOffice(admin)
  const refused = {
    status: 403,
    body: { error: 'captive portal is not available when AUTH_ENABLED=false', code: 'forbidden' },
  }
  expect(await simple.as(jump.token).post('/captive-portal/token', { peer_ip: laptop.address })).toMatchObject(refused)
  expect(await admin.get('/captive-portal/preview?token=x')).toMatchObject(refused)
  expect(await admin.post(AUTHENTICATE, { captive_token: 'x' })).toMatchObject(refused)
})

test('the secrets of a link are kept as hashes, and the log has none of them', async () => {
  const link = await scene.link(scene.laptop)
  const browser = await scene.opened(link, scene.sessions.alice)
  const state = browser.cookies.get('wirety_cp_state') ?? ''
  const { database } = scene.app.app.env
  const rows = await database.read(async (tx) => [
    ...(await tx.all('SELECT * FROM captive_portal_tokens')),
    ...(await tx.all('SELECT * FROM audit_log')),
  ])
  for (const secret of [link, state, scene.jump.token]) {
    expect(secret.length).toBeGreaterThan(30)
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(scene.app.logged.join('')).not.toContain(secret)
  }
})

test('deleting the peer ends its link and its admission', async () => {
  const root = scene.app.as(scene.sessions.root)
  const tablet = await newPeer(root, scene.network, { name: 'tablet', owner_id: 'alice' })
  const used = await scene.link(tablet)
  const browser = await scene.opened(used, scene.sessions.alice)
  await browser.post(AUTHENTICATE, { captive_token: used })
  const link = await scene.link(tablet)
  expect(await scene.admitted()).toContain(tablet.id)
  expect((await root.delete(`/networks/${scene.network.id}/peers/${tablet.id}`)).status).toBe(204)
  expect(await scene.admitted()).not.toContain(tablet.id)
  expect((await browser.get(`/captive-portal/start?token=${link}`)).status).toBe(400)
})
