import { createHash } from 'node:crypto'
import { isAdmin, type Principal } from '../core/principal.ts'
import type { Peer } from '../core/topology.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'
import * as groups from './groups.ts'
import type { TunnelAddresses } from './hosts.ts'
import { contains, type Page, type PageRequest, selectPage } from './page.ts'
import type { Vault } from './vault.ts'
import { type Condition, visiblePeers } from './visible.ts'

/** A peer with the token that enrols its agent, and its groups. */
export interface PeerRecord extends Peer {
  readonly token: string
  readonly group_ids: readonly string[]
}

/** What only the peer's own host may know. */
export interface PeerSecrets {
  readonly privateKey: string
  readonly token: string
}

/** A peer whose agent has shown the token that enrols it. */
export type EnrolledPeer = Pick<Peer, 'id' | 'network_id' | 'name' | 'is_jump'>

interface Row extends Omit<Peer, 'additional_allowed_ips' | 'is_jump' | 'use_agent'> {
  readonly additional_allowed_ips: string
  readonly is_jump: number
  readonly use_agent: number
}

const COLUMNS = `peers.id, peers.network_id, peers.name, peers.public_key, peers.address, peers.address_v6, peers.endpoint,
  peers.listen_port, peers.additional_allowed_ips, peers.is_jump, peers.use_agent, peers.owner_id, peers.created_at,
  peers.updated_at`

/** One page of a network's peers that `who` may see, oldest first; `filter` matches name, address or id. */
export async function list(
  tx: Db,
  vault: Vault,
  who: Principal,
  scope: { network_id: string; filter: string; peer_count: number },
  page: PageRequest,
): Promise<Page<PeerRecord>> {
  const where = matching(visiblePeers(who), scope)
  const total = isAdmin(who) && scope.filter === '' ? scope.peer_count : undefined
  const query = { columns: `${COLUMNS}, peers.token`, from: 'peers', ...where, order: ['peers.id'], total }
  const found = await selectPage<Row & { token: string }>(tx, query, page)
  const groupIds = await groups.listOfPeers(
    tx,
    found.data.map((row) => row.id),
  )
  return { ...found, data: found.data.map((row) => unseal(vault, row, groupIds)) }
}

/** All peers of a network, oldest first, whoever asks: for computing, not for showing. */
export async function listAll(tx: Db, networkId: string): Promise<Peer[]> {
  const rows = await tx.all<Row>(`SELECT ${COLUMNS} FROM peers WHERE network_id = ? ORDER BY id`, networkId)
  return rows.map(fromRow)
}

/** The prefixes that peers of a network carry, other than those of `ownerId`. */
export async function listCarriedByOthers(tx: Db, networkId: string, ownerId: string): Promise<string[]> {
  const sql = `SELECT additional_allowed_ips AS cidrs FROM peers
    WHERE network_id = ? AND additional_allowed_ips <> '[]' AND COALESCE(owner_id, '') <> ? ORDER BY id`
  const rows = await tx.all<{ cidrs: string }>(sql, networkId, ownerId)
  return rows.flatMap((row): string[] => JSON.parse(row.cidrs))
}

/** Ids of all peers of a network. */
export async function listIds(tx: Db, networkId: string): Promise<string[]> {
  const rows = await tx.all<{ id: string }>('SELECT id FROM peers WHERE network_id = ? ORDER BY id', networkId)
  return rows.map((row) => row.id)
}

/** The peer, if `who` may see it. */
export async function get(tx: Db, vault: Vault, who: Principal, networkId: string, id: string): Promise<PeerRecord> {
  const visible = visiblePeers(who)
  const row = await tx.find<Row & { token: string }>(
    `SELECT ${COLUMNS}, peers.token FROM peers WHERE peers.network_id = ? AND peers.id = ? AND ${visible.where}`,
    networkId,
    id,
    ...visible.params,
  )
  if (!row) throw new AppError('not_found', `no peer ${quoted(id)} that you can see in network ${quoted(networkId)}`)
  return unseal(vault, row, await groups.listOfPeers(tx, [row.id]))
}

/** Ids and names of a network's peers called `name` that `who` may see. */
export async function named(
  tx: Db,
  who: Principal,
  networkId: string,
  name: string,
): Promise<{ id: string; name: string }[]> {
  const visible = visiblePeers(who)
  const sql = `SELECT id, name FROM peers WHERE network_id = ? AND name = ? AND ${visible.where} ORDER BY id LIMIT 5`
  return tx.all(sql, networkId, name.toLowerCase(), ...visible.params)
}

/** Names of a network's peers that `who` may see, for suggestions; at most 200. */
export async function names(tx: Db, who: Principal, networkId: string): Promise<string[]> {
  const visible = visiblePeers(who)
  const sql = `SELECT name FROM peers WHERE network_id = ? AND ${visible.where} ORDER BY id LIMIT 200`
  return (await tx.all<{ name: string }>(sql, networkId, ...visible.params)).map((row) => row.name)
}

/** The peer that `token` enrols: one indexed look-up. */
export async function findEnrolled(tx: Db, token: string): Promise<EnrolledPeer | undefined> {
  const sql = 'SELECT id, network_id, name, is_jump FROM peers WHERE token_hash = ?'
  const row = await tx.find<Pick<Row, keyof EnrolledPeer>>(sql, hashToken(token))
  return row && { ...row, is_jump: row.is_jump === 1 }
}

/** The private key, for the peer's own configuration only. */
export async function getPrivateKey(tx: Db, vault: Vault, id: string): Promise<string> {
  const row = await tx.find<{ private_key: string }>('SELECT private_key FROM peers WHERE id = ?', id)
  if (!row) throw new AppError('not_found', `no peer ${quoted(id)}`)
  return vault.open(row.private_key, `peers.private_key:${id}`)
}

/** Adds a peer and counts it. */
export async function insert(tx: Db, vault: Vault, peer: Peer, secrets: PeerSecrets): Promise<void> {
  await tx.run(
    `INSERT INTO peers (id, network_id, name, public_key, private_key, token, token_hash, address, address_v6, endpoint,
      listen_port, additional_allowed_ips, is_jump, use_agent, owner_id, created_at, updated_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[peer.id, peer.network_id, peer.name, peer.public_key],
    vault.seal(secrets.privateKey, `peers.private_key:${peer.id}`),
    vault.seal(secrets.token, `peers.token:${peer.id}`),
    hashToken(secrets.token),
    ...[peer.address, peer.address_v6, peer.endpoint, peer.listen_port, JSON.stringify(peer.additional_allowed_ips)],
    ...[Number(peer.is_jump), Number(peer.use_agent), peer.owner_id, peer.created_at, peer.updated_at],
  )
  await tx.run('UPDATE networks SET peer_count = peer_count + 1 WHERE id = ?', peer.network_id)
}

/** Writes the fields that a person may change. */
export async function update(tx: Db, peer: Peer): Promise<void> {
  await tx.run(
    `UPDATE peers SET name = ?, endpoint = ?, listen_port = ?, additional_allowed_ips = ?, owner_id = ?, updated_at = ?
      WHERE id = ?`,
    ...[peer.name, peer.endpoint, peer.listen_port, JSON.stringify(peer.additional_allowed_ips), peer.owner_id],
    ...[peer.updated_at, peer.id],
  )
}

/** Gives a peer other tunnel addresses. */
export async function move(tx: Db, id: string, addresses: TunnelAddresses): Promise<void> {
  await tx.run('UPDATE peers SET address = ?, address_v6 = ? WHERE id = ?', addresses.address, addresses.address_v6, id)
}

/** Takes a peer's address of each of `families` away, so that others may have it within this transaction. */
export async function vacate(tx: Db, id: string, families: readonly (4 | 6)[]): Promise<void> {
  for (const family of families) {
    await tx.run(`UPDATE peers SET ${family === 4 ? 'address' : 'address_v6'} = NULL WHERE id = ?`, id)
  }
}

/** Removes a peer and uncounts it. */
export async function remove(tx: Db, peer: Peer): Promise<void> {
  await tx.run('DELETE FROM peers WHERE id = ?', peer.id)
  await tx.run('UPDATE networks SET peer_count = peer_count - 1 WHERE id = ?', peer.network_id)
}

/** Whether the network has this peer. */
export async function exists(tx: Db, networkId: string, id: string): Promise<boolean> {
  return (await tx.find('SELECT 1 AS one FROM peers WHERE network_id = ? AND id = ?', networkId, id)) !== undefined
}

/** Whether the network has this peer and it is a jump peer. */
export async function isJump(tx: Db, networkId: string, id: string): Promise<boolean> {
  const sql = 'SELECT 1 AS one FROM peers WHERE network_id = ? AND id = ? AND is_jump = 1'
  return (await tx.find(sql, networkId, id)) !== undefined
}

/** Whether the network has a jump peer besides `id`. */
export async function hasOtherJump(tx: Db, networkId: string, id: string): Promise<boolean> {
  const sql = 'SELECT 1 AS one FROM peers WHERE network_id = ? AND is_jump = 1 AND id <> ? LIMIT 1'
  return (await tx.find(sql, networkId, id)) !== undefined
}

function matching(visible: Condition, scope: { network_id: string; filter: string }): Condition {
  const where = `peers.network_id = ? AND ${visible.where}`
  const params = [scope.network_id, ...visible.params]
  if (!scope.filter) return { where, params }
  const match = contains(
    ['peers.name', "COALESCE(peers.address, '')", "COALESCE(peers.address_v6, '')", 'peers.id'],
    scope.filter,
  )
  return { where: `${where} AND ${match.where}`, params: [...params, ...match.params] }
}

function unseal(vault: Vault, row: Row & { token: string }, groupIds: ReadonlyMap<string, string[]>): PeerRecord {
  const token = vault.open(row.token, `peers.token:${row.id}`)
  return { ...fromRow(row), token, group_ids: groupIds.get(row.id) ?? [] }
}

/** Tokens are random and long, so one round of SHA-256 keeps them. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function fromRow(row: Row): Peer {
  return {
    ...row,
    additional_allowed_ips: JSON.parse(row.additional_allowed_ips),
    is_jump: row.is_jump === 1,
    use_agent: row.use_agent === 1,
  }
}
