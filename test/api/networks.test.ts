import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, type Json, newNetwork, newOffice, newPeer, peerPath, raiseIncident, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const refused = (error: string) => ({ status: 400, body: { error: expect.stringContaining(error), code: 'invalid' } })

test('a network of which only name and CIDR are given has the suffix internal and no DNS servers', async () => {
  const before = new Date().toISOString()
  const network = bodyOf(await admin.post('/networks', { name: 'plain', cidr: '172.16.0.0/24' }), 201)
  expect(network).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    name: 'plain',
    cidr: '172.16.0.0/24',
    peer_count: 0,
    dns: [],
    domain_suffix: 'internal',
    default_group_ids: [],
    created_at: expect.any(String),
    updated_at: network.created_at,
  })
  expect(network.created_at >= before).toBe(true)
  expect(await read(admin, `/networks/${network.id}`)).toEqual(network)
})

test('a network keeps the DNS servers and the suffix given at its creation', async () => {
  const given = { dns: ['1.1.1.1', '2606:4700:4700::1111'], domain_suffix: 'corp.example' }
  const network = await newNetwork(admin, given)
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject(given)
})

test('two networks may have the same name', async () => {
  const first = await newNetwork(admin, { name: 'twin' })
  const second = await newNetwork(admin, { name: 'twin' })
  expect(first.id).not.toBe(second.id)
})

test.each([
  ['', 'name'],
  ['Office', 'name'],
  ['-office', 'name'],
  ['office-', 'name'],
  ['office.', 'name'],
  ['.office', 'name'],
  ['off..ice', 'name'],
  ['off ice', 'name'],
  ['off_ice', 'name'],
  ['office\n', 'name'],
  ['office\u0000', 'name'],
  ['büro', 'name'],
  ['a'.repeat(64), 'name'],
  [`${'a.'.repeat(126)}aa`, 'name'],
])('a network cannot be called %j', async (name, field) => {
  expect(await admin.post('/networks', { name, cidr: '172.17.0.0/24' })).toMatchObject(refused(field))
})

test.each([
  '10.0.0.5/24',
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/024',
  '10.0.0/24',
  '010.0.0.0/24',
  '10.0.0.0/24\n',
  ' 10.0.0.0/24',
  'fd00::/64',
  '10.0.0.0/255.255.255.0',
  'office',
])('a network cannot have the CIDR %j', async (cidr) => {
  expect(await admin.post('/networks', { name: 'office', cidr })).toMatchObject(refused('cidr'))
})

test('a CIDR with host bits is refused with the one that was probably meant', async () => {
  const answer = await admin.post('/networks', { name: 'office', cidr: '172.17.0.5/24' })
  expect(answer).toMatchObject(refused('did you mean 172.17.0.0/24?'))
})

test.each(['10.0.0.0/24', 'fd00::1/64', 'fd00::/129', '::ffff:10.0.0.0/120', 'fd00::%1/64'])(
  'a network cannot have the IPv6 CIDR %j',
  async (cidr_v6) => {
    expect(await admin.post('/networks', { name: 'office', cidr_v6 })).toMatchObject(refused('cidr_v6'))
  },
)

test('a network needs a CIDR of at least one family', async () => {
  expect(await admin.post('/networks', { name: 'office' })).toMatchObject(refused('cidr'))
})

test.each([[['1.1.1']], [['1.1.1.1', 'dns.example']], [['1.1.1.1\nfoo']], [['fe80::1%eth0']], ['1.1.1.1'], [[1]]])(
  'a network cannot have the DNS servers %j',
  async (dns) => {
    expect(await admin.post('/networks', { name: 'office', cidr: '172.17.0.0/24', dns })).toMatchObject(refused('dns'))
  },
)

test.each(['internal\n', 'in ternal', '.internal', 'internal.', 'In'])(
  'a network cannot have the suffix %j',
  async (domain_suffix) => {
    const network = await newNetwork(admin)
    const body = { name: 'office', cidr: '172.17.0.0/24', domain_suffix }
    expect(await admin.post('/networks', body)).toMatchObject(refused('domain_suffix'))
    expect(await admin.put(`/networks/${network.id}`, { domain_suffix })).toMatchObject(refused('domain_suffix'))
  },
)

test('an update changes the given fields and no others', async () => {
  const before = await newNetwork(admin, { name: 'before', dns: ['1.1.1.1'], domain_suffix: 'corp' })
  const renamed = bodyOf(await admin.put(`/networks/${before.id}`, { name: 'after' }), 200)
  expect(renamed).toEqual({ ...before, name: 'after', updated_at: renamed.updated_at })
  expect(renamed.updated_at >= before.updated_at).toBe(true)
  const emptied = bodyOf(await admin.put(`/networks/${before.id}`, { dns: [] }), 200)
  expect(emptied).toEqual({ ...renamed, dns: [], updated_at: emptied.updated_at })
  expect(await read(admin, `/networks/${before.id}`)).toEqual(emptied)
})

test('an update with empty text leaves a field of a network as it was', async () => {
  const before = await newNetwork(admin, { name: 'kept', domain_suffix: 'corp' })
  const empty = { name: '', cidr: '', cidr_v6: '', domain_suffix: '' }
  const after = bodyOf(await admin.put(`/networks/${before.id}`, empty), 200)
  expect(after).toEqual({ ...before, updated_at: after.updated_at })
})

test('an empty IPv6 CIDR at creation stands for none', async () => {
  expect(await newNetwork(admin, { cidr: '172.18.0.0/24', cidr_v6: '' })).not.toHaveProperty('cidr_v6')
})

test('a refused update changes nothing', async () => {
  const before = await newNetwork(admin)
  expect(await admin.put(`/networks/${before.id}`, { name: 'renamed', dns: ['nowhere'] })).toMatchObject(refused('dns'))
  expect(await read(admin, `/networks/${before.id}`)).toEqual(before)
})

test('default groups that do not exist are refused', async () => {
  const network = await newNetwork(admin)
  const answer = await admin.put(`/networks/${network.id}`, { default_group_ids: ['group-uuid'] })
  expect(answer).toMatchObject(refused('no group "group-uuid"'))
})

test('the number of peers of a network follows its peers', async () => {
  const { network, laptop } = await newOffice(admin)
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 3 })
  await admin.delete(peerPath(network, laptop))
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 2 })
})

test('a deleted network is gone with its peers, its access list and its incidents', async () => {
  const { network, laptop } = await newOffice(admin)
  const incident = await raiseIncident(app, network, laptop)
  const user = await app.addUser('left-behind', [network.id])
  expect(await admin.delete(`/networks/${network.id}`)).toMatchObject({ status: 204, text: '' })
  const paths = ['', '/peers', '/acl', '/security/incidents', `/peers/${laptop.id}`, `/peers/${laptop.id}/config`]
  for (const path of paths) expect(await admin.get(`/networks/${network.id}${path}`)).toMatchObject({ status: 404 })
  expect(await admin.get(`/security/incidents/${incident}`)).toMatchObject({ status: 404 })
  expect(await read(admin, `/users/${user.id}`)).toMatchObject({ authorized_networks: [] })
  expect(await admin.delete(`/networks/${network.id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
})

test('the CIDR of a deleted network can be used again from its first address on', async () => {
  const { network } = await newOffice(admin, { cidr: '172.19.0.0/29' })
  bodyOf(await admin.delete(`/networks/${network.id}`), 204)
  const again = await newNetwork(admin, { cidr: '172.19.0.0/29' })
  expect(await newPeer(admin, again)).toMatchObject({ address: '172.19.0.1' })
})

test('networks are listed oldest first, page by page', async () => {
  const made: Json[] = []
  for (const name of ['page-a', 'page-b', 'page-c', 'page-d', 'page-e']) made.push(await newNetwork(admin, { name }))
  const pages = [1, 2, 3, 4].map((page) => read(admin, `/networks?filter=page-&page=${page}&page_size=2`))
  expect(await Promise.all(pages)).toEqual([
    { data: made.slice(0, 2), total: 5, page: 1, page_size: 2 },
    { data: made.slice(2, 4), total: 5, page: 2, page_size: 2 },
    { data: made.slice(4), total: 5, page: 3, page_size: 2 },
    { data: [], total: 5, page: 4, page_size: 2 },
  ])
})

test('networks are found by a part of their name, CIDR or id, whatever the case', async () => {
  const network = await newNetwork(admin, { name: 'needle-in-hay', cidr: '172.20.128.0/24', cidr_v6: 'fd20:128::/64' })
  const idsFor = async (filter: string) => {
    const page = await read(admin, `/networks?filter=${encodeURIComponent(filter)}`)
    return page.data.map((found: Json) => found.id)
  }
  for (const filter of ['NEEDLE', 'in-h', '172.20.128', 'FD20:128', network.id.toUpperCase()]) {
    expect(await idsFor(filter), filter).toEqual([network.id])
  }
})

test.each(['%', '_', 'needle%', "'", '"', "' OR 1=1 --", '\\', '*'])(
  'the filter %j is taken literally',
  async (filter) => {
    expect(await read(admin, `/networks?filter=${encodeURIComponent(filter)}`)).toMatchObject({ data: [], total: 0 })
  },
)

test('a filter with a NUL character does not match everything', async () => {
  await newNetwork(admin)
  const answer = await admin.get('/networks?filter=%00')
  expect([200, 400]).toContain(answer.status)
  expect(answer.body.data ?? []).toEqual([])
})

test.each([
  ['page=0', 1, 20],
  ['page=-1', 1, 20],
  ['page=-999999999999999', 1, 20],
  ['page=999999999999999', undefined, 20],
  ['page_size=0', 1, 20],
  ['page_size=-5', 1, 20],
  ['page_size=1000', 1, 200],
  ['page_size=999999999999999', 1, 200],
  ['page=&page_size=', 1, 20],
])('the page numbers %s are moved into bounds', async (query, page, page_size) => {
  const answer = await read(admin, `/networks?${query}`)
  expect(answer).toMatchObject({ page: page ?? expect.any(Number), page_size, total: expect.any(Number) })
  expect(answer.data.length).toBe(page === undefined ? 0 : Math.min(answer.total, page_size))
})

test.each(['page=abc', 'page=1.5', 'page=1e18', 'page=99999999999999999999', 'page=1&page=2', 'page_size=NaN'])(
  'the page numbers %s are refused',
  async (query) => {
    expect(await admin.get(`/networks?${query}`)).toMatchObject(refused('page'))
  },
)

test('a user sees the networks it is authorised for and no others', async () => {
  const own = await newNetwork(admin, { name: 'seen-by-bob' })
  const foreign = await newNetwork(admin)
  const bob = app.as((await app.addUser('bob', [own.id])).token)
  expect(await read(bob, '/networks')).toEqual({ data: [own], total: 1, page: 1, page_size: 20 })
  expect(await read(bob, `/networks?filter=${foreign.id}`)).toMatchObject({ data: [], total: 0 })
  expect(await read(bob, `/networks/${own.id}`)).toEqual(own)
  const hidden = await bob.get(`/networks/${foreign.id}`)
  const missing = await bob.get('/networks/no-such-network')
  expect([hidden.status, missing.status]).toEqual([404, 404])
  expect(hidden.body.error.replace(foreign.id, 'no-such-network')).toBe(missing.body.error)
})

test('a user loses sight of a network at the moment the authorisation is withdrawn, and regains it', async () => {
  const { network } = await newOffice(admin)
  const { id, token } = await app.addUser('carol', [network.id])
  const carol = app.as(token)
  const phone = await newPeer(carol, network, { name: 'phone' })
  const incident = await raiseIncident(app, network, phone)
  const paths = [
    `/networks/${network.id}`,
    `/networks/${network.id}/peers`,
    peerPath(network, phone),
    `${peerPath(network, phone)}/config`,
    `${peerPath(network, phone)}/session`,
    `${peerPath(network, phone)}/reachability`,
    `/networks/${network.id}/security/incidents`,
    `/security/incidents/${incident}`,
    `/ipam/networks/${network.id}`,
  ]
  const statuses = async () => (await Promise.all(paths.map((path) => carol.get(path)))).map((answer) => answer.status)
  expect(new Set(await statuses())).toEqual(new Set([200]))
  bodyOf(await admin.put(`/users/${id}`, { authorized_networks: [] }), 200)
  expect(new Set(await statuses())).toEqual(new Set([404]))
  for (const path of ['/networks', '/ipam']) expect(await read(carol, path)).toMatchObject({ data: [], total: 0 })
  expect(await read(carol, '/security/incidents')).toEqual([])
  expect(await carol.put(peerPath(network, phone), { name: 'mine' })).toMatchObject({ status: 404 })
  expect(await carol.delete(peerPath(network, phone))).toMatchObject({ status: 404 })
  expect(await carol.post(`/networks/${network.id}/peers`, { name: 'more' })).toMatchObject({ status: 404 })
  bodyOf(await admin.put(`/users/${id}`, { authorized_networks: [network.id] }), 200)
  expect(new Set(await statuses())).toEqual(new Set([200]))
})
