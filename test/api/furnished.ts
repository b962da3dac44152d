import { mintApiToken } from '../../src/auth/secrets.ts'
import * as credentials from '../../src/storage/credentials.ts'
import type { Rest, TestApp } from '../harness.ts'
import { bodyOf, hearAgent, type Json, newPeer, raiseIncident } from './topologies.ts'

/** A network that has one of everything, each attached to each. */
export interface Furnished {
  /** Name of an id in a path, as `network_id`, to the object's id. */
  readonly ids: Readonly<Record<string, string>>
  readonly network: Json
  readonly laptop: Json
  readonly server: Json
  readonly jump: Json
  readonly secondJump: Json
  readonly secondPolicy: Json
  readonly aclId: string
  /** A user who may use the network. */
  readonly user: Json
  /** The user's API token. */
  readonly token: string
}

const LAN = '192.168.1.0/24'
const RULE = { direction: 'output', action: 'allow', target: LAN, target_type: 'cidr' }

/** Builds a furnished network; `number` keeps it apart from others of the same server. */
export async function furnish(app: TestApp, number: number): Promise<Furnished> {
  const admin = app.as(app.adminToken)
  const made = async (path: string, body: object) => bodyOf(await admin.post(path, body), 201)
  const network = await made('/networks', { name: `net-${number}`, cidr: `172.20.${number}.0/24`, dns: ['1.1.1.1'] })
  const base = `/networks/${network.id}`
  const carried = [`10.99.${number}.0/24`]
  const laptop = await newPeer(admin, network, { name: 'laptop', use_agent: true, additional_allowed_ips: carried })
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true, endpoint: 'vpn.example.com' })
  const secondJump = await newPeer(admin, network, { name: 'jump-2', is_jump: true, endpoint: 'vpn2.example.com' })
  const server = await newPeer(admin, network, { name: 'server', use_agent: true })
  const group = await made(`${base}/groups`, { name: 'team' })
  const policy = await made(`${base}/policies`, { name: 'open', rules: [RULE] })
  const secondPolicy = await made(`${base}/policies`, { name: 'shut', rules: [] })
  const route = await made(`${base}/routes`, { name: 'lab', destination_cidr: LAN, jump_peer_id: jump.id })
  const mapping = await made(`${base}/routes/${route.id}/dns`, { name: 'printer', ip_address: '192.168.1.7' })
  for (const member of [`peers/${laptop.id}`, `policies/${policy.id}`, `policies/${secondPolicy.id}`]) {
    bodyOf(await admin.post(`${base}/groups/${group.id}/${member}`), 200)
  }
  bodyOf(await admin.post(`${base}/groups/${group.id}/routes/${route.id}`), 200)
  await hearAgent(app, laptop)
  const incident = await raiseIncident(app, network, laptop, { blocks: false })
  const acl = { enabled: true, blocked_peers: { [server.id]: true }, rules: [aclRule(server)] }
  const { id: aclId } = bodyOf(await admin.put(`${base}/acl`, acl), 200)
  bodyOf(await admin.put('/users/defaults', { default_authorized_networks: [network.id] }), 200)
  const { user, token, tokenId } = await newcomer(app, admin, { number, network })
  const ids = {
    network_id: network.id,
    peer_id: laptop.id,
    group_id: group.id,
    policy_id: policy.id,
    rule_id: policy.rules[0].id,
    route_id: route.id,
    dns_id: mapping.id,
    incident_id: incident,
    user_id: user.id,
    token_id: tokenId,
  }
  return { ids, network, laptop, server, jump, secondJump, secondPolicy, user, token, aclId }
}

function aclRule(server: Json) {
  return { source_peer: '*', target_peer: server.id, action: 'deny', description: 'Block access to server' }
}

/** A user who may use the network, with a token but without a password, which would take long to hash. */
async function newcomer(app: TestApp, admin: Rest, { number, network }: { number: number; network: Json }) {
  const account = { email: `user-${number}@example.com`, name: 'Alice', authorized_networks: [network.id] }
  const user = bodyOf(await admin.post('/users', { ...account, role: 'user' }), 201)
  const { random, database, now } = app.app.env
  const token = mintApiToken(random)
  const row = { id: random.newId(), user_id: user.id, name: 'bot', created_at: now().toISOString() }
  await database.write((tx) =>
    credentials.insert(tx, { ...row, kind: 'api_token', expires_at: null, last_used_at: null }, token),
  )
  const made = bodyOf(await admin.post('/users/me/tokens', { name: 'bot' }), 201)
  return { user, token, tokenId: made.id as string }
}
