import * as incidents from '../src/storage/incidents.ts'
import type { TestApp } from './harness.ts'

/** Two networks; a user, Alice, who owns a laptop in one of them and may not see the other. */
export interface Office {
  readonly office: string
  readonly lab: string
  readonly hub: string
  readonly laptop: string
  readonly db: string
  readonly alice: { id: string; token: string }
  /** Has the laptop, the policy and the route. */
  readonly team: string
  readonly policy: string
  readonly rule: string
  /** Through the hub. */
  readonly route: string
  readonly mapping: string
  /** Open, and blocking the laptop. */
  readonly laptopIncident: string
  /** Open, on the database's peer. */
  readonly dbIncident: string
}

/** Builds the office through REST, except for the incidents, which nobody can ask for. */
export async function buildOffice(app: TestApp): Promise<Office> {
  const admin = app.as(app.adminToken)
  const office = (await admin.post('/networks', { name: 'office', cidr: '10.10.0.0/24' })).body.id
  const lab = (await admin.post('/networks', { name: 'lab', cidr: '10.20.0.0/24', cidr_v6: 'fd00:20::/64' })).body.id
  const alice = await app.addUser('alice', [office])
  const peers = `/networks/${office}/peers`
  const hub = (await admin.post(peers, { name: 'hub', is_jump: true, endpoint: '203.0.113.5' })).body.id
  const laptop = (await app.as(alice.token).post(peers, { name: 'laptop', use_agent: true })).body.id
  const db = (await admin.post(peers, { name: 'db', use_agent: true })).body.id
  const group = `/networks/${office}/groups`
  const team = (await admin.post(group, { name: 'team', priority: 50 })).body.id
  const rules = [{ direction: 'output', action: 'allow', target: '192.168.1.0/24', target_type: 'cidr' }]
  const { id: policy, rules: made } = (await admin.post(`/networks/${office}/policies`, { name: 'lan-only', rules }))
    .body
  const through = { name: 'lan', destination_cidr: '192.168.1.0/24', jump_peer_id: hub }
  const route = (await admin.post(`/networks/${office}/routes`, through)).body.id
  const named = { name: 'printer', ip_address: '192.168.1.10' }
  const mapping = (await admin.post(`/networks/${office}/routes/${route}/dns`, named)).body.id
  for (const member of [`peers/${laptop}`, `policies/${policy}`, `routes/${route}`])
    await admin.post(`${group}/${team}/${member}`)
  const laptopIncident = await raiseIncident(app, office, { id: laptop, name: 'laptop' }, true)
  const dbIncident = await raiseIncident(app, office, { id: db, name: 'db' }, false)
  const policies = { team, policy, rule: made[0].id, route, mapping }
  return { office, lab, hub, laptop, db, alice, ...policies, laptopIncident, dbIncident }
}

/** Records an incident as the detection would. */
export async function raiseIncident(
  app: Pick<TestApp, 'app'>,
  networkId: string,
  peer: { id: string; name: string },
  blocks: boolean,
): Promise<string> {
  const { database, random, now } = app.app.env
  const id = random.newId()
  await database.write((tx) =>
    incidents.raise(tx, {
      id,
      network_id: networkId,
      peer_id: peer.id,
      peer_name: peer.name,
      incident_type: 'session_conflict',
      detected_at: now().toISOString(),
      public_key: 'rjXm+dobnn5YlWUuDcCNmdMyxxjAU2UC2wPnSz07Khk=',
      endpoints: ['203.0.113.5:51820', '198.51.100.1:51820'],
      details: 'Multiple active agents detected for the same peer',
      blocks,
    }),
  )
  return id
}
