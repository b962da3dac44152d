import { z } from 'zod'
import { formatPrefix, parsePrefix } from '../../core/address.ts'
import { assertUsable } from '../../core/ipam.ts'
import { AppError } from '../../errors.ts'
import * as acls from '../../storage/acls.ts'
import * as groups from '../../storage/groups.ts'
import * as networks from '../../storage/networks.ts'
import * as prefixes from '../../storage/prefixes.ts'
import { Cidr, DnsName, IpAddress, Line, NetworkId, optional, PageOf, pageFields, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'
import { pageRequest } from '../page-request.ts'
import { renumber } from '../renumber.ts'

const MAX_PAGE_SIZE = 200
const PSK_SEED_BYTES = 32

const NetworkView = z.object({
  id: z.string(),
  name: z.string(),
  cidr: z.string(),
  cidr_v6: z.string().optional(),
  peer_count: z.int(),
  dns: z.array(z.string()),
  domain_suffix: z.string(),
  default_group_ids: z.array(z.string()),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const Name = DnsName.describe('DNS name of the network, such as office')
const CidrV4 = optional(Cidr).describe('IPv4 CIDR with host bits zero, such as 10.10.0.0/16')
const CidrV6 = optional(Cidr).describe('IPv6 CIDR, such as fd00:10::/64')
const Dns = z.array(IpAddress).max(16).describe('DNS servers pushed to peers')
const Suffix = optional(DnsName).describe('DNS suffix of peer names')

/** Lists the caller's networks. */
export const listNetworks = defineOperation({
  name: 'list_networks',
  title: 'List networks',
  description: 'Lists the networks you may see, oldest first.',
  http: 'GET /networks',
  permission: 'networks:read',
  effect: 'read',
  input: z.strictObject({
    ...pageFields(MAX_PAGE_SIZE),
    filter: Line(255).optional().describe('Part of a name, CIDR or id'),
  }),
  output: PageOf(NetworkView),
  async run({ tx, who }, input) {
    const page = await networks.list(tx, who, input.filter ?? '', pageRequest(input, MAX_PAGE_SIZE))
    return { ...page, data: page.data.map(networkView) }
  },
})

/** Gets one network. */
export const getNetwork = defineOperation({
  name: 'get_network',
  title: 'Get network',
  description: 'Shows one network.',
  http: 'GET /networks/{network_id}',
  permission: 'networks:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: NetworkView,
  async run({ tx, who }, input) {
    return networkView(await networks.get(tx, who, input.network_id))
  },
})

/** Creates a network. Its CIDRs overlap no other network's. */
export const createNetwork = defineOperation({
  name: 'create_network',
  title: 'Create network',
  description: 'Creates a network. Its CIDR must not overlap another network: ask suggest_cidrs for a free one.',
  http: 'POST /networks',
  permission: 'networks:write',
  effect: 'create',
  input: z.strictObject({
    name: Name,
    cidr: CidrV4,
    cidr_v6: CidrV6,
    dns: Dns.optional(),
    domain_suffix: Suffix.describe('DNS suffix of peer names; internal unless given'),
  }),
  output: NetworkView,
  async run({ tx, who, now, random, vault }, input) {
    const id = random.newId()
    const { cidr, cidr_v6 } = canonicalCidrs(input)
    if (cidr === null && cidr_v6 === null) throw new AppError('invalid', 'cidr: give cidr, cidr_v6 or both')
    const rest = {
      dns: input.dns ?? [],
      domain_suffix: input.domain_suffix || 'internal',
      created_at: now,
      updated_at: now,
    }
    const seed = random.newBytes(PSK_SEED_BYTES).toString('base64')
    await networks.insert(
      tx,
      { id, name: input.name, cidr, cidr_v6, ...rest },
      vault.seal(seed, `networks.psk_seed:${id}`),
    )
    for (const text of [cidr, cidr_v6]) if (text !== null) await prefixes.book(tx, id, parsePrefix(text))
    await acls.put(tx, id, { id: random.newId(), name: 'default', enabled: false, blocked_peers: [], rules: [] })
    return networkView(await networks.get(tx, who, id))
  },
})

/** Changes a network; a new CIDR moves every peer. */
export const updateNetwork = defineOperation({
  name: 'update_network',
  title: 'Update network',
  description:
    'Changes the given fields. A new CIDR gives every peer a new address; refused while a peer has no agent.',
  http: 'PUT /networks/{network_id}',
  permission: 'networks:write',
  effect: 'update',
  input: z.strictObject({
    network_id: NetworkId,
    name: optional(DnsName).describe('DNS name of the network'),
    cidr: CidrV4,
    cidr_v6: CidrV6,
    dns: Dns.optional(),
    domain_suffix: Suffix,
    default_group_ids: z
      .array(z.string().max(255).meta({ ref: 'group' }))
      .max(100)
      .optional()
      .describe('Groups for new peers of non-administrators'),
  }),
  output: NetworkView,
  async run({ tx, who, now }, input) {
    const before = await networks.get(tx, who, input.network_id)
    const given = canonicalCidrs(input)
    const after = {
      ...before,
      name: input.name || before.name,
      cidr: given.cidr ?? before.cidr,
      cidr_v6: given.cidr_v6 ?? before.cidr_v6,
      dns: input.dns ?? before.dns,
      domain_suffix: input.domain_suffix || before.domain_suffix,
      updated_at: now,
    }
    await networks.update(tx, after)
    if (input.default_group_ids) await groups.putDefaults(tx, before.id, input.default_group_ids)
    await renumber(tx, before, after)
    return networkView(await networks.get(tx, who, before.id))
  },
})

/** Deletes a network with its peers. */
export const deleteNetwork = defineOperation({
  name: 'delete_network',
  title: 'Delete network',
  description: 'Deletes a network with all its peers, access rules and incidents. This cannot be undone.',
  http: 'DELETE /networks/{network_id}',
  permission: 'networks:write',
  effect: 'delete',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.null(),
  async run({ tx }, input) {
    await networks.remove(tx, input.network_id)
    return null
  },
})

function networkView(network: networks.NetworkRecord): z.input<typeof NetworkView> {
  const { cidr, cidr_v6, ...rest } = network
  return {
    ...rest,
    cidr: cidr ?? '',
    ...(cidr_v6 === null ? {} : { cidr_v6 }),
    dns: [...network.dns],
    default_group_ids: [...network.default_group_ids],
  }
}

/** The given CIDRs in canonical text, each of its family and wide enough for a peer; null where none is given. */
function canonicalCidrs(input: { cidr?: string | undefined; cidr_v6?: string | undefined }) {
  return { cidr: canonical('cidr', input.cidr, 4), cidr_v6: canonical('cidr_v6', input.cidr_v6, 6) }
}

function canonical(field: string, text: string | undefined, family: 4 | 6): string | null {
  if (!text) return null
  const prefix = parsePrefix(text)
  if (prefix.family !== family) throw new AppError('invalid', `${field}: "${text}" is not an IPv${family} CIDR`)
  assertUsable(prefix)
  return formatPrefix(prefix)
}
