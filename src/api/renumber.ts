import { formatPrefix, isWithin, parsePrefix, parsePrefixLoosely } from '../core/address.ts'
import type { Network, Peer } from '../core/topology.ts'
import { AppError } from '../errors.ts'
import type { Db } from '../storage/db.ts'
import * as hosts from '../storage/hosts.ts'
import * as peers from '../storage/peers.ts'
import * as prefixes from '../storage/prefixes.ts'

/**
 * Moves a network whose CIDRs changed from `before` to `after`: books the new prefixes and gives every peer, oldest
 * first, the lowest address. Refused while a peer is configured by hand, since its host would keep the old address.
 */
export async function renumber(tx: Db, before: Network, after: Network): Promise<void> {
  const families = ([4, 6] as const).filter((family) => cidrOf(before, family) !== cidrOf(after, family))
  if (families.length === 0) return
  const members = await peers.listAll(tx, after.id)
  const loses = families.some((family) => cidrOf(before, family) !== null)
  const fixed = members.find((peer) => !peer.is_jump && !peer.use_agent)
  if (fixed && loses) {
    throw new AppError(
      'conflict',
      `peer "${fixed.name}" is configured by hand and would lose its address; delete it first`,
    )
  }
  refuseClaimed(members, after)
  for (const family of families) {
    await prefixes.release(tx, after.id, family)
    await prefixes.book(tx, after.id, parsePrefix(cidrOf(after, family) ?? ''))
    await hosts.reset(tx, after.id, family)
  }
  const moving = {
    ...after,
    cidr: families.includes(4) ? after.cidr : null,
    cidr_v6: families.includes(6) ? after.cidr_v6 : null,
  }
  for (const peer of members) await peers.vacate(tx, peer.id, families)
  for (const peer of members) {
    const taken = await hosts.take(tx, moving)
    await peers.move(tx, peer.id, {
      address: taken.address ?? peer.address,
      address_v6: taken.address_v6 ?? peer.address_v6,
    })
  }
}

/** A prefix that a peer carries would take the traffic of the addresses handed out in it. */
function refuseClaimed(members: readonly Peer[], network: Network): void {
  const tunnels = [network.cidr, network.cidr_v6].filter((cidr) => cidr !== null).map(parsePrefix)
  for (const peer of members) {
    const claim = peer.additional_allowed_ips.map(parsePrefixLoosely).find((prefix) => {
      return tunnels.some((tunnel) => isWithin(prefix, tunnel))
    })
    if (claim)
      throw new AppError('conflict', `peer "${peer.name}" carries ${formatPrefix(claim)}, which lies in the new CIDR`)
  }
}

function cidrOf(network: Network, family: 4 | 6): string | null {
  return family === 4 ? network.cidr : network.cidr_v6
}
