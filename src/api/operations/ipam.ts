import { z } from 'zod'
import { formatPrefix, parsePrefix } from '../../core/address.ts'
import { suggestPrefixes } from '../../core/ipam.ts'
import * as allocations from '../../storage/allocations.ts'
import * as networks from '../../storage/networks.ts'
import * as prefixes from '../../storage/prefixes.ts'
import { Cidr, Line, NetworkId, PageOf, pageFields } from '../fields.ts'
import { defineOperation } from '../operation.ts'
import { pageRequest } from '../page-request.ts'

const MAX_PAGE_SIZE = 100
const MAX_SUGGESTIONS = 20
const DEFAULT_BASE = '10.0.0.0/8'

const AllocationView = z.object({
  network_id: z.string(),
  network_name: z.string(),
  network_cidr: z.string(),
  family: z.enum(['ipv4', 'ipv6']),
  ip: z.string(),
  peer_id: z.string(),
  peer_name: z.string(),
  allocated: z.boolean(),
})

/** Suggests CIDRs that no network uses. Changes nothing. */
export const suggestCidrs = defineOperation({
  name: 'suggest_cidrs',
  title: 'Suggest CIDRs',
  description: 'Suggests free IPv4 CIDRs with room for a number of peers. Reserves nothing.',
  http: 'GET /ipam/available-cidrs',
  permission: 'ipam:read',
  effect: 'read',
  input: z.strictObject({
    max_peers: z.int().min(1).describe('Addresses needed'),
    count: z
      .int()
      .min(1)
      .max(MAX_SUGGESTIONS)
      .optional()
      .describe(`How many CIDRs, at most ${MAX_SUGGESTIONS}; 1 unless given`),
    base_cidr: Cidr.optional().describe(`Carve from here; ${DEFAULT_BASE} unless given`),
  }),
  output: z.object({
    base_cidr: z.string(),
    requested_max_peers: z.int(),
    suggested_prefix: z.int(),
    usable_hosts: z.int(),
    cidrs: z.array(z.string()),
  }),
  async run({ tx }, input) {
    const base = parsePrefix(input.base_cidr ?? DEFAULT_BASE)
    const taken = await prefixes.listBooked(tx)
    const found = suggestPrefixes({ base, taken, maxPeers: input.max_peers, count: input.count ?? 1 })
    return { base_cidr: formatPrefix(base), requested_max_peers: input.max_peers, ...found }
  },
})

/** Lists the addresses that peers hold in all networks. */
export const listAllocations = defineOperation({
  name: 'list_allocations',
  title: 'List allocations',
  description: 'Lists the tunnel addresses that peers hold, in all your networks. Users see those of their own peers.',
  http: 'GET /ipam',
  permission: 'ipam:read',
  effect: 'read',
  input: z.strictObject({
    ...pageFields(MAX_PAGE_SIZE),
    filter: Line(255).optional().describe('Part of a network name, address or peer name'),
  }),
  output: PageOf(AllocationView),
  async run({ tx, who }, input) {
    const page = await allocations.list(tx, who, input.filter ?? '', pageRequest(input, MAX_PAGE_SIZE))
    return { ...page, data: page.data.map(allocationView) }
  },
})

/** Lists the addresses that peers hold in one network. */
export const listNetworkAllocations = defineOperation({
  name: 'list_network_allocations',
  title: 'List allocations of a network',
  description: 'Lists the tunnel addresses that peers of one network hold.',
  http: 'GET /ipam/networks/{network_id}',
  permission: 'ipam:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.array(AllocationView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return (await allocations.listOfNetwork(tx, who, id)).map(allocationView)
  },
})

function allocationView(allocation: allocations.Allocation): z.input<typeof AllocationView> {
  return { ...allocation, allocated: true }
}
