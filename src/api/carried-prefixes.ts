import {
  formatPrefix,
  isPrivate,
  isWithin,
  overlaps,
  type Prefix,
  parsePrefix,
  parsePrefixLoosely,
} from '../core/address.ts'
import { isAdmin } from '../core/principal.ts'
import type { Network } from '../core/topology.ts'
import { AppError } from '../errors.ts'
import * as peers from '../storage/peers.ts'
import * as prefixes from '../storage/prefixes.ts'
import * as routes from '../storage/routes.ts'
import type { Context } from './operation.ts'

/**
 * Canonical text of the prefixes that a peer of `ownerId` is to carry beside its own address. Traffic follows the most
 * specific claim, so nobody may claim tunnel addresses, and a user only private prefixes that nobody else uses: no
 * network's, no route's, nothing that a peer of somebody else carries.
 */
export async function carriedPrefixes(
  context: Pick<Context, 'tx' | 'who'>,
  network: Network,
  ownerId: string,
  cidrs: readonly string[],
): Promise<string[]> {
  const wanted = cidrs.map(parsePrefixLoosely)
  const tunnels = [network.cidr, network.cidr_v6].filter((cidr) => cidr !== null).map(parsePrefix)
  const inside = wanted.find((prefix) => tunnels.some((tunnel) => isWithin(prefix, tunnel)))
  if (inside)
    throw refusal('invalid', inside, 'lies in the network itself, whose addresses are handed out by the server')
  if (!isAdmin(context.who)) await refuseForeign(context, network, ownerId, wanted)
  return [...new Set(wanted.map(formatPrefix))]
}

async function refuseForeign(
  { tx }: Pick<Context, 'tx'>,
  network: Network,
  ownerId: string,
  wanted: readonly Prefix[],
): Promise<void> {
  const open = wanted.find((prefix) => !isPrivate(prefix))
  if (open) throw refusal('forbidden', open, 'is not private address space; only administrators may use it')
  for (const prefix of wanted) {
    if (await prefixes.isBooked(tx, prefix)) throw refusal('forbidden', prefix, 'belongs to a network')
  }
  const carried = wanted.length > 0 ? await peers.listCarriedByOthers(tx, network.id, ownerId) : []
  const routed = wanted.length > 0 ? await routes.listDestinations(tx, network.id) : []
  const others = [...carried, ...routed].map(parsePrefixLoosely)
  const taken = wanted.find((prefix) => others.some((other) => overlaps(other, prefix)))
  if (taken) throw refusal('conflict', taken, 'overlaps what somebody else carries')
}

function refusal(code: 'invalid' | 'forbidden' | 'conflict', prefix: Prefix, problem: string): AppError {
  return new AppError(code, `additional_allowed_ips: ${formatPrefix(prefix)} ${problem}`)
}
