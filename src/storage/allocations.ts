import { isAdmin, type Principal } from '../core/principal.ts'
import type { Db } from './db.ts'
import { contains, type Page, type PageRequest, selectPage } from './page.ts'
import { type Condition, visiblePeers } from './visible.ts'

/** One tunnel address that a peer holds. */
export interface Allocation {
  readonly network_id: string
  readonly network_name: string
  readonly network_cidr: string
  readonly family: 'ipv4' | 'ipv6'
  readonly ip: string
  readonly peer_id: string
  readonly peer_name: string
}

const COLUMNS = 'network_id, network_name, family, network_cidr, ip, peer_id, peer_name'
const ORDER = ['network_id', 'peer_id', 'family']

/** One page of the addresses held by peers that `who` may see; `filter` matches network name, address or peer name. */
export async function list(tx: Db, who: Principal, filter: string, page: PageRequest): Promise<Page<Allocation>> {
  const { from, params } = addresses(visiblePeers(who))
  if (filter === '') {
    const total = isAdmin(who) ? await countAll(tx) : undefined
    return selectPage(tx, { columns: COLUMNS, from, where: '1 = 1', params, order: ORDER, total }, page)
  }
  const match = contains(['network_name', 'ip', 'peer_name'], filter)
  const where = { where: match.where, params: [...params, ...match.params] }
  return selectPage(tx, { columns: COLUMNS, from, ...where, order: ORDER }, page)
}

/** All addresses of one network held by peers that `who` may see. */
export async function listOfNetwork(tx: Db, who: Principal, networkId: string): Promise<Allocation[]> {
  const visible = visiblePeers(who)
  const { from, params } = addresses({
    where: `peers.network_id = ? AND ${visible.where}`,
    params: [networkId, ...visible.params],
  })
  return tx.all(`SELECT ${COLUMNS} FROM ${from} ORDER BY ${ORDER.join(', ')}`, ...params)
}

/**
 * The addresses of the peers that `visible` admits, a row for each family. Both parts come in the order of an index, so
 * a page costs its distance from the nearer end.
 */
function addresses(visible: Condition): { from: string; params: string[] } {
  const part = (family: string, address: string, cidr: string) => `
    SELECT peers.network_id AS network_id, networks.name AS network_name, '${family}' AS family,
      networks.${cidr} AS network_cidr, peers.${address} AS ip, peers.id AS peer_id, peers.name AS peer_name
    FROM peers JOIN networks ON networks.id = peers.network_id
    WHERE peers.${address} IS NOT NULL AND ${visible.where}`
  const from = `(${part('ipv4', 'address', 'cidr')} UNION ALL ${part('ipv6', 'address_v6', 'cidr_v6')}) AS addresses`
  return { from, params: [...visible.params, ...visible.params] }
}

/** Every peer holds an address of each family that its network has. */
async function countAll(tx: Db): Promise<number> {
  const row = await tx.find<{ n: number | null }>(
    `SELECT SUM(CASE WHEN cidr IS NULL THEN 0 ELSE peer_count END)
      + SUM(CASE WHEN cidr_v6 IS NULL THEN 0 ELSE peer_count END) AS n FROM networks`,
  )
  return row?.n ?? 0
}
