import { createHash } from 'node:crypto'
import type { Principal } from '../core/principal.ts'
import type { Db } from './db.ts'
import { visibleNetworks } from './visible.ts'

/** An open link to the captive portal: one jump peer's question who is behind one tunnel address. */
export interface CaptiveToken {
  readonly network_id: string
  readonly jump_peer_id: string
  readonly peer_id: string
  readonly peer_ip: string
  /** Where the peer's packets come from; empty for unknown. */
  readonly peer_endpoint: string
  readonly created_at: string
  readonly expires_at: string
}

/** A token as it is kept. */
export interface CaptiveTokenRecord extends CaptiveToken {
  readonly token_hash: string
  /** Hash of what the browser it is bound to holds; null while it is bound to none. */
  readonly state_hash: string | null
}

/** A peer that a jump peer lets through. */
export interface Admission {
  readonly network_id: string
  readonly jump_peer_id: string
  readonly peer_id: string
  readonly peer_endpoint: string
  readonly expires_at: string
}

/** The peer that a token is about. */
export interface CaptivePeer {
  readonly id: string
  readonly name: string
  readonly owner_id: string | null
  readonly network_id: string
  readonly network_name: string
}

/** Keeps a new token, itself as a hash, in the place of the one that the jump peer had for the address. */
export async function insert(tx: Db, token: CaptiveToken, secret: string): Promise<void> {
  const { network_id, jump_peer_id, peer_id, peer_ip, peer_endpoint, created_at, expires_at } = token
  await removeExpired(tx, created_at)
  await tx.run('DELETE FROM captive_portal_tokens WHERE jump_peer_id = ? AND peer_ip = ?', jump_peer_id, peer_ip)
  await tx.run(
    `INSERT INTO captive_portal_tokens (token_hash, network_id, jump_peer_id, peer_id, peer_ip, peer_endpoint,
      created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[hashSecret(secret), network_id, jump_peer_id, peer_id, peer_ip, peer_endpoint, created_at, expires_at],
  )
  await bumpRevision(tx, network_id)
}

/** The token whose value is `secret`, expired or not. */
export async function find(tx: Db, secret: string): Promise<CaptiveTokenRecord | undefined> {
  return tx.find(
    `SELECT token_hash, network_id, jump_peer_id, peer_id, peer_ip, peer_endpoint, state_hash, created_at, expires_at
      FROM captive_portal_tokens WHERE token_hash = ?`,
    hashSecret(secret),
  )
}

/** Binds a token to the browser that holds `state`, unless it is bound already. */
export async function bind(tx: Db, token: CaptiveTokenRecord, state: string): Promise<void> {
  const sql = 'UPDATE captive_portal_tokens SET state_hash = ? WHERE token_hash = ? AND state_hash IS NULL'
  await tx.run(sql, hashSecret(state), token.token_hash)
}

/** Whether a token is bound to the browser that holds `state`. */
export function isBoundTo(token: CaptiveTokenRecord, state: string | undefined): boolean {
  return state !== undefined && token.state_hash === hashSecret(state)
}

/** Uses a token up: its jump peer lets the peer through until `admission` expires. */
export async function admit(tx: Db, token: CaptiveTokenRecord, admission: Admission, now: string): Promise<void> {
  const { network_id, jump_peer_id, peer_id, peer_endpoint, expires_at } = admission
  await removeExpired(tx, now)
  await tx.run('DELETE FROM captive_portal_tokens WHERE token_hash = ?', token.token_hash)
  await tx.run(
    `INSERT INTO captive_portal_whitelist (network_id, jump_peer_id, peer_id, peer_endpoint, expires_at)
      VALUES (?, ?, ?, ?, ?) ON CONFLICT (jump_peer_id, peer_id)
      DO UPDATE SET peer_endpoint = excluded.peer_endpoint, expires_at = excluded.expires_at`,
    ...[network_id, jump_peer_id, peer_id, peer_endpoint, expires_at],
  )
  await bumpRevision(tx, network_id)
}

/** Nobody lets the peer through any longer, and its open tokens are void. */
export async function revoke(tx: Db, peerId: string): Promise<void> {
  await tx.run('DELETE FROM captive_portal_whitelist WHERE peer_id = ?', peerId)
  await tx.run('DELETE FROM captive_portal_tokens WHERE peer_id = ?', peerId)
}

/** Whom a jump peer lets through at `now`, in order of peer. */
export async function listAdmissions(tx: Db, jumpPeerId: string, now: string): Promise<Admission[]> {
  return tx.all(
    `SELECT network_id, jump_peer_id, peer_id, peer_endpoint, expires_at FROM captive_portal_whitelist
      WHERE jump_peer_id = ? AND expires_at > ? ORDER BY peer_id`,
    jumpPeerId,
    now,
  )
}

/** Id of the peer of a network that has this tunnel address, in either family; the address in its canonical form. */
export async function findPeerAt(tx: Db, networkId: string, address: string): Promise<string | undefined> {
  const sql = `SELECT id FROM peers WHERE network_id = ? AND address = ?
    UNION SELECT id FROM peers WHERE network_id = ? AND address_v6 = ?`
  return (await tx.find<{ id: string }>(sql, networkId, address, networkId, address))?.id
}

/** The peer that a token is about, if it still has the address and `who` may use the network, whoever owns it. */
export async function findPeerOf(tx: Db, who: Principal, token: CaptiveToken): Promise<CaptivePeer | undefined> {
  const visible = visibleNetworks(who, 'peers.network_id')
  return tx.find(
    `SELECT peers.id, peers.name, peers.owner_id, peers.network_id, networks.name AS network_name
      FROM peers JOIN networks ON networks.id = peers.network_id
      WHERE peers.id = ? AND (peers.address = ? OR peers.address_v6 = ?) AND ${visible.where}`,
    ...[token.peer_id, token.peer_ip, token.peer_ip, ...visible.params],
  )
}

/** Forgets what expired before `now`. */
async function removeExpired(tx: Db, now: string): Promise<void> {
  await tx.run('DELETE FROM captive_portal_tokens WHERE expires_at <= ?', now)
  await tx.run('DELETE FROM captive_portal_whitelist WHERE expires_at <= ?', now)
}

/** What agents are told changes with the tokens and the admissions. */
async function bumpRevision(tx: Db, networkId: string): Promise<void> {
  await tx.run('UPDATE networks SET revision = revision + 1 WHERE id = ?', networkId)
}

/** Secrets are random and long, so one round of SHA-256 keeps them. */
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
