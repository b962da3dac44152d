import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { addressPlan, newNetwork, newPeer, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

test('a suggestion is the lowest free space in the base, beside what networks hold', async () => {
  for (const cidr of ['100.64.0.0/26', '100.64.0.128/26']) await newNetwork(admin, { cidr })
  const suggest = (query: string) => read(admin, `/ipam/available-cidrs?base_cidr=100.64.0.0/16&${query}`)
  expect(await suggest('max_peers=50&count=3')).toEqual({
    base_cidr: '100.64.0.0/16',
    requested_max_peers: 50,
    suggested_prefix: 26,
    usable_hosts: 62,
    cidrs: ['100.64.0.64/26', '100.64.0.192/26', '100.64.1.0/26'],
  })
  expect(await suggest('max_peers=200')).toMatchObject({ suggested_prefix: 24, cidrs: ['100.64.1.0/24'] })
  expect(await suggest('max_peers=1')).toMatchObject({ suggested_prefix: 30, usable_hosts: 2 })
  expect(await suggest('max_peers=254')).toMatchObject({ suggested_prefix: 24, usable_hosts: 254 })
  expect(await suggest('max_peers=255')).toMatchObject({ suggested_prefix: 23, usable_hosts: 510 })
})

test('a suggestion reserves nothing and can be asked for again and used', async () => {
  const before = await addressPlan(admin)
  const suggest = () => read(admin, '/ipam/available-cidrs?max_peers=10&count=20&base_cidr=100.65.0.0/16')
  const first = await suggest()
  expect(await suggest()).toEqual(first)
  expect(await addressPlan(admin)).toEqual(before)
  const network = await newNetwork(admin, { cidr: first.cidrs[0] })
  expect((await suggest()).cidrs[0]).toBe(first.cidrs[1])
  expect(await newPeer(admin, network)).toMatchObject({ address: '100.65.0.1' })
})

test('a suggestion to a user avoids networks which the user cannot see', async () => {
  await newNetwork(admin, { cidr: '100.66.0.0/24' })
  const user = app.as((await app.addUser('planner')).token)
  const { cidrs } = await read(user, '/ipam/available-cidrs?max_peers=254&base_cidr=100.66.0.0/16')
  expect(cidrs).toEqual(['100.66.1.0/24'])
})

test.each([
  '',
  'max_peers=',
  'max_peers=0',
  'max_peers=-1',
  'max_peers=abc',
  'max_peers=1.5',
  'max_peers=1e3',
  'max_peers=99999999999999999999',
  'max_peers=4294967295',
  'max_peers=10&count=0',
  'max_peers=10&count=21',
  'max_peers=10&count=x',
  'max_peers=10&base_cidr=nowhere',
  'max_peers=10&base_cidr=10.0.0.1/8',
  'max_peers=10&base_cidr=fd00::/8',
  'max_peers=10&base_cidr=10.0.0.0/29',
])('a suggestion for "%s" is refused as invalid', async (query) => {
  const answer = await admin.get(`/ipam/available-cidrs?${query}`)
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', error: expect.any(String) } })
})

test('a suggestion from a base without enough free space is refused with what there is', async () => {
  await newNetwork(admin, { cidr: '100.67.0.0/25' })
  const answer = await admin.get('/ipam/available-cidrs?max_peers=100&count=2&base_cidr=100.67.0.0/24')
  expect(answer.status).toBe(400)
  expect(answer.body.error).toContain('100.67.0.0/24 has 1 free /25')
})

test('one network that fills half of the base does not slow a suggestion down', async () => {
  await newNetwork(admin, { cidr: '11.0.0.0/9' })
  const started = performance.now()
  const { cidrs } = await read(admin, '/ipam/available-cidrs?max_peers=1&count=20&base_cidr=11.0.0.0/8')
  expect(cidrs[0]).toBe('11.128.0.0/30')
  expect(performance.now() - started).toBeLessThan(1000)
})
