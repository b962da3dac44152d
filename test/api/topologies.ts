import * as agentSessions from '../../src/storage/agent-sessions.ts'
import * as incidents from '../../src/storage/incidents.ts'
import type { Answer, Rest, TestApp } from '../harness.ts'

/** Any JSON value. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Json = any

/** The body of an answer that has to have `status`. */
export function bodyOf(answer: Answer, status: number): Json {
  if (answer.status === status) return answer.body
  throw new Error(`answer ${answer.status} instead of ${status}: ${answer.text}`)
}

/** What was asked for with GET. */
export async function read(rest: Rest, path: string): Promise<Json> {
  return bodyOf(await rest.get(path), 200)
}

/** A network, on the lowest free /24 unless `fields` name a CIDR. */
export async function newNetwork(rest: Rest, fields: object = {}): Promise<Json> {
  const cidr = 'cidr' in fields ? undefined : (await read(rest, '/ipam/available-cidrs?max_peers=254')).cidrs[0]
  return bodyOf(await rest.post('/networks', { name: 'office', cidr, ...fields }), 201)
}

/** A peer of a network. */
export async function newPeer(rest: Rest, network: Json, fields: object = {}): Promise<Json> {
  return bodyOf(await rest.post(`/networks/${network.id}/peers`, { name: 'laptop', ...fields }), 201)
}

/** A network with a jump peer that has an endpoint, and two peers whose agents manage them. */
export async function newOffice(
  rest: Rest,
  fields: object = {},
): Promise<{ network: Json; jump: Json; laptop: Json; server: Json }> {
  const network = await newNetwork(rest, fields)
  const jump = await newPeer(rest, network, { name: 'jump', is_jump: true, endpoint: 'vpn.example.com' })
  const laptop = await newPeer(rest, network, { name: 'laptop', use_agent: true })
  const server = await newPeer(rest, network, { name: 'server', use_agent: true })
  return { network, jump, laptop, server }
}

/** Who holds which addresses and what is free: all that a refused change must leave as it was. */
export async function addressPlan(rest: Rest): Promise<Json> {
  const networks = await read(rest, '/networks?page_size=200')
  const allocations = await read(rest, '/ipam?page_size=100')
  const free = await read(rest, '/ipam/available-cidrs?max_peers=100&count=20')
  return { networks, allocations, free }
}

/** The IPv4 addresses of a network's peers, oldest first. */
export async function addressesOf(rest: Rest, network: Json): Promise<string[]> {
  const { data } = await read(rest, `/networks/${network.id}/peers?page_size=500`)
  return data.map((peer: Json) => peer.address)
}

/** Path of a peer. */
export function peerPath(network: Json, peer: Json): string {
  return `/networks/${network.id}/peers/${peer.id}`
}

/** Whom `peer` may reach: name of the other peer to `allowed` and `reason`. */
export async function accessOf(rest: Rest, network: Json, peer: Json): Promise<Record<string, string>> {
  const { peer_access } = await read(rest, `${peerPath(network, peer)}/reachability`)
  return Object.fromEntries(peer_access.map((to: Json) => [to.peer_name, `${to.allowed} ${to.reason}`]))
}

/** The WireGuard configuration of `peer`. */
export async function configOf(rest: Rest, network: Json, peer: Json): Promise<string> {
  return (await read(rest, `${peerPath(network, peer)}/config`)).config
}

/** A user who may use `networks`. */
export async function newUser(app: TestApp, name: string, ...networks: Json[]): Promise<Rest & { id: string }> {
  const ids = networks.map((network) => network.id)
  const { id, token } = await app.addUser(name, ids)
  return { ...app.as(token), id }
}

/** Records an incident of `peer` as a detection does; answers its id. */
export async function raiseIncident(
  app: TestApp,
  network: Json,
  peer: Json,
  fields: Partial<Parameters<typeof incidents.raise>[1]> = {},
): Promise<string> {
  const id = app.app.env.random.newId()
  const incident = {
    id,
    network_id: network.id,
    peer_id: peer.id,
    peer_name: peer.name,
    incident_type: 'session_conflict' as const,
    detected_at: '2024-04-13T08:00:00.000Z',
    public_key: peer.public_key,
    endpoints: ['203.0.113.5:51820', '198.51.100.1:51820'],
    details: 'Multiple active agents detected for the same peer',
    blocks: true,
    ...fields,
  }
  await app.app.env.database.write((tx) => incidents.raise(tx, incident))
  return id
}

/** Records what the agent of `peer` says of itself. */
export async function hearAgent(
  app: TestApp,
  peer: Json,
  fields: Partial<agentSessions.AgentSession> = {},
): Promise<agentSessions.AgentSession> {
  const session = {
    peer_id: peer.id,
    hostname: 'laptop-alice',
    system_uptime: 86400,
    wireguard_uptime: 3600,
    reported_endpoint: '203.0.113.5:51820',
    last_seen: app.app.env.now().toISOString(),
    first_seen: '2024-04-12T09:00:00.000Z',
    session_id: app.app.env.random.newId(),
    ...fields,
  }
  await app.app.env.database.write((tx) => agentSessions.put(tx, session))
  return session
}
