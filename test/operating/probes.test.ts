import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'

async function ask(app: TestApp, path: string, method = 'GET') {
  const response = await fetch(`${app.url}${path}`, { method })
  return { status: response.status, body: await response.json() }
}

const READY = { status: 200, body: { status: 'ready' } }

test('a server that works is alive, healthy and ready', async () => {
  await using app = await startTestApp()
  expect(await ask(app, '/livez')).toEqual({ status: 200, body: { status: 'alive' } })
  expect(await ask(app, '/health')).toEqual({ status: 200, body: { status: 'ok' } })
  expect(await ask(app, '/api/v1/health')).toEqual({ status: 200, body: { status: 'ok' } })
  expect(await ask(app, '/readyz')).toEqual(READY)
  expect(await ask(app, '/readyz', 'POST')).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
})

test('a server whose database somebody else has locked is not ready, and ready again afterwards', async () => {
  await using app = await startTestApp()
  const other = new DatabaseSync(join(app.directory, 'wirety.db'))
  other.exec('BEGIN IMMEDIATE')
  const began = performance.now()
  const reason = 'the database is locked or cannot be read'
  expect(await ask(app, '/readyz')).toEqual({ status: 503, body: { status: 'unready', reason } })
  expect(performance.now() - began).toBeLessThan(3_000)
  expect((await ask(app, '/livez')).status).toBe(200)
  other.exec('ROLLBACK')
  other.close()
  expect(await ask(app, '/readyz')).toEqual(READY)
})

test('a server whose database file is gone or was replaced is not ready', async () => {
  await using app = await startTestApp()
  const file = join(app.directory, 'wirety.db')
  await rename(file, `${file}.away`)
  const reason = 'the database file is gone or was replaced: restart the server'
  expect(await ask(app, '/readyz')).toEqual({ status: 503, body: { status: 'unready', reason } })
  const other = new DatabaseSync(file)
  other.exec('CREATE TABLE t (a)')
  other.close()
  expect(await ask(app, '/readyz')).toEqual({ status: 503, body: { status: 'unready', reason } })
  await rm(file)
  await rename(`${file}.away`, file)
  expect(await ask(app, '/readyz')).toEqual(READY)
})

test('a server whose database does not get to its turn is not ready', async () => {
  await using app = await startTestApp()
  const { promise, resolve } = Promise.withResolvers<void>()
  const hanging = app.app.env.database.read(() => promise)
  const reason = 'the database does not answer'
  const answers = await Promise.all([ask(app, '/readyz'), ask(app, '/readyz'), ask(app, '/readyz')])
  for (const answer of answers) expect(answer).toEqual({ status: 503, body: { status: 'unready', reason } })
  resolve()
  await hanging
  expect(await ask(app, '/readyz')).toEqual(READY)
})
