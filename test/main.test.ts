import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { VERSION } from '../src/version.ts'
import { restClient } from './harness.ts'
import { run, temporaryDirectory } from './process.ts'

const AUTH_PASSWORD = 'a password for tests'

async function login(url: string, password: string) {
  return restClient(url, undefined).post('/auth/login', { username: 'admin', password })
}

test('the first start prints both URLs and an administrator password that works, the second start prints no password', async () => {
  await using directory = await temporaryDirectory()
  await using first = run({ DATABASE_URL: directory.database })
  const url = await first.ready
  expect(first.stdout()).toContain(`MCP  ${url}/api/v1/mcp`)
  const password = /password (\S+)/.exec(first.stdout())?.[1] ?? ''
  expect((await login(url, password)).status).toBe(200)
  expect(await first.end('SIGTERM')).toBe(0)
  expect(first.stderr()).not.toContain(password)

  await using second = run({ DATABASE_URL: directory.database })
  expect((await login(await second.ready, password)).status).toBe(200)
  expect(second.stdout()).not.toContain('password')
})

test('the database and its key are readable by their owner only', async () => {
  await using directory = await temporaryDirectory()
  await using server = run({ DATABASE_URL: directory.database })
  await server.ready
  for (const file of ['wirety.db', 'wirety.db-wal', 'wirety.db.key']) {
    expect([file, (await stat(join(directory.path, file))).mode & 0o077]).toEqual([file, 0])
  }
})

test('a changed AUTH_PASSWORD takes effect and ends the sessions of the administrator', async () => {
  await using directory = await temporaryDirectory()
  await using first = run({ DATABASE_URL: directory.database, AUTH_PASSWORD })
  const { session_hash } = (await login(await first.ready, AUTH_PASSWORD)).body
  await first.end('SIGTERM')
  await using second = run({ DATABASE_URL: directory.database, AUTH_PASSWORD: 'quite another one' })
  const url = await second.ready
  expect((await login(url, AUTH_PASSWORD)).status).toBe(401)
  expect((await login(url, 'quite another one')).status).toBe(200)
  expect((await restClient(url, session_hash).get('/users/me')).status).toBe(401)
})

test('a database opens only with the SECRET_KEY it was created with', async () => {
  await using directory = await temporaryDirectory()
  const settings = { DATABASE_URL: directory.database, AUTH_PASSWORD }
  await using first = run({ ...settings, SECRET_KEY: 'k'.repeat(32) })
  await first.ready
  await first.end('SIGTERM')
  await using second = run({ ...settings, SECRET_KEY: 'l'.repeat(32) })
  expect(await second.ended()).toBe(1)
  expect(second.stderr()).toBe(
    'wirety-mcp: SECRET_KEY (or the .key file) is not the one this database was created with\n',
  )
})

test('a database of a newer program is refused in one sentence and left as it is', async () => {
  await using directory = await temporaryDirectory()
  const settings = { DATABASE_URL: directory.database, AUTH_PASSWORD }
  await using first = run(settings)
  await first.ready
  await first.end('SIGTERM')
  const database = new DatabaseSync(join(directory.path, 'wirety.db'))
  database.exec("INSERT INTO schema_migrations VALUES (999, 'future', '2030-01-01T00:00:00Z')")
  database.close()
  await using second = run(settings)
  expect(await second.ended()).toBe(1)
  expect(second.stderr()).toMatch(
    /^wirety-mcp: the database has schema version 999, this program knows \d+: start a newer wirety-mcp\n$/,
  )
})

test.each([
  [{ HTTP_PORT: 'http' }, 'HTTP_PORT: is a port number'],
  [{ SECRET_KEY: 'short' }, 'SECRET_KEY: has at least 32 characters: openssl rand -hex 32'],
  [{ AUTH_PASSWORD: 'short' }, 'AUTH_PASSWORD: has at least 8 characters'],
  [{ DATABASE_URL: 'mysql://db' }, 'DATABASE_URL: is file: and a path, such as file:data/wirety.db'],
])('a bad setting ends the start with one sentence that names it: %o', async (settings, problem) => {
  await using server = run(settings)
  expect(await server.ended()).toBe(1)
  expect(server.stderr()).toBe(`wirety-mcp: settings: ${problem}\n`)
})

test('an older Node is told in one sentence what is needed', async () => {
  await using directory = await temporaryDirectory()
  const pretend = join(directory.path, 'pretend.mjs')
  await writeFile(
    pretend,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });" +
      "Object.defineProperty(process, 'version', { value: 'v20.20.2' })",
  )
  await using server = run({ DATABASE_URL: directory.database }, [], ['--import', pretend])
  expect(await server.ended()).toBe(1)
  expect(server.stderr()).toMatch(/^wirety-mcp needs Node 24 or newer, and this is v20\.20\.2; [^\n]+\n$/)
})

test('a port in use ends the start with a sentence', async () => {
  await using directory = await temporaryDirectory()
  await using first = run({ DATABASE_URL: directory.database, AUTH_PASSWORD })
  const { port } = new URL(await first.ready)
  await using second = run({ DATABASE_URL: `${directory.database}2`, AUTH_PASSWORD, HTTP_PORT: port })
  expect(await second.ended()).toBe(1)
  expect(second.stderr()).toContain(port)
})

test('an unknown command prints the usage and ends with 2', async () => {
  await using program = run({}, ['fly'])
  expect(await program.ended()).toBe(2)
  expect(program.stderr()).toContain('wirety-mcp stdio')
})

test('SIGTERM ends open event streams and the process', async () => {
  await using directory = await temporaryDirectory()
  await using server = run({ DATABASE_URL: directory.database, AUTH_PASSWORD })
  const url = await server.ready
  const { session_hash } = (await login(url, AUTH_PASSWORD)).body
  const stream = await fetch(`${url}/api/v1/mcp`, {
    headers: { accept: 'text/event-stream', authorization: `Session ${session_hash}` },
  })
  expect(stream.status).toBe(200)
  expect(await server.end('SIGTERM')).toBe(0)
  await stream.text().catch(() => undefined)
})

test('every acknowledged write survives kill -9, and nothing is half there', async () => {
  await using directory = await temporaryDirectory()
  const settings = { DATABASE_URL: directory.database, AUTH_PASSWORD }
  await using first = run(settings)
  const url = await first.ready
  const { session_hash } = (await login(url, AUTH_PASSWORD)).body
  const network = (await restClient(url, session_hash).post('/networks', { name: 'office', cidr: '10.0.0.0/16' })).body
    .id
  const acknowledged: string[] = []
  const writer = async (lane: number) => {
    for (let index = 0; ; index++) {
      const answer = await restClient(url, session_hash).post(`/networks/${network}/peers`, {
        name: `p-${lane}-${index}`,
      })
      if (answer.status === 201) acknowledged.push(answer.body.name)
    }
  }
  const writers = Array.from({ length: 8 }, (_, lane) => writer(lane).catch(() => undefined))
  while (acknowledged.length < 150) await new Promise((resolve) => setTimeout(resolve, 5))
  first.child.kill('SIGKILL')
  await Promise.all([once(first.child, 'close'), ...writers])

  await using second = run(settings)
  const rest = restClient(await second.ready, session_hash)
  const peers = (await rest.get(`/networks/${network}/peers?page_size=500`)).body
  expect(peers.data.map((peer: { name: string }) => peer.name)).toEqual(expect.arrayContaining(acknowledged))
  expect((await rest.get(`/networks/${network}`)).body.peer_count).toBe(peers.total)
  expect((await rest.post(`/networks/${network}/peers`, { name: 'after' })).status).toBe(201)
  await second.end('SIGTERM')

  const database = new DatabaseSync(join(directory.path, 'wirety.db'))
  const count = (sql: string) => database.prepare(sql).get()?.n
  const written = count('SELECT COUNT(*) AS n FROM peers')
  expect(count("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'create_peer' AND outcome = 'ok'")).toBe(written)
  expect(count('SELECT next_host_v4 - 1 AS n FROM networks')).toBe(written)
  expect(count('SELECT revision - 1 AS n FROM networks')).toBe(written)
  expect(database.prepare('PRAGMA integrity_check').get()?.integrity_check).toBe('ok')
  database.close()
})

test('the version is the one of the package', async () => {
  expect(JSON.parse(await readFile('package.json', 'utf8')).version).toBe(VERSION)
})
