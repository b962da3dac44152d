import { z } from 'zod'
import { type Family, formatPrefix, parsePrefixLoosely } from '../../core/address.ts'
import { refuseCircularRouting, refuseOutside } from '../../core/routing.ts'
import type { Route } from '../../core/topology.ts'
import { AppError, quoted } from '../../errors.ts'
import { groupsWith } from '../../storage/attachments.ts'
import type { Db } from '../../storage/db.ts'
import * as mappings from '../../storage/dns-mappings.ts'
import * as groups from '../../storage/groups.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import * as routes from '../../storage/routes.ts'
import { AllowedIp, Line, NetworkId, optional, PeerId, RouteId, RouteSuffix, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

/** A route as everybody gets it. */
export const RouteView = z.object({
  id: z.string(),
  network_id: z.string(),
  name: z.string(),
  description: z.string(),
  destination_cidr: z.string(),
  destination_cidr_v6: z.string().optional(),
  jump_peer_id: z.string(),
  domain_suffix: z.string(),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const DEFAULT_SUFFIX = 'internal'
const Name = Line(255).describe('Unique name')
const Description = Line(255).optional().describe('Note')
const destinations = {
  destination_cidr: optional(AllowedIp).describe('IPv4 CIDR behind the jump peer'),
  destination_cidr_v6: optional(AllowedIp).describe('IPv6 CIDR behind the jump peer'),
}
const Suffix = optional(RouteSuffix).describe('DNS suffix of the names behind the route; internal unless given')

/** Lists a network's routes. */
export const listRoutes = defineOperation({
  name: 'list_routes',
  title: 'List routes',
  description: 'Lists the routes of a network, oldest first.',
  http: 'GET /networks/{network_id}/routes',
  permission: 'routes:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.array(RouteView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return (await routes.list(tx, id)).map(routeView)
  },
})

/** Gets one route. */
export const getRoute = defineOperation({
  name: 'get_route',
  title: 'Get route',
  description: 'Shows one route.',
  http: 'GET /networks/{network_id}/routes/{route_id}',
  permission: 'routes:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, route_id: RouteId }),
  output: RouteView,
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return routeView(await routes.get(tx, id, input.route_id))
  },
})

/** Creates a route through a jump peer. */
export const createRoute = defineOperation({
  name: 'create_route',
  title: 'Create route',
  description: 'Creates a route to a network behind a jump peer. Peers use it through the groups it is attached to.',
  http: 'POST /networks/{network_id}/routes',
  permission: 'routes:write',
  effect: 'create',
  input: z.strictObject({
    network_id: NetworkId,
    name: Name.min(1),
    description: Description,
    ...destinations,
    jump_peer_id: PeerId.describe('Jump peer that is the gateway'),
    domain_suffix: Suffix,
  }),
  output: RouteView,
  async run({ tx, now, random }, input) {
    const route: Route = {
      id: random.newId(),
      network_id: input.network_id,
      name: input.name,
      description: input.description ?? '',
      destination_cidr: canonical('destination_cidr', input.destination_cidr, 4),
      destination_cidr_v6: canonical('destination_cidr_v6', input.destination_cidr_v6, 6),
      jump_peer_id: await gateway(tx, input.network_id, input.jump_peer_id),
      domain_suffix: input.domain_suffix || DEFAULT_SUFFIX,
      created_at: now,
      updated_at: now,
    }
    if (route.destination_cidr === null && route.destination_cidr_v6 === null) {
      throw new AppError('invalid', 'destination_cidr: give destination_cidr, destination_cidr_v6 or both')
    }
    await routes.insert(tx, route)
    return routeView(await routes.get(tx, route.network_id, route.id))
  },
})

/** Changes a route, if no gateway comes to use its own route and no name behind it is lost. */
export const updateRoute = defineOperation({
  name: 'update_route',
  title: 'Update route',
  description: 'Changes the given fields of a route.',
  http: 'PUT /networks/{network_id}/routes/{route_id}',
  permission: 'routes:write',
  effect: 'update',
  input: z.strictObject({
    network_id: NetworkId,
    route_id: RouteId,
    name: Name.optional(),
    description: Description,
    ...destinations,
    jump_peer_id: PeerId.optional().describe('New gateway'),
    domain_suffix: Suffix,
  }),
  output: RouteView,
  async run({ tx, now }, input) {
    const before = await routes.get(tx, input.network_id, input.route_id)
    const after: Route = {
      ...before,
      name: input.name || before.name,
      description: input.description ?? before.description,
      destination_cidr: canonical('destination_cidr', input.destination_cidr, 4) ?? before.destination_cidr,
      destination_cidr_v6: canonical('destination_cidr_v6', input.destination_cidr_v6, 6) ?? before.destination_cidr_v6,
      jump_peer_id: input.jump_peer_id ? await gateway(tx, before.network_id, input.jump_peer_id) : before.jump_peer_id,
      domain_suffix: input.domain_suffix || before.domain_suffix,
      updated_at: now,
    }
    await refuseBrokenRoute(tx, after)
    await routes.update(tx, after)
    return routeView(await routes.get(tx, after.network_id, after.id))
  },
})

/** Deletes a route with its names. */
export const deleteRoute = defineOperation({
  name: 'delete_route',
  title: 'Delete route',
  description: 'Deletes a route with its DNS mappings and takes it from every group.',
  http: 'DELETE /networks/{network_id}/routes/{route_id}',
  permission: 'routes:write',
  effect: 'delete',
  input: z.strictObject({ network_id: NetworkId, route_id: RouteId }),
  output: z.null(),
  async run({ tx }, input) {
    const route = await routes.get(tx, input.network_id, input.route_id)
    await routes.remove(tx, route.id)
    return null
  },
})

/** A route for an answer. */
export function routeView(route: Route): z.input<typeof RouteView> {
  const { destination_cidr, destination_cidr_v6, ...rest } = route
  return {
    ...rest,
    destination_cidr: destination_cidr ?? '',
    ...(destination_cidr_v6 === null ? {} : { destination_cidr_v6 }),
  }
}

function canonical(field: string, text: string | undefined, family: Family): string | null {
  if (!text) return null
  const prefix = parsePrefixLoosely(text)
  if (prefix.family !== family) throw new AppError('invalid', `${field}: ${quoted(text)} is not an IPv${family} CIDR`)
  return formatPrefix(prefix)
}

async function gateway(tx: Db, networkId: string, peerId: string): Promise<string> {
  if (await peers.isJump(tx, networkId, peerId)) return peerId
  throw new AppError('invalid', `jump_peer_id: no jump peer ${quoted(peerId)} in this network`)
}

async function refuseBrokenRoute(tx: Db, route: Route): Promise<void> {
  for (const groupId of await groupsWith(tx, 'routes', route.id)) {
    refuseCircularRouting(await groups.get(tx, route.network_id, groupId), [route])
  }
  for (const mapping of await mappings.list(tx, route.id)) {
    for (const address of [mapping.ip_address, mapping.ip_address_v6]) if (address) refuseOutside(route, address)
  }
}
