import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSession } from '../auth/people.ts'
import { type PortalScene, startPortal } from './portal-scene.ts'
import { JSON_TYPE, sendRaw } from './raw.ts'
import type { Json } from './topologies.ts'

const AUTHENTICATE = '/captive-portal/authenticate'

let scene: PortalScene

beforeAll(async () => {
  scene = await startPortal()
})
afterAll(() => scene[Symbol.asyncDispose]())

const unauthenticated = (error: string) => ({ status: 401, body: { error, code: 'unauthenticated' } })
const revokePath = (peer: Json) => `/networks/${scene.network.id}/peers/${peer.id}/revoke-auth`

/** Lets a peer through with its owner's session. */
async function admit(peer: Json, session: string) {
  const link = await scene.link(peer)
  return (await scene.opened(link, session)).post(AUTHENTICATE, { captive_token: link })
}

/** What somebody is told who opens a link for `peer`, looks at it and uses it. */
async function attempts(peer: Json, session: string | undefined) {
  const link = await scene.link(peer)
  const browser = await scene.opened(link, session)
  const preview = await browser.get(`/captive-portal/preview?token=${link}`)
  return [preview, await browser.post(AUTHENTICATE, { captive_token: link })]
}

test('nobody signs in for a peer of somebody else, administrators included', async () => {
  const foreign = unauthenticated('access denied: this peer belongs to another user')
  for (const session of [scene.sessions.bert, scene.sessions.root]) {
    expect(await attempts(scene.laptop, session)).toMatchObject([foreign, foreign])
  }
  expect(await scene.admitted()).toEqual([])
})

test('nobody signs in for a peer without an owner', async () => {
  const error = 'access denied: this peer has no owner and cannot be authenticated via captive portal'
  expect(await attempts(scene.printer, scene.sessions.root)).toMatchObject([
    unauthenticated(error),
    unauthenticated(error),
  ])
})

test('who is not signed in is told so', async () => {
  const missing = unauthenticated('no session found, please log in first')
  expect(await attempts(scene.laptop, undefined)).toMatchObject([missing, missing])
  const dead = unauthenticated('invalid session')
  expect(await attempts(scene.laptop, `ses_${'x'.repeat(43)}`)).toMatchObject([dead, dead])
  expect(await attempts(scene.laptop, 'nonsense')).toMatchObject([dead, dead])
  const former = await newSession(scene.app, scene.provider, 'alice')
  await scene.app.as(former).post('/auth/logout')
  expect(await attempts(scene.laptop, former)).toMatchObject([dead, dead])
})

test('a session in a header does not count, nor does an API token', async () => {
  const link = await scene.link(scene.laptop)
  const browser = await scene.opened(link)
  const cookie = `wirety_cp_state=${browser.cookies.get('wirety_cp_state')}`
  const { body } = await scene.app.as(scene.sessions.alice).post('/users/me/tokens', { name: 'bot' })
  for (const authorization of [`Session ${scene.sessions.alice}`, `Bearer ${body.token}`]) {
    const headers = { ...JSON_TYPE, cookie, authorization }
    const sent = { method: 'POST', path: AUTHENTICATE, headers, body: JSON.stringify({ captive_token: link }) }
    expect(await sendRaw(scene.app, sent)).toMatchObject(unauthenticated('no session found, please log in first'))
  }
})

test('a page of another site cannot use a link', async () => {
  const link = await scene.link(scene.laptop)
  const browser = await scene.opened(link, scene.sessions.alice)
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const headers = { ...JSON_TYPE, cookie, origin: 'https://evil.example' }
  const sent = { method: 'POST', path: AUTHENTICATE, headers, body: JSON.stringify({ captive_token: link }) }
  expect((await sendRaw(scene.app, sent)).status).toBe(403)
  expect(await scene.admitted()).toEqual([])
})

test('who may no longer use the network is not let through', async () => {
  const root = scene.app.as(scene.sessions.root)
  await root.put('/users/bert', { authorized_networks: [] })
  const gone = unauthenticated('peer not found in network')
  expect(await attempts(scene.phone, scene.sessions.bert)).toMatchObject([gone, gone])
  await root.put('/users/bert', { authorized_networks: [scene.network.id] })
  expect(await admit(scene.phone, scene.sessions.bert)).toMatchObject({ status: 200 })
})

test('the owner revokes what was granted and every open link', async () => {
  expect(await admit(scene.laptop, scene.sessions.alice)).toMatchObject({ status: 200 })
  const link = await scene.link(scene.laptop)
  const owner = scene.app.as(scene.sessions.alice)
  expect(await owner.post(revokePath(scene.laptop))).toMatchObject({ status: 204, text: '' })
  expect(await scene.admitted()).toEqual([scene.phone.id])
  expect((await scene.browser().get(`/captive-portal/start?token=${link}`)).status).toBe(400)
  expect(await owner.post(revokePath(scene.laptop))).toMatchObject({ status: 204 })
})

test('administrators revoke for everybody, others for nobody else', async () => {
  expect(await admit(scene.laptop, scene.sessions.alice)).toMatchObject({ status: 200 })
  const as = (session: string | undefined) => scene.app.as(session).post(revokePath(scene.laptop))
  expect(await as(undefined)).toMatchObject({ status: 401 })
  expect(await as(scene.sessions.bert)).toMatchObject({ status: 404 })
  expect(await as(scene.jump.token)).toMatchObject({ status: 401 })
  expect(await scene.admitted()).toContain(scene.laptop.id)
  expect(await as(scene.sessions.root)).toMatchObject({ status: 204 })
  expect(await scene.admitted()).not.toContain(scene.laptop.id)
})

test('the audit log tells who asked, who opened, who was refused, who was let through and who revoked', async () => {
  const root = scene.app.as(scene.sessions.root)
  const since = scene.app.app.env.now().toISOString()
  expect(await admit(scene.laptop, scene.sessions.bert)).toMatchObject({ status: 401 })
  expect(await admit(scene.laptop, scene.sessions.alice)).toMatchObject({ status: 200 })
  await scene.app.as(scene.sessions.alice).post(revokePath(scene.laptop))
  const { data } = (await root.get(`/audit?since=${since}`)).body
  const rows = data.toReversed().map((row: Json) => [row.action, row.outcome, row.actor_id, row.credential])
  const opening = [
    ['create_captive_portal_token', 'ok', scene.jump.id, 'enrolment_token'],
    ['bind_captive_portal_token', 'ok', '', 'none'],
  ]
  expect(rows).toEqual([
    ...opening,
    ['authenticate_captive_portal', 'unauthenticated', 'bert', 'session'],
    ...opening,
    ['authenticate_captive_portal', 'ok', 'alice', 'session'],
    ['revoke_peer_auth', 'ok', 'alice', 'session'],
  ])
  const admitted = data.find((row: Json) => row.actor_id === 'alice' && row.outcome === 'ok' && row.input.peer_ip)
  const { laptop, jump, network } = scene
  expect(admitted).toMatchObject({
    network_id: network.id,
    object_id: laptop.id,
    input: { jump_peer_id: jump.id, peer_id: laptop.id, peer_ip: laptop.address, peer_endpoint: '' },
  })
})
