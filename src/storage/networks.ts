import type { Principal } from '../core/principal.ts'
import type { Network } from '../core/topology.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from './db.ts'
import * as groups from './groups.ts'
import { contains, type Page, type PageRequest, selectPage } from './page.ts'
import { visibleNetworks } from './visible.ts'

/** A network with its number of peers and the groups that new peers of users join. */
export interface NetworkRecord extends Network {
  readonly peer_count: number
  readonly default_group_ids: readonly string[]
}

interface Row extends Omit<NetworkRecord, 'dns' | 'default_group_ids'> {
  readonly dns: string
}

const COLUMNS =
  'networks.id, networks.name, networks.cidr, networks.cidr_v6, networks.dns, networks.domain_suffix, networks.peer_count, networks.created_at, networks.updated_at'

/** One page of the networks that `who` may see, oldest first; `filter` matches name, CIDR or id. */
export async function list(tx: Db, who: Principal, filter: string, page: PageRequest): Promise<Page<NetworkRecord>> {
  const visible = visibleNetworks(who, 'networks.id')
  const match = contains(
    ['networks.name', "COALESCE(networks.cidr, '')", "COALESCE(networks.cidr_v6, '')", 'networks.id'],
    filter,
  )
  const query = {
    columns: COLUMNS,
    from: 'networks',
    where: filter ? `${visible.where} AND ${match.where}` : visible.where,
    params: filter ? [...visible.params, ...match.params] : visible.params,
    order: ['networks.id'],
  }
  const found = await selectPage<Row>(tx, query, page)
  const defaults = await groups.listDefaultsOf(
    tx,
    found.data.map((row) => row.id),
  )
  return { ...found, data: found.data.map((row) => fromRow(row, defaults)) }
}

/** The network, if `who` may see it. */
export async function get(tx: Db, who: Principal, id: string): Promise<NetworkRecord> {
  const visible = visibleNetworks(who, 'networks.id')
  const row = await tx.find<Row>(
    `SELECT ${COLUMNS} FROM networks WHERE networks.id = ? AND ${visible.where}`,
    id,
    ...visible.params,
  )
  if (!row) throw notFound(id)
  return fromRow(row, await groups.listDefaultsOf(tx, [row.id]))
}

/** Ids and names of the networks called `name` that `who` may see. */
export async function named(tx: Db, who: Principal, name: string): Promise<{ id: string; name: string }[]> {
  const visible = visibleNetworks(who, 'networks.id')
  const sql = `SELECT id, name FROM networks WHERE LOWER(name) = ? AND ${visible.where} ORDER BY id LIMIT 5`
  return tx.all(sql, name.toLowerCase(), ...visible.params)
}

/** Names of the networks that `who` may see, for suggestions; at most 200. */
export async function names(tx: Db, who: Principal): Promise<string[]> {
  const visible = visibleNetworks(who, 'networks.id')
  const sql = `SELECT name FROM networks WHERE ${visible.where} ORDER BY id LIMIT 200`
  return (await tx.all<{ name: string }>(sql, ...visible.params)).map((row) => row.name)
}

/** Adds a network without peers. `pskSeed` arrives sealed. */
export async function insert(tx: Db, network: Network, pskSeed: string): Promise<void> {
  const { id, name, cidr, cidr_v6, dns, domain_suffix, created_at, updated_at } = network
  await tx.run(
    `INSERT INTO networks (id, name, cidr, cidr_v6, dns, domain_suffix, psk_seed, revision, peer_count,
      next_host_v4, next_host_v6, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 0, 1, 1, ?, ?)`,
    ...[id, name, cidr, cidr_v6, JSON.stringify(dns), domain_suffix, pskSeed, created_at, updated_at],
  )
}

/** Writes the fields that a person may change. */
export async function update(tx: Db, network: Network): Promise<void> {
  const { id, name, cidr, cidr_v6, dns, domain_suffix, updated_at } = network
  await tx.run(
    'UPDATE networks SET name = ?, cidr = ?, cidr_v6 = ?, dns = ?, domain_suffix = ?, updated_at = ? WHERE id = ?',
    ...[name, cidr, cidr_v6, JSON.stringify(dns), domain_suffix, updated_at, id],
  )
}

/** Removes the network and all that belongs to it. */
export async function remove(tx: Db, id: string): Promise<void> {
  await tx.run('DELETE FROM networks WHERE id = ?', id)
}

/** Locks the network for this transaction and gives its configuration a new version. Not found unless `who` may see it. */
export async function bumpRevision(tx: Db, who: Principal, id: string): Promise<void> {
  const visible = visibleNetworks(who, 'networks.id')
  const sql = `UPDATE networks SET revision = revision + 1 WHERE id = ? AND ${visible.where}`
  if ((await tx.run(sql, id, ...visible.params)) === 0) throw notFound(id)
}

/** The sealed seed from which the network's preshared keys derive. */
export async function getPskSeed(tx: Db, id: string): Promise<string> {
  const row = await tx.find<{ psk_seed: string }>('SELECT psk_seed FROM networks WHERE id = ?', id)
  if (!row) throw notFound(id)
  return row.psk_seed
}

function fromRow(row: Row, defaults: ReadonlyMap<string, string[]>): NetworkRecord {
  return { ...row, dns: JSON.parse(row.dns), default_group_ids: defaults.get(row.id) ?? [] }
}

function notFound(id: string): AppError {
  return new AppError('not_found', `no network ${quoted(id)} that you can see`)
}
