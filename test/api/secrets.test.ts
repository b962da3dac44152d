import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD, type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, configOf, type Json, newOffice, newPeer, peerPath, raiseIncident, read } from './topologies.ts'

let app: TestApp
let admin: Rest
/** What only its holder may know, by kind. */
const secrets: Record<string, string[]> = {}

const GOOD = 'correct horse battery staple'
const WRONG = 'wrong horse battery staple'

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
  const { network, jump, laptop, server } = await newOffice(admin)
  const { id, token } = await app.addUser('anna', [network.id])
  const anna = app.as(token)
  const phone = await newPeer(anna, network, { name: 'phone' })
  const peers = [jump, laptop, server, phone]
  const configs = await Promise.all(peers.map((peer) => configOf(admin, network, peer)))
  const keysOf = (kind: string) =>
    configs.flatMap((config) =>
      [...config.matchAll(new RegExp(`^${kind} = (.+)$`, 'gm'))].map((match) => match[1] ?? ''),
    )
  secrets.privateKeys = keysOf('PrivateKey')
  secrets.presharedKeys = keysOf('PresharedKey')
  secrets.enrolmentTokens = peers.map((peer) => peer.token)
  bodyOf(await admin.put(`/users/${id}`, { password: GOOD }), 200)
  await admin.put(`/users/${id}`, { password: GOOD, role: 'king' })
  await admin.post('/users', { email: 'anna@example.com', name: 'Anna', password: GOOD })
  await anna.put(`/users/${id}`, { password: WRONG })
  secrets.passwords = [PASSWORD, GOOD, WRONG]
  secrets.sessions = await sessions()
  secrets.apiTokens = [app.adminToken, token, ...(await tokens(anna))]
  const incident = await raiseIncident(app, network, laptop)
  bodyOf(await admin.post(`/security/incidents/${incident}/resolve`), 200)
  bodyOf(await admin.put(peerPath(network, laptop), { endpoint: '203.0.113.5' }), 200)
  bodyOf(await admin.delete(peerPath(network, server)), 204)
  await read(admin, `/networks/${network.id}/peers`)
})

afterAll(() => app[Symbol.asyncDispose]())

/** Session values: one in use, one signed out. */
async function sessions(): Promise<string[]> {
  const login = (password: string) => app.as(undefined).post('/auth/login', { username: 'anna@example.com', password })
  const values = [bodyOf(await login(GOOD), 200).session_hash, bodyOf(await login(GOOD), 200).session_hash]
  expect((await login(WRONG)).status).toBe(401)
  bodyOf(await app.as(values[0]).get('/users/me'), 200)
  bodyOf(await app.as(undefined).post('/auth/logout', { session_hash: values[1] }), 200)
  return values
}

/** API tokens: one in use, one deleted. */
async function tokens(rest: Rest): Promise<string[]> {
  const made: Json[] = []
  for (const name of ['one', 'two']) made.push(bodyOf(await rest.post('/users/me/tokens', { name }), 201))
  for (const { token } of made) bodyOf(await app.as(token).get('/users/me'), 200)
  bodyOf(await rest.delete(`/users/me/tokens/${made[1].id}`), 204)
  return made.map((each) => each.token)
}

/** The forms in which a secret would be found: as text, and for keys and tokens the bytes that the text stands for. */
function formsOf(kind: string, secret: string): Buffer[] {
  const text = Buffer.from(secret)
  if (kind === 'passwords') return [text, Buffer.from(encodeURIComponent(secret)), Buffer.from(text.toString('base64'))]
  const bare = secret.replace(/^(?:wirety|enr|ses)_/, '')
  const raw = Buffer.from(bare, kind === 'apiTokens' ? 'hex' : 'base64')
  return [text, Buffer.from(bare), raw, Buffer.from(raw.toString('hex'))]
}

const KINDS = ['privateKeys', 'presharedKeys', 'enrolmentTokens', 'apiTokens', 'sessions', 'passwords']

test.each(KINDS)('the database files hold no %s, not in any form', async (kind) => {
  const path = join(app.directory, 'wirety.db')
  const files = [await readFile(path), await readFile(`${path}-wal`)]
  expect(files[1]?.includes('anna@example.com')).toBe(true)
  expect(secrets[kind]?.length).toBeGreaterThan(1)
  for (const secret of secrets[kind] ?? []) {
    expect(secret.length).toBeGreaterThan(15)
    for (const form of formsOf(kind, secret)) {
      expect(files.map((file) => file.includes(form))).toEqual([false, false])
    }
  }
})

test.each(['wirety.db', 'wirety.db-wal', 'wirety.db-shm', 'wirety.db.key'])(
  'nobody but the owner of the process may read %s',
  async (file) => {
    const { mode } = await stat(join(app.directory, file))
    expect((mode & 0o777).toString(8)).toBe('600')
  },
)

test.each(KINDS)('the log holds no %s', async (kind) => {
  const log = app.logged.join('\n')
  for (const secret of secrets[kind] ?? []) expect(log.includes(secret)).toBe(false)
})

test.each(['privateKeys', 'presharedKeys', 'apiTokens', 'sessions', 'passwords'])(
  'no list or object that is read back shows %s',
  async (kind) => {
    const [network] = (await read(admin, '/networks')).data
    const [peer] = (await read(admin, `/networks/${network.id}/peers`)).data
    const paths = [
      '/users',
      '/users/me',
      '/users/me/tokens',
      '/networks',
      `/networks/${network.id}/peers`,
      peerPath(network, peer),
      `${peerPath(network, peer)}/session`,
      `${peerPath(network, peer)}/reachability`,
      `/networks/${network.id}/acl`,
      '/security/incidents',
      '/ipam',
    ]
    const answers = await Promise.all(paths.map((path) => admin.get(path)))
    const text = answers.map((answer) => answer.text).join('\n')
    for (const secret of secrets[kind] ?? []) expect(text.includes(secret)).toBe(false)
  },
)
