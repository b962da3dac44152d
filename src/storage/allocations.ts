import type { Principal } from '../core/principal.ts'
import type { Db } from './db.ts'
import { contains, type Page, type PageRequest, selectPage } from './page.ts'
import { visiblePeers } from './visible.ts'

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

const COLUMNS = `networks.id AS network_id, networks.name AS network_name, families.family AS family,
  CASE families.family WHEN 'ipv4' THEN networks.cidr ELSE networks.cidr_v6 END AS network_cidr,
  CASE families.family WHEN 'ipv4' THEN peers.address ELSE peers.address_v6 END AS ip,
  peers.id AS peer_id, peers.name AS peer_name`

const FROM = `networks JOIN peers ON peers.network_id = networks.id
  JOIN (SELECT 'ipv4' AS family UNION ALL SELECT 'ipv6') AS families
    ON (families.family = 'ipv4' AND peers.address IS NOT NULL)
    OR (families.family = 'ipv6' AND peers.address_v6 IS NOT NULL)`

const ORDER = ['networks.id', 'peers.id', 'families.family']

/** One page of the addresses held by peers that `who` may see; `filter` matches network name, address or peer name. */
export async function list(tx: Db, who: Principal, filter: string, page: PageRequest): Promise<Page<Allocation>> {
  const visible = visiblePeers(who)
  const match = contains(
    ['networks.name', "COALESCE(peers.address, '')", "COALESCE(peers.address_v6, '')", 'peers.name'],
    filter,
  )
  const where = filter ? `${visible.where} AND ${match.where}` : visible.where
  const params = filter ? [...visible.params, ...match.params] : visible.params
  return selectPage(tx, { columns: COLUMNS, from: FROM, where, params, order: ORDER }, page)
}

/** All addresses of one network held by peers that `who` may see. */
export async function listOfNetwork(tx: Db, who: Principal, networkId: string): Promise<Allocation[]> {
  const visible = visiblePeers(who)
  const sql = `SELECT ${COLUMNS} FROM ${FROM} WHERE networks.id = ? AND ${visible.where} ORDER BY ${ORDER.join(', ')}`
  return tx.all(sql, networkId, ...visible.params)
}
