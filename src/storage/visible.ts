import { isAdmin, type Principal } from '../core/principal.ts'

/** A piece of a WHERE clause with its parameters. */
export interface Condition {
  readonly where: string
  readonly params: readonly string[]
}

const EVERYTHING: Condition = { where: '1 = 1', params: [] }

/** Networks that `who` may see; `column` holds the network's id. Administrators see all, users those they are authorised for. */
export function visibleNetworks(who: Principal, column: string): Condition {
  if (isAdmin(who)) return EVERYTHING
  return {
    where: `EXISTS (SELECT 1 FROM user_networks un WHERE un.network_id = ${column} AND un.user_id = ?)`,
    params: [who.id],
  }
}

/** Peers that `who` may see, in a query over `peers`: administrators all, users their own in networks they are authorised for. */
export function visiblePeers(who: Principal): Condition {
  if (isAdmin(who)) return EVERYTHING
  const network = visibleNetworks(who, 'peers.network_id')
  return { where: `peers.owner_id = ? AND ${network.where}`, params: [who.id, ...network.params] }
}
