import { z } from 'zod'
import { formatAddress, parseAddress } from '../../core/address.ts'
import { type DnsMapping, dnsRecords } from '../../core/dns.ts'
import { refuseOutside } from '../../core/routing.ts'
import type { Route } from '../../core/topology.ts'
import { AppError, quoted } from '../../errors.ts'
import * as mappings from '../../storage/dns-mappings.ts'
import * as networks from '../../storage/networks.ts'
import * as routes from '../../storage/routes.ts'
import * as topologies from '../../storage/topology.ts'
import { IpAddress, MappingId, MappingName, NetworkId, optional, RouteId, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const MappingView = z.object({
  id: z.string(),
  route_id: z.string(),
  name: z.string(),
  ip_address: z.string(),
  ip_address_v6: z.string().optional(),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const ofRoute = { network_id: NetworkId, route_id: RouteId }
const addressFields = {
  ip_address: optional(IpAddress).describe('IPv4 address within the route'),
  ip_address_v6: optional(IpAddress).describe('IPv6 address within the route'),
}

/** Lists a route's DNS mappings. */
export const listDnsMappings = defineOperation({
  name: 'list_dns_mappings',
  title: 'List DNS mappings',
  description: 'Lists the names of hosts behind a route.',
  http: 'GET /networks/{network_id}/routes/{route_id}/dns',
  permission: 'dns:read',
  effect: 'read',
  input: z.strictObject(ofRoute),
  output: z.array(MappingView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    const route = await routes.get(tx, id, input.route_id)
    return (await mappings.list(tx, route.id)).map(mappingView)
  },
})

/** Names a host behind a route. */
export const createDnsMapping = defineOperation({
  name: 'create_dns_mapping',
  title: 'Create DNS mapping',
  description: 'Gives a host behind a route a name: <name>.<route name>.<domain suffix>.',
  http: 'POST /networks/{network_id}/routes/{route_id}/dns',
  permission: 'dns:write',
  effect: 'create',
  input: z.strictObject({ ...ofRoute, name: MappingName.describe('DNS label, or * for all'), ...addressFields }),
  output: MappingView,
  async run({ tx, now, random }, input) {
    const route = await routes.get(tx, input.network_id, input.route_id)
    const mapping: DnsMapping = {
      id: random.newId(),
      route_id: route.id,
      name: input.name,
      ip_address: within(route, 'ip_address', input.ip_address, 4),
      ip_address_v6: within(route, 'ip_address_v6', input.ip_address_v6, 6),
      created_at: now,
      updated_at: now,
    }
    if (mapping.ip_address === null && mapping.ip_address_v6 === null) {
      throw new AppError('invalid', 'ip_address: give ip_address, ip_address_v6 or both')
    }
    await mappings.insert(tx, mapping)
    return mappingView(mapping)
  },
})

/** Changes a DNS mapping. */
export const updateDnsMapping = defineOperation({
  name: 'update_dns_mapping',
  title: 'Update DNS mapping',
  description: 'Changes the given fields of a DNS mapping.',
  http: 'PUT /networks/{network_id}/routes/{route_id}/dns/{dns_id}',
  permission: 'dns:write',
  effect: 'update',
  input: z.strictObject({
    ...ofRoute,
    dns_id: MappingId,
    name: optional(MappingName).describe('DNS label, or * for all'),
    ...addressFields,
  }),
  output: MappingView,
  async run({ tx, now }, input) {
    const route = await routes.get(tx, input.network_id, input.route_id)
    const before = await mappings.get(tx, route.id, input.dns_id)
    const after: DnsMapping = {
      ...before,
      name: input.name || before.name,
      ip_address: within(route, 'ip_address', input.ip_address, 4) ?? before.ip_address,
      ip_address_v6: within(route, 'ip_address_v6', input.ip_address_v6, 6) ?? before.ip_address_v6,
      updated_at: now,
    }
    await mappings.update(tx, after)
    return mappingView(after)
  },
})

/** Deletes a DNS mapping. */
export const deleteDnsMapping = defineOperation({
  name: 'delete_dns_mapping',
  title: 'Delete DNS mapping',
  description: 'Deletes a DNS mapping.',
  http: 'DELETE /networks/{network_id}/routes/{route_id}/dns/{dns_id}',
  permission: 'dns:write',
  effect: 'delete',
  input: z.strictObject({ ...ofRoute, dns_id: MappingId }),
  output: z.null(),
  async run({ tx }, input) {
    const route = await routes.get(tx, input.network_id, input.route_id)
    const mapping = await mappings.get(tx, route.id, input.dns_id)
    await mappings.remove(tx, mapping.id)
    return null
  },
})

/** Lists every name that a network's resolver answers. */
export const listDnsRecords = defineOperation({
  name: 'list_dns_records',
  title: 'List DNS records',
  description: 'Lists all names of a network: its peers, then the hosts behind its routes.',
  http: 'GET /networks/{network_id}/dns',
  permission: 'dns:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.array(
    z.object({
      name: z.string(),
      ip_address: z.string().optional(),
      ip_address_v6: z.string().optional(),
      fqdn: z.string(),
      type: z.enum(['peer', 'route']),
    }),
  ),
  async run({ tx, who }, input) {
    const topology = await topologies.load(tx, who, input.network_id)
    return dnsRecords(topology, await mappings.listOfNetwork(tx, topology.network.id))
  },
})

function mappingView(mapping: DnsMapping): z.input<typeof MappingView> {
  const { ip_address, ip_address_v6, ...rest } = mapping
  return { ...rest, ip_address: ip_address ?? '', ...(ip_address_v6 === null ? {} : { ip_address_v6 }) }
}

/** The address in canonical text, if it is of its family and lies within the route. */
function within(route: Route, field: string, address: string | undefined, family: 4 | 6): string | null {
  if (!address) return null
  const parsed = parseAddress(address)
  if (parsed.family !== family) {
    throw new AppError('invalid', `${field}: ${quoted(address)} is not an IPv${family} address`)
  }
  refuseOutside(route, address)
  return formatAddress(family, parsed.value)
}
