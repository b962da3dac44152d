import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { INVALID, NOT_FOUND, TEXT } from './policy-objects.ts'
import { bodyOf, type Json, newNetwork, newUser, read } from './topologies.ts'

const START = '2030-01-01T12:00:00.000Z'
const LATER = '2030-01-02T12:00:00.000Z'

let app: TestApp
let admin: Rest
let time = START

beforeAll(async () => {
  app = await startTestApp({}, { now: () => new Date(time) })
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const path = (network: Json) => `/networks/${network.id}/security/config`

const DEFAULTS = {
  enabled: true,
  session_conflict_threshold_minutes: 5,
  endpoint_change_threshold_minutes: 5,
  max_endpoint_changes_per_day: 10,
  port_change_threshold_minutes: 5,
  max_port_changes_per_window: 5,
}
const COUNTS = ['max_endpoint_changes_per_day', 'max_port_changes_per_window']
const MINUTES = Object.keys(DEFAULTS).filter((field) => field.endsWith('_minutes'))

test('a network has the default security config until somebody changes it', async () => {
  time = START
  const network = await newNetwork(admin)
  const config = await read(admin, path(network))
  expect(config).toEqual({ id: TEXT, network_id: network.id, ...DEFAULTS, created_at: START, updated_at: START })
  time = LATER
  expect(await read(admin, path(network))).toEqual(config)
})

test('an update changes the given fields of a security config and no others', async () => {
  time = START
  const network = await newNetwork(admin)
  const elsewhere = await newNetwork(admin)
  let wanted = await read(admin, path(network))
  time = LATER
  const changes: object[] = [
    { enabled: false },
    { session_conflict_threshold_minutes: 6 },
    { endpoint_change_threshold_minutes: 10 },
    { max_endpoint_changes_per_day: 20 },
    { port_change_threshold_minutes: 7 },
    { max_port_changes_per_window: 10 },
    { enabled: true, max_endpoint_changes_per_day: 1000, max_port_changes_per_window: 1 },
    {},
  ]
  for (const change of changes) {
    wanted = { ...wanted, ...change, updated_at: LATER }
    expect(bodyOf(await admin.put(path(network), change), 200)).toEqual(wanted)
    expect(await read(admin, path(network))).toEqual(wanted)
  }
  const foreign = { id: 'x', network_id: elsewhere.id, created_at: START, unknown: true, enabled: null }
  expect(bodyOf(await admin.put(path(network), foreign), 200)).toEqual(wanted)
  expect(await read(admin, path(elsewhere))).toMatchObject(DEFAULTS)
})

test('the answer to a read can be sent back as it is', async () => {
  const network = await newNetwork(admin)
  const config = await read(admin, path(network))
  expect(bodyOf(await admin.put(path(network), config), 200)).toEqual({ ...config, updated_at: time })
})

test('a value out of bounds or of another type is refused, and nothing of the update happens', async () => {
  const network = await newNetwork(admin)
  bodyOf(await admin.put(path(network), { max_endpoint_changes_per_day: 33 }), 200)
  const before = await read(admin, path(network))
  const wrong: Record<string, Json> = {
    ...Object.fromEntries(MINUTES.map((field) => [field, [0, -1, 1.5, '5', 'soon', true, [5], {}, 1e308]])),
    ...Object.fromEntries(COUNTS.map((field) => [field, [0, -1, 1001, 2.5, '10', 'many', false, [], 1e308]])),
    enabled: ['true', 'yes', 1, 0, [], {}],
  }
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const body = { ...DEFAULTS, [field]: value }
      expect(await admin.put(path(network), body), `${field} ${JSON.stringify(value)}`).toMatchObject(INVALID)
    }
  }
  for (const body of [[], [{}]]) expect(await admin.put(path(network), body)).toMatchObject(INVALID)
  expect(await read(admin, path(network))).toEqual(before)
})

test('a security config takes the least and the greatest values', async () => {
  const network = await newNetwork(admin)
  const least = Object.fromEntries([...MINUTES, ...COUNTS].map((field) => [field, 1]))
  expect(bodyOf(await admin.put(path(network), least), 200)).toMatchObject(least)
  const minutes = Object.fromEntries(MINUTES.map((field) => [field, 1001]))
  const greatest = { ...minutes, ...Object.fromEntries(COUNTS.map((field) => [field, 1000])) }
  expect(bodyOf(await admin.put(path(network), greatest), 200)).toMatchObject(greatest)
})

test('the security config of a network that does not exist is not found', async () => {
  const network = await newNetwork(admin)
  bodyOf(await admin.put(path(network), { enabled: false }), 200)
  bodyOf(await admin.delete(`/networks/${network.id}`), 204)
  for (const gone of [network, { id: 'none' }]) {
    expect(await admin.get(path(gone))).toMatchObject(NOT_FOUND)
    expect(await admin.put(path(gone), { enabled: true })).toMatchObject(NOT_FOUND)
  }
})

test('a user neither reads nor changes the security config of its network', async () => {
  const network = await newNetwork(admin)
  const zoe = await newUser(app, 'zoe', network)
  const before = await read(admin, path(network))
  expect(await zoe.get(path(network))).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  expect(await zoe.put(path(network), { enabled: false })).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  expect(await read(admin, path(network))).toEqual(before)
})
