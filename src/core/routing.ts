import { AppError, quoted } from '../errors.ts'
import { findPrefixLoosely, isWithin, parseAddress } from './address.ts'
import type { Group, Route } from './topology.ts'

/**
 * Refuses a group in which a gateway would use its own route: a route of the group leads through one of its members.
 * `routes` are those attached to `group`.
 */
export function refuseCircularRouting(group: Group, routes: readonly Route[]): void {
  const circular = routes.filter((route) => group.peer_ids.includes(route.jump_peer_id))
  const [first] = circular
  if (!first) return
  const names = circular.map((route) => quoted(route.name)).join(', ')
  throw new AppError('invalid', `group ${quoted(group.name)} would contain the gateway of its own route ${names}`, {
    details: { peer_id: first.jump_peer_id, group_id: group.id, route_ids: circular.map((route) => route.id) },
  })
}

/** Refuses an address that lies outside the route's prefix of its family, and so would never be reached through it. */
export function refuseOutside(route: Route, address: string): void {
  const { family, value } = parseAddress(address)
  const cidr = family === 4 ? route.destination_cidr : route.destination_cidr_v6
  const prefix = cidr === null ? undefined : findPrefixLoosely(cidr)
  if (prefix && isWithin({ family, base: value, length: family === 4 ? 32 : 128 }, prefix)) return
  throw new AppError(
    'invalid',
    `address ${address} is not within ${cidr ?? `an IPv${family} prefix`} of route ${quoted(route.name)}`,
  )
}
