import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, configOf, type Json, newNetwork, newOffice, newPeer, peerPath, read } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

const refused = (error: string) => ({ status: 400, body: { error: expect.stringContaining(error), code: 'invalid' } })

test('a peer has keys, a token and an address, and by default no endpoint, port, agent or owner', async () => {
  const network = await newNetwork(admin, { cidr: '172.16.1.0/24' })
  const peer = bodyOf(await admin.post(`/networks/${network.id}/peers`, { name: 'laptop' }), 201)
  expect(peer).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    name: 'laptop',
    public_key: expect.stringMatching(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/),
    address: '172.16.1.1',
    endpoint: '',
    listen_port: 0,
    additional_allowed_ips: [],
    token: expect.stringMatching(/^[A-Za-z0-9_-]{43,}$/),
    is_jump: false,
    use_agent: false,
    owner_id: '',
    group_ids: [],
    created_at: expect.any(String),
    updated_at: peer.created_at,
  })
  expect(await read(admin, peerPath(network, peer))).toEqual(peer)
})

test('a jump peer is managed by an agent and listens on port 51820 unless told otherwise', async () => {
  const network = await newNetwork(admin)
  const wanted = { is_jump: true, use_agent: false }
  expect(await newPeer(admin, network, { name: 'one', ...wanted })).toMatchObject({
    is_jump: true,
    use_agent: true,
    listen_port: 51820,
  })
  expect(await newPeer(admin, network, { name: 'two', ...wanted, listen_port: 4500 })).toMatchObject({
    listen_port: 4500,
  })
})

test('two peers of a network may have the same name', async () => {
  const network = await newNetwork(admin)
  const first = await newPeer(admin, network, { name: 'twin' })
  const second = await newPeer(admin, network, { name: 'twin' })
  expect(new Set([first.id, second.id, first.address, second.address, first.public_key, second.public_key]).size).toBe(
    6,
  )
})

test.each(['Laptop', '-a', 'a-', 'a.b', 'a b', 'a_b', 'laptop\n', 'laptop\r\n[Peer]', 'ä', 'a'.repeat(64), '\u0000'])(
  'a peer cannot be called %j',
  async (name) => {
    const { network, laptop } = await newOffice(admin)
    expect(await admin.post(`/networks/${network.id}/peers`, { name })).toMatchObject(refused('name'))
    expect(await admin.put(peerPath(network, laptop), { name })).toMatchObject(refused('name'))
  },
)

test('a peer has a name, and a change to an empty one leaves it', async () => {
  const { network, laptop } = await newOffice(admin)
  expect(await admin.post(`/networks/${network.id}/peers`, { name: '' })).toMatchObject(refused('name'))
  expect(await admin.put(peerPath(network, laptop), { name: '' })).toMatchObject({
    status: 200,
    body: { name: laptop.name },
  })
})

test.each([
  'vpn.example.com:51820\nPostUp = reboot',
  'vpn.example.com\n',
  '\nvpn.example.com',
  'vpn.example.com\r',
  'vpn.example.com # comment',
  'vpn.example.com:0',
  'vpn.example.com:65536',
  'vpn.example.com:',
  ':51820',
  'https://vpn.example.com',
  'a b',
  '1.2.3',
  '300.1.1.1',
  '[fd00::1',
  'fd00::1%eth0',
  '[203.0.113.5]:51820',
  'vpn_example.com',
  'a'.repeat(300),
])('a peer cannot have the endpoint %j', async (endpoint) => {
  const { network, laptop } = await newOffice(admin)
  const body = { name: 'peer', endpoint }
  expect(await admin.post(`/networks/${network.id}/peers`, body)).toMatchObject(refused('endpoint'))
  expect(await admin.put(peerPath(network, laptop), { endpoint })).toMatchObject(refused('endpoint'))
})

test.each([-1, 65_536, 1.5, '51820', true, [], 1e300])('a peer cannot have the port %j', async (listen_port) => {
  const { network, laptop } = await newOffice(admin)
  const body = { name: 'peer', listen_port }
  expect(await admin.post(`/networks/${network.id}/peers`, body)).toMatchObject(refused('listen_port'))
  expect(await admin.put(peerPath(network, laptop), { listen_port })).toMatchObject(refused('listen_port'))
})

test.each([[['192.168.1.0']], [['192.168.1.0/33']], [['192.168.1.0/24\n']], [['x']], [[1]], [[null]], ['10.0.0.0/8']])(
  'a peer cannot carry %j',
  async (additional_allowed_ips) => {
    const { network, laptop } = await newOffice(admin)
    const body = { name: 'peer', additional_allowed_ips }
    expect(await admin.post(`/networks/${network.id}/peers`, body)).toMatchObject(refused('additional_allowed_ips'))
    expect(await admin.put(peerPath(network, laptop), { additional_allowed_ips })).toMatchObject(
      refused('additional_allowed_ips'),
    )
  },
)

test('prefixes that a peer carries lose their host bits and their doubles', async () => {
  const network = await newNetwork(admin)
  const additional_allowed_ips = ['192.168.1.77/24', '192.168.1.0/24', 'FD01::5/64']
  const peer = await newPeer(admin, network, { additional_allowed_ips })
  expect(peer.additional_allowed_ips).toEqual(['192.168.1.0/24', 'fd01::/64'])
})

test('an update changes the given fields and no others', async () => {
  const { network, laptop } = await newOffice(admin)
  const given = { name: 'laptop-v2', endpoint: '203.0.113.10:51820', listen_port: 4500 }
  const renamed = bodyOf(await admin.put(peerPath(network, laptop), given), 200)
  expect(renamed).toEqual({ ...laptop, ...given, updated_at: renamed.updated_at })
  const routed = bodyOf(await admin.put(peerPath(network, laptop), { additional_allowed_ips: ['192.168.2.0/24'] }), 200)
  expect(routed).toEqual({ ...renamed, additional_allowed_ips: ['192.168.2.0/24'], updated_at: routed.updated_at })
  const cleared = bodyOf(await admin.put(peerPath(network, laptop), { additional_allowed_ips: [] }), 200)
  expect(cleared).toEqual({ ...routed, additional_allowed_ips: [], updated_at: cleared.updated_at })
  expect(await read(admin, peerPath(network, laptop))).toEqual(cleared)
})

test('what a peer is does not change with an update', async () => {
  const { network, laptop } = await newOffice(admin)
  const identity = { id: 'other', is_jump: true, use_agent: false, address: '1.1.1.1', public_key: 'x', token: 'x' }
  const after = bodyOf(await admin.put(peerPath(network, laptop), identity), 200)
  expect(after).toEqual({ ...laptop, updated_at: after.updated_at })
})

test('a deleted peer is gone, and no other peer lists it any more', async () => {
  const { network, jump, laptop } = await newOffice(admin)
  expect(await configOf(admin, network, jump)).toContain(laptop.public_key)
  expect(await admin.delete(peerPath(network, laptop))).toMatchObject({ status: 204, text: '' })
  for (const path of ['', '/config', '/session', '/reachability']) {
    expect(await admin.get(`${peerPath(network, laptop)}${path}`)).toMatchObject({ status: 404 })
  }
  expect(await admin.delete(peerPath(network, laptop))).toMatchObject({ status: 404 })
  expect(await configOf(admin, network, jump)).not.toContain(laptop.public_key)
  const { peer_access } = await read(admin, `${peerPath(network, jump)}/reachability`)
  expect(peer_access.map((to: Json) => to.peer_name)).toEqual(['server'])
})

test('the last jump peer of a network stays until there is another one', async () => {
  const { network, jump } = await newOffice(admin)
  const answer = await admin.delete(peerPath(network, jump))
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(answer.body.error).toContain('last jump peer')
  expect(await read(admin, `/networks/${network.id}`)).toMatchObject({ peer_count: 3 })
  await newPeer(admin, network, { name: 'jump-two', is_jump: true })
  expect(await admin.delete(peerPath(network, jump))).toMatchObject({ status: 204 })
})

test('a peer is found in its own network only', async () => {
  const { laptop } = await newOffice(admin)
  const elsewhere = await newNetwork(admin)
  for (const path of ['', '/config', '/session', '/reachability']) {
    expect(await admin.get(`${peerPath(elsewhere, laptop)}${path}`)).toMatchObject({ status: 404 })
  }
  expect(await admin.put(peerPath(elsewhere, laptop), { name: 'stolen' })).toMatchObject({ status: 404 })
  expect(await admin.delete(peerPath(elsewhere, laptop))).toMatchObject({ status: 404 })
})

test('peers are listed oldest first, page by page, and found by name, address and id', async () => {
  const network = await newNetwork(admin, { cidr: '172.16.2.0/24', cidr_v6: 'fd16:2::/64' })
  const peers: Json[] = []
  for (const name of ['zeta', 'eta', 'theta']) peers.push(await newPeer(admin, network, { name }))
  const list = (query: string) => read(admin, `/networks/${network.id}/peers?${query}`)
  expect(await list('')).toEqual({ data: peers, total: 3, page: 1, page_size: 20 })
  expect(await list('page=2&page_size=2')).toEqual({ data: peers.slice(2), total: 3, page: 2, page_size: 2 })
  expect(await list('page=9')).toEqual({ data: [], total: 3, page: 9, page_size: 20 })
  expect(await list('filter=ETA')).toMatchObject({ total: 3 })
  expect(await list('filter=thet')).toMatchObject({ data: [peers[2]], total: 1 })
  expect(await list('filter=172.16.2.2')).toMatchObject({ data: [peers[1]], total: 1 })
  expect(await list('filter=FD16:2::3')).toMatchObject({ data: [peers[2]], total: 1 })
  expect(await list(`filter=${peers[0].id}`)).toMatchObject({ data: [peers[0]], total: 1 })
  for (const filter of ['%25', '_', "'", '%5C']) expect(await list(`filter=${filter}`)).toMatchObject({ total: 0 })
  expect(await list('page_size=1000')).toMatchObject({ page_size: 500 })
  expect(await list('page=-1&page_size=0')).toMatchObject({ page: 1, page_size: 20 })
  expect(await admin.get(`/networks/${network.id}/peers?page=abc`)).toMatchObject(refused('page'))
})
