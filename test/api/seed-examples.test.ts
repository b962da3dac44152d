import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD, type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, hearAgent, type Json, newPeer, peerPath, raiseIncident, read } from './topologies.ts'

let app: TestApp
let admin: Rest
let alice: Rest
let aliceId: string
let network: Json
let jump: Json
let laptop: Json

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
  network = bodyOf(
    await admin.post('/networks', {
      name: 'office',
      cidr: '10.10.0.0/16',
      dns: ['1.1.1.1', '8.8.8.8'],
      domain_suffix: 'internal',
    }),
    201,
  )
  const user = await app.addUser('alice', [network.id])
  alice = app.as(user.token)
  aliceId = user.id
  jump = await newPeer(admin, network, { name: 'server-bob', is_jump: true })
  laptop = bodyOf(
    await alice.post(`/networks/${network.id}/peers`, {
      name: 'laptop-alice',
      endpoint: '203.0.113.5:51820',
      listen_port: 51820,
      is_jump: false,
      use_agent: true,
      additional_allowed_ips: ['192.168.1.0/24'],
    }),
    201,
  )
})

afterAll(() => app[Symbol.asyncDispose]())

const NETWORK = {
  id: 'net-uuid',
  name: 'office',
  cidr: '10.10.0.0/16',
  peer_count: 12,
  dns: ['1.1.1.1'],
  domain_suffix: 'internal',
  default_group_ids: [],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const PEER = {
  id: 'peer-uuid',
  name: 'laptop-alice',
  public_key: 'base64pubkey=',
  address: '10.10.0.2',
  endpoint: '203.0.113.5:51820',
  listen_port: 51820,
  additional_allowed_ips: ['192.168.1.0/24'],
  token: 'enroll-token-value',
  is_jump: false,
  use_agent: true,
  owner_id: 'user-sub-123',
  group_ids: [],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const USER = {
  id: 'user-sub-from-oidc',
  email: 'alice@example.com',
  name: 'Alice',
  role: 'user',
  authorized_networks: ['net-id-1', 'net-id-2'],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-01-10T12:00:00Z',
  last_login_at: '2024-04-10T08:00:00Z',
}

const AGENT_SESSION = {
  peer_id: 'peer-uuid',
  hostname: 'laptop-alice',
  system_uptime: 86400,
  wireguard_uptime: 3600,
  reported_endpoint: '203.0.113.5:51820',
  last_seen: '2024-04-13T10:00:00Z',
  first_seen: '2024-04-12T09:00:00Z',
  session_id: 'sess-uuid',
}

const ACL = {
  id: 'acl-uuid',
  name: 'default',
  enabled: true,
  blocked_peers: { 'peer-uuid-bad': true },
  rules: [
    {
      id: 'rule-uuid',
      source_peer: '*',
      target_peer: 'peer-uuid-3',
      action: 'deny',
      description: 'Block access to server',
    },
  ],
}

const INCIDENT = {
  id: 'incident-uuid',
  peer_id: 'peer-uuid',
  peer_name: 'laptop-alice',
  network_id: 'net-uuid',
  network_name: 'office',
  incident_type: 'session_conflict',
  detected_at: '2024-04-13T08:00:00Z',
  public_key: 'base64pubkey=',
  endpoints: ['203.0.113.5:51820', '198.51.100.1:51820'],
  details: 'Multiple active agents detected for the same peer',
  resolved: false,
  resolved_at: null,
  resolved_by: null,
}

const ALLOCATION = {
  network_id: 'net-uuid',
  network_name: 'office',
  network_cidr: '10.10.0.0/16',
  family: 'ipv4',
  ip: '10.10.0.2',
  peer_id: 'peer-uuid',
  peer_name: 'laptop-alice',
  allocated: true,
}

const PAGE = { total: 1, page: 1, page_size: 20 }

/** Field names and JSON types of a value. A list stands for the distinct shapes of its items. */
function shape(value: Json): Json {
  if (value === null) return null
  if (Array.isArray(value)) {
    return [...new Map(value.map((item) => [JSON.stringify(shape(item)), shape(item)])).values()]
  }
  if (typeof value === 'object') {
    const fields = Object.entries(value).map(([key, item]) => [key, shape(item)] as const)
    return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  const isTimestamp = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value)
  return isTimestamp ? 'timestamp' : typeof value
}

test('GET /health answers as documented', async () => {
  const answer = await app.as(undefined).get('/health')
  expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } })
  expect(answer.body).toEqual({ status: 'ok' })
})

test('GET /auth/config answers the documented fields, with a password as the way to sign in', async () => {
  expect(await read(app.as(undefined), '/auth/config')).toEqual({
    enabled: false,
    issuer_url: '',
    client_id: '',
    simple_auth: true,
    authorization_endpoint: '',
    end_session_endpoint: '',
    scope: '',
  })
})

test('POST /auth/login and POST /auth/logout answer as documented', async () => {
  const login = await app.as(undefined).post('/auth/login', { username: 'admin', password: PASSWORD })
  expect(login.status).toBe(200)
  expect(login.body).toEqual({ session_hash: expect.any(String), expires_in: 2592000 })
  const logout = await app.as(undefined).post('/auth/logout', { session_hash: login.body.session_hash })
  expect(logout.status).toBe(200)
  expect(logout.body).toEqual({ message: 'Logged out successfully' })
})

test('GET /users/me answers the documented user', async () => {
  const me = await read(alice, '/users/me')
  expect(shape(me)).toEqual(shape(USER))
  expect(me).toMatchObject({ id: aliceId, email: 'alice@example.com', name: 'alice', role: 'user' })
})

test('GET /users answers a bare list of documented users', async () => {
  const users = await read(admin, '/users')
  expect(users).toHaveLength(2)
  for (const user of users) expect(shape({ ...user, authorized_networks: ['id'] })).toEqual(shape(USER))
})

test('GET and PUT /users/:userId answer the documented user', async () => {
  expect(shape(await read(admin, `/users/${aliceId}`))).toEqual(shape(USER))
  const body = { name: 'Alice Smith', role: 'administrator', authorized_networks: [network.id] }
  const changed = bodyOf(await admin.put(`/users/${aliceId}`, body), 200)
  expect(shape(changed)).toEqual(shape(USER))
  expect(changed).toMatchObject(body)
  bodyOf(await admin.put(`/users/${aliceId}`, { name: 'alice', role: 'user' }), 200)
})

test('DELETE /users/:userId answers 204 without a body', async () => {
  const { id } = await app.addUser('leaver')
  expect(await admin.delete(`/users/${id}`)).toMatchObject({ status: 204, text: '' })
})

test('GET and PUT /users/defaults answer the documented defaults', async () => {
  expect(await read(admin, '/users/defaults')).toEqual({ default_role: 'user', default_authorized_networks: [] })
  const body = { default_role: 'user', default_authorized_networks: [network.id] }
  expect(bodyOf(await admin.put('/users/defaults', body), 200)).toEqual(body)
  expect(await read(admin, '/users/defaults')).toEqual(body)
})

test('POST, GET and DELETE /users/me/tokens answer the documented tokens', async () => {
  const body = { name: 'ci-bot', expires_at: '2125-01-01T00:00:00Z' }
  const made = bodyOf(await alice.post('/users/me/tokens', body), 201)
  const example = {
    id: 'token-uuid',
    name: 'ci-bot',
    token: 'wirety_deadbeef...',
    created_at: '2024-04-13T00:00:00Z',
    expires_at: '2025-01-01T00:00:00Z',
    last_used_at: null,
  }
  expect(shape(made)).toEqual(shape(example))
  const used = (await read(alice, '/users/me/tokens')).filter((token: Json) => token.last_used_at !== null)
  expect(shape(used)).toEqual(
    shape([
      {
        id: 'token-uuid',
        name: 'ci-bot',
        created_at: '2024-01-01T00:00:00Z',
        expires_at: null,
        last_used_at: '2024-04-10T08:00:00Z',
      },
    ]),
  )
  expect(await alice.delete(`/users/me/tokens/${made.id}`)).toMatchObject({ status: 204, text: '' })
})

test('GET /networks answers a documented page', async () => {
  const page = await read(alice, '/networks')
  expect(shape(page)).toEqual(shape({ data: [NETWORK], ...PAGE }))
  expect(page).toMatchObject(PAGE)
})

test('POST, GET, PUT and DELETE /networks answer the documented network', async () => {
  const body = { name: 'lab', cidr: '10.11.0.0/16', dns: ['1.1.1.1', '8.8.8.8'], domain_suffix: 'internal' }
  const made = bodyOf(await admin.post('/networks', body), 201)
  expect(shape(made)).toEqual(shape(NETWORK))
  expect(made).toMatchObject({ ...body, peer_count: 0, default_group_ids: [] })
  expect(shape(await read(admin, `/networks/${made.id}`))).toEqual(shape(NETWORK))
  const change = {
    name: 'lab-v2',
    cidr: '10.20.0.0/16',
    dns: ['1.1.1.1'],
    domain_suffix: 'corp',
    default_group_ids: [],
  }
  const changed = bodyOf(await admin.put(`/networks/${made.id}`, change), 200)
  expect(shape(changed)).toEqual(shape(NETWORK))
  expect(changed).toMatchObject(change)
  expect(await admin.delete(`/networks/${made.id}`)).toMatchObject({ status: 204, text: '' })
})

test('GET /networks/:networkId/peers answers a documented page', async () => {
  const page = await read(alice, `/networks/${network.id}/peers`)
  expect(shape(page)).toEqual(shape({ data: [PEER], ...PAGE }))
  expect(page).toMatchObject(PAGE)
})

test('POST, GET, PUT and DELETE peers answer the documented peer', async () => {
  expect(shape(laptop)).toEqual(shape(PEER))
  expect(laptop).toMatchObject({
    name: 'laptop-alice',
    address: '10.10.0.2',
    endpoint: '203.0.113.5:51820',
    listen_port: 51820,
    additional_allowed_ips: ['192.168.1.0/24'],
    is_jump: false,
    use_agent: true,
    owner_id: aliceId,
  })
  expect(await read(alice, peerPath(network, laptop))).toEqual(laptop)
  const change = {
    name: 'laptop-alice-v2',
    endpoint: '203.0.113.10:51820',
    listen_port: 51820,
    additional_allowed_ips: ['192.168.2.0/24'],
    owner_id: aliceId,
  }
  const changed = bodyOf(await admin.put(peerPath(network, laptop), change), 200)
  expect(shape(changed)).toEqual(shape(PEER))
  expect(changed).toMatchObject(change)
  const spare = await newPeer(alice, network, { name: 'spare' })
  expect(await alice.delete(peerPath(network, spare))).toMatchObject({ status: 204, text: '' })
})

test('a peer of which nothing but the name was given has every documented field', async () => {
  const peer = await newPeer(admin, network, { name: 'bare' })
  expect(shape({ ...peer, additional_allowed_ips: ['0.0.0.0/0'] })).toEqual(shape(PEER))
  expect(peer).toMatchObject({ endpoint: '', listen_port: 0, additional_allowed_ips: [], owner_id: '', group_ids: [] })
})

test('GET .../config answers the configuration as text', async () => {
  const body = await read(alice, `${peerPath(network, laptop)}/config`)
  expect(body).toEqual({ config: expect.stringMatching(/^\[Interface\]\n(?:.*\n)*PrivateKey = .+\n/) })
})

test('GET .../session answers the documented status', async () => {
  const idle = await read(alice, `${peerPath(network, laptop)}/session`)
  expect(shape(idle)).toEqual(
    shape({
      peer_id: 'peer-uuid',
      has_active_agent: false,
      current_session: null,
      conflicting_sessions: [],
      recent_endpoint_changes: [],
      suspicious_activity: false,
      last_checked: '2024-04-13T10:05:00Z',
    }),
  )
  await hearAgent(app, laptop)
  const active = await read(alice, `${peerPath(network, laptop)}/session`)
  expect(shape(active)).toEqual(
    shape({
      peer_id: 'peer-uuid',
      has_active_agent: true,
      current_session: AGENT_SESSION,
      conflicting_sessions: [],
      recent_endpoint_changes: [],
      suspicious_activity: false,
      last_checked: '2024-04-13T10:05:00Z',
    }),
  )
})

test('GET .../reachability answers as documented, with lists of rules and routes', async () => {
  const body = await read(alice, `${peerPath(network, laptop)}/reachability`)
  expect(shape(body)).toEqual(
    shape({
      peer_id: 'peer-uuid',
      peer_name: 'laptop-alice',
      peer_address: '10.10.0.2',
      is_jump: false,
      peer_access: [
        {
          peer_id: 'peer-uuid-2',
          peer_name: 'server-bob',
          address: '10.10.0.3',
          is_jump: false,
          allowed: true,
          reason: 'default_allow',
        },
      ],
      rules: [],
      routes: [],
    }),
  )
})

test('GET and PUT .../acl answer the documented access list', async () => {
  const empty = await read(admin, `/networks/${network.id}/acl`)
  expect(empty).toEqual({ id: expect.any(String), name: 'default', enabled: false, blocked_peers: {}, rules: [] })
  const body = {
    id: empty.id,
    name: 'default',
    enabled: true,
    blocked_peers: { [laptop.id]: true },
    rules: [{ id: 'rule-1', source_peer: '*', target_peer: jump.id, action: 'deny', description: 'Block access' }],
  }
  expect(bodyOf(await admin.put(`/networks/${network.id}/acl`, body), 200)).toEqual(body)
  const stored = await read(admin, `/networks/${network.id}/acl`)
  expect(stored).toEqual(body)
  expect(shape({ ...stored, blocked_peers: { 'peer-uuid-bad': true } })).toEqual(shape(ACL))
  bodyOf(await admin.put(`/networks/${network.id}/acl`, empty), 200)
})

test('the incident endpoints answer the documented incident, with nulls until it is resolved', async () => {
  const id = await raiseIncident(app, network, laptop)
  expect(shape(await read(alice, '/security/incidents'))).toEqual(shape([INCIDENT]))
  expect(shape(await read(alice, '/security/incidents?resolved=false'))).toEqual(shape([INCIDENT]))
  expect(shape(await read(alice, `/networks/${network.id}/security/incidents`))).toEqual(shape([INCIDENT]))
  expect(shape(await read(alice, `/security/incidents/${id}`))).toEqual(shape(INCIDENT))
  const resolved = bodyOf(await admin.post(`/security/incidents/${id}/resolve`), 200)
  expect(resolved).toEqual({ message: 'Incident resolved successfully' })
  expect(shape(await read(alice, `/security/incidents/${id}`))).toEqual(
    shape({ ...INCIDENT, resolved: true, resolved_at: '2024-04-13T09:00:00Z', resolved_by: 'admin@wirety.local' }),
  )
})

test('GET /ipam/available-cidrs answers as documented', async () => {
  expect(await read(alice, '/ipam/available-cidrs?max_peers=50&count=2')).toEqual({
    base_cidr: '10.0.0.0/8',
    requested_max_peers: 50,
    suggested_prefix: 26,
    usable_hosts: 62,
    cidrs: ['10.0.0.0/26', '10.0.0.64/26'],
  })
})

test('GET /ipam and GET /ipam/networks/:networkId answer the documented allocations with their family', async () => {
  const page = await read(alice, '/ipam')
  expect(shape(page)).toEqual(shape({ data: [ALLOCATION], ...PAGE }))
  const own = await read(alice, `/ipam/networks/${network.id}`)
  expect(shape(own)).toEqual(shape([ALLOCATION]))
  expect(own).toEqual(page.data)
})
