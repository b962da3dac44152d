import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { backup, restore } from '../../src/operating/backup.ts'
import { PASSWORD, restClient, startTestApp } from '../harness.ts'
import { run, temporaryDirectory } from '../process.ts'

const KEY = 'k'.repeat(32)

/** Runs a command to its end. */
async function command(settings: Record<string, string>, ...args: string[]) {
  await using program = run(settings, args)
  return { code: await program.ended(), stdout: program.stdout(), stderr: program.stderr() }
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

test('a backup of a server under write load restores to one state that is consistent', async () => {
  await using directory = await temporaryDirectory()
  const settings = { DATABASE_URL: directory.database }
  const server = await startTestApp(settings, { directory: directory.path })
  const rest = server.as(server.adminToken)
  const network = (await rest.post('/networks', { name: 'office', cidr: '10.0.0.0/16' })).body.id
  let isWriting = true
  let written = 0
  const writer = async (lane: number) => {
    for (let i = 0; isWriting; i++) {
      const { status } = await rest.post(`/networks/${network}/peers`, { name: `p-${lane}-${i}` })
      expect(status).toBe(201)
      written++
    }
  }
  const writers = Array.from({ length: 4 }, (_, lane) => writer(lane))
  while (written < 50) await new Promise((resolve) => setTimeout(resolve, 5))
  const file = join(directory.path, 'backup.db')
  const atLeast = written
  const copied = await command(settings, 'backup', file)
  isWriting = false
  await Promise.all(writers)
  expect(copied).toMatchObject({ code: 0, stderr: '' })
  expect(copied.stdout).toContain(`${file}.key is the key that opens it`)
  expect([await modeOf(file), await modeOf(`${file}.key`)]).toEqual([0o600, 0o600])
  expect((await readdir(directory.path)).filter((name) => name.endsWith('.part'))).toEqual([])
  const { token } = (await rest.get(`/networks/${network}/peers`)).body.data[0]
  expect((await readFile(file)).includes(token)).toBe(false)
  await server[Symbol.asyncDispose]()

  await using elsewhere = await temporaryDirectory()
  const moved = { DATABASE_URL: elsewhere.database.replace('wirety.db', 'new/wirety.db') }
  expect(await command(moved, 'restore', file)).toMatchObject({ code: 0, stderr: '' })
  await using second = await startTestApp(moved, { directory: elsewhere.path })
  const again = second.as(server.adminToken)
  const peers = (await again.get(`/networks/${network}/peers?page_size=500`)).body
  expect(peers.total).toBeGreaterThanOrEqual(atLeast)
  expect(peers.total).toBeLessThanOrEqual(written)
  expect((await again.get(`/networks/${network}`)).body.peer_count).toBe(peers.total)
  expect((await again.get('/audit?action=create_peer&outcome=ok')).body.total).toBe(peers.total)
  expect((await again.post(`/networks/${network}/peers`, { name: 'after' })).status).toBe(201)
  const config = (await again.get(`/networks/${network}/peers/${peers.data[0].id}/config`)).body.config
  expect(config).toContain('PrivateKey = ')
  expect(await modeOf(join(elsewhere.path, 'new', 'wirety.db'))).toBe(0o600)
})

test('a backup replaces nothing unless told, and says when there is no database', async () => {
  await using directory = await temporaryDirectory()
  const environment = { DATABASE_URL: directory.database, SECRET_KEY: KEY }
  const file = join(directory.path, 'backup.db')
  const absent = backup({ environment, file, force: false })
  await expect(absent).rejects.toThrow(/^cannot open the database .*wirety\.db \(setting DATABASE_URL\)$/)
  await using _server = await startTestApp(environment, { directory: directory.path })
  expect(await backup({ environment, file, force: false })).toContain('restore needs the same SECRET_KEY')
  expect(await readdir(directory.path)).not.toContain('backup.db.key')
  const second = backup({ environment, file, force: false })
  await expect(second).rejects.toThrow(`${file} exists already: name another file, or add --force`)
  await backup({ environment, file, force: true })
  const wrong = { ...environment, SECRET_KEY: 'l'.repeat(32) }
  await expect(backup({ environment: wrong, file, force: true })).rejects.toThrow('the key does not fit')
})

test('restore refuses what would do harm, and leaves everything as it was', async () => {
  await using directory = await temporaryDirectory()
  const environment = { DATABASE_URL: directory.database, SECRET_KEY: KEY }
  const path = (name: string) => join(directory.path, name)
  const file = path('backup.db')
  const server = await startTestApp(environment, { directory: directory.path })
  await backup({ environment, file, force: false })
  const refused = (why: string, options: { file?: string; force?: boolean; SECRET_KEY?: string } = {}) => {
    const { file: other = file, force = true, ...changed } = options
    const answer = restore({ environment: { ...environment, ...changed }, file: other, force })
    return expect(answer).rejects.toThrow(why)
  }
  await refused('exists already: --force replaces it', { force: false })
  await refused(`a server is using ${path('wirety.db')}: stop it first`)
  await server[Symbol.asyncDispose]()
  const before = await readFile(path('wirety.db'))

  await refused('there is no file', { file: path('none') })
  await refused('the key does not fit', { SECRET_KEY: 'l'.repeat(32) })
  await refused('no key: set SECRET_KEY', { SECRET_KEY: '' })
  await writeFile(path('text.db'), 'this is no database'.repeat(100))
  await refused('is not a database of wirety-mcp', { file: path('text.db') })
  const bytes = await readFile(file)
  await writeFile(path('damaged.db'), Buffer.concat([bytes.subarray(0, 40_960), Buffer.alloc(bytes.length - 40_960)]))
  await refused('is damaged: take another backup', { file: path('damaged.db') })
  await writeFile(path('half.db'), bytes.subarray(0, bytes.length / 2))
  await refused('is damaged', { file: path('half.db') })
  await copyFile(file, path('newer.db'))
  const connection = new DatabaseSync(path('newer.db'))
  connection.exec("INSERT INTO schema_migrations VALUES (999, 'future', '2030-01-01T00:00:00Z')")
  connection.close()
  await refused('has schema version 999', { file: path('newer.db') })
  await copyFile(file, path('raw.db'))
  await writeFile(path('raw.db-wal'), 'half a transaction')
  await refused('is a raw copy of a database in use', { file: path('raw.db') })

  expect(await readFile(path('wirety.db'))).toEqual(before)
  expect((await readdir(directory.path)).filter((name) => /restoring|part$/.test(name))).toEqual([])
  await using again = await startTestApp(environment, { directory: directory.path })
  expect((await again.as(again.adminToken).get('/users/me')).status).toBe(200)
})

test('restore brings back what was there, with its key, in the place of a database whose server was killed', async () => {
  await using directory = await temporaryDirectory()
  const environment = { DATABASE_URL: directory.database, AUTH_PASSWORD: PASSWORD }
  const file = join(directory.path, 'backup.db')
  await using first = run(environment)
  const url = await first.ready
  const credentials = { username: 'admin', password: PASSWORD }
  const { session_hash } = (await restClient(url, undefined).post('/auth/login', credentials)).body
  const rest = restClient(url, session_hash)
  await rest.post('/networks', { name: 'kept', cidr: '10.0.0.0/24' })
  await backup({ environment, file, force: false })
  await rest.post('/networks', { name: 'lost', cidr: '10.1.0.0/24' })
  await first.end('SIGKILL')
  expect(await readdir(directory.path)).toContain('wirety.db-wal')
  await rm(join(directory.path, 'wirety.db.key'))
  await restore({ environment, file, force: true })
  await using second = await startTestApp(environment, { directory: directory.path })
  const { data } = (await second.as(session_hash).get('/networks')).body
  expect(data.map((network: { name: string }) => network.name)).toEqual(['kept'])
  expect(await modeOf(join(directory.path, 'wirety.db.key'))).toBe(0o600)
})

test('the usage answers a command without its file', async () => {
  const answer = await command({}, 'backup', '--force')
  expect(answer).toMatchObject({ code: 2, stdout: '' })
  expect(answer.stderr).toContain('wirety-mcp restore FILE [--force]')
})
