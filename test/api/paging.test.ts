import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../harness.ts'

let app: TestApp
let peers: string
const names = Array.from({ length: 23 }, (_, index) => `p${String(index).padStart(2, '0')}`)

beforeAll(async () => {
  app = await startTestApp()
  const admin = app.as(app.adminToken)
  const network = await admin.post('/networks', { name: 'paged', cidr: '10.0.0.0/24', cidr_v6: 'fd00::/64' })
  peers = `/networks/${network.body.id}/peers`
  for (const name of names) await admin.post(peers, { name })
})
afterAll(() => app[Symbol.asyncDispose]())

/** All pages of a list, one after the other. */
async function walk(path: string, size: number): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let page = 1; ; page++) {
    const { body } = await app.as(app.adminToken).get(`${path}?page=${page}&page_size=${size}`)
    if (body.data.length === 0) return rows
    rows.push(...body.data)
  }
}

test.each([1, 2, 5, 7, 11, 12, 23, 100])('the pages of size %i hold every peer once, in order', async (size) => {
  expect((await walk(peers, size)).map((peer) => peer.name)).toEqual(names)
})

test.each([1, 3, 20, 45, 46])('the pages of size %i hold every address once, in order', async (size) => {
  const rows = (await walk('/ipam', size)).map((row) => [row.peer_name, row.family])
  expect(rows).toEqual(
    names.flatMap((name) => [
      [name, 'ipv4'],
      [name, 'ipv6'],
    ]),
  )
})

test('the pages of the audit log hold every row once, the newest first', async () => {
  const ids = (await walk('/audit', 7)).map((row) => String(row.id))
  expect(ids).toEqual([...new Set(ids)].sort().reverse())
  expect(ids.length).toBeGreaterThan(names.length)
})
