import { formatPrefix, isWithin, overlaps, type Prefix, parsePrefix, parsePrefixLoosely } from '../core/address.ts'
import { isAdmin } from '../core/principal.ts'
import type { Network } from '../core/topology.ts'
import { AppError } from '../errors.ts'
import * as peers from '../storage/peers.ts'
import type { Context } from './operation.ts'

/**
 * Canonical text of the prefixes that a peer of `ownerId` is to carry beside its own address. Traffic follows the most
 * specific claim, so nobody may claim tunnel addresses, and a user neither the network's surroundings nor anything that
 * overlaps what a peer of somebody else carries.
 */
export async function carriedPrefixes(
  { tx, who }: Pick<Context, 'tx' | 'who'>,
  network: Network,
  ownerId: string,
  cidrs: readonly string[],
): Promise<string[]> {
  const wanted = cidrs.map(parsePrefixLoosely)
  const tunnels = [network.cidr, network.cidr_v6].filter((cidr) => cidr !== null).map(parsePrefix)
  const inside = wanted.find((prefix) => tunnels.some((tunnel) => isWithin(prefix, tunnel)))
  if (inside)
    throw refusal('invalid', inside, 'lies in the network itself, whose addresses are handed out by the server')
  if (!isAdmin(who)) {
    const around = firstOverlap(wanted, tunnels)
    if (around) throw refusal('forbidden', around, 'contains the network; only administrators may do that')
    const foreign = wanted.length > 0 ? await peers.listCarriedByOthers(tx, network.id, ownerId) : []
    const taken = firstOverlap(wanted, foreign.map(parsePrefixLoosely))
    if (taken) throw refusal('conflict', taken, 'overlaps what a peer of somebody else carries')
  }
  return [...new Set(wanted.map(formatPrefix))]
}

function firstOverlap(wanted: readonly Prefix[], others: readonly Prefix[]): Prefix | undefined {
  return wanted.find((prefix) => others.some((other) => overlaps(other, prefix)))
}

function refusal(code: 'invalid' | 'forbidden' | 'conflict', prefix: Prefix, problem: string): AppError {
  return new AppError(code, `additional_allowed_ips: ${formatPrefix(prefix)} ${problem}`)
}
