import { isIP } from 'node:net'
import { z } from 'zod'
import { mintEnrolmentToken } from '../../auth/secrets.ts'
import { parseEndpoint } from '../../core/address.ts'
import { isAdmin, type Principal } from '../../core/principal.ts'
import { AppError, quoted } from '../../errors.ts'
import * as captivePortal from '../../storage/captive-portal.ts'
import type { Db } from '../../storage/db.ts'
import * as hosts from '../../storage/hosts.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import * as routes from '../../storage/routes.ts'
import * as users from '../../storage/users.ts'
import { carriedPrefixes } from '../carried-prefixes.ts'
import { joinDefaultGroups } from '../default-groups.ts'
import {
  AllowedIp,
  DnsLabel,
  Endpoint,
  Line,
  NetworkId,
  optional,
  PageOf,
  PeerId,
  Port,
  pageFields,
  Secret,
  Timestamp,
} from '../fields.ts'
import { type Context, defineOperation } from '../operation.ts'
import { pageRequest } from '../page-request.ts'

const MAX_PAGE_SIZE = 500
/** The port that WireGuard's documentation uses; a jump peer must have one to be reachable. */
const WIREGUARD_PORT = 51_820

const PeerView = z.object({
  id: z.string(),
  name: z.string(),
  public_key: z.string(),
  address: z.string(),
  address_v6: z.string().optional(),
  endpoint: z.string(),
  listen_port: z.int(),
  additional_allowed_ips: z.array(z.string()),
  token: Secret,
  is_jump: z.boolean(),
  use_agent: z.boolean(),
  owner_id: z.string(),
  group_ids: z.array(z.string()),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const Name = DnsLabel.describe('DNS label, such as laptop-alice')
const ExternalEndpoint = Endpoint.describe('Public address: host, host:port or [v6]:port; empty for none')
const ListenPort = Port.describe('WireGuard UDP port')
const OwnerId = z.string().max(255).meta({ ref: 'user' }).optional()
const AllowedIps = z.array(AllowedIp).max(64).describe('More CIDRs that this peer carries')

/** Lists the peers of a network that the caller may see. */
export const listPeers = defineOperation({
  name: 'list_peers',
  title: 'List peers',
  description: 'Lists peers of a network, oldest first. Administrators see all, users their own.',
  http: 'GET /networks/{network_id}/peers',
  permission: 'peers:read',
  effect: 'read',
  input: z.strictObject({
    network_id: NetworkId,
    ...pageFields(MAX_PAGE_SIZE),
    filter: Line(255).optional().describe('Part of a name, address or id'),
  }),
  output: PageOf(PeerView),
  async run({ tx, who, vault }, input) {
    const { id, peer_count } = await networks.get(tx, who, input.network_id)
    const scope = { network_id: id, filter: input.filter ?? '', peer_count }
    const page = await peers.list(tx, vault, who, scope, pageRequest(input, MAX_PAGE_SIZE))
    return { ...page, data: page.data.map(peerView) }
  },
})

/** Gets one peer. */
export const getPeer = defineOperation({
  name: 'get_peer',
  title: 'Get peer',
  description: 'Shows one peer.',
  http: 'GET /networks/{network_id}/peers/{peer_id}',
  permission: 'peers:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, peer_id: PeerId }),
  output: PeerView,
  async run({ tx, who, vault }, input) {
    return peerView(await peers.get(tx, vault, who, input.network_id, input.peer_id))
  },
})

/** Adds a peer to a network. Allocates one tunnel address per address family. */
export const createPeer = defineOperation({
  name: 'create_peer',
  title: 'Create peer',
  description: 'Adds a peer with keys and the lowest free address. Only administrators create jump peers.',
  http: 'POST /networks/{network_id}/peers',
  permission: 'peers:write',
  effect: 'create',
  input: z.strictObject({
    network_id: NetworkId,
    name: Name,
    endpoint: ExternalEndpoint.optional(),
    listen_port: ListenPort.optional(),
    is_jump: z.boolean().optional().describe('Hub that the other peers connect to'),
    use_agent: z.boolean().optional().describe('Managed by an agent, not by hand'),
    additional_allowed_ips: AllowedIps.optional(),
    owner_id: OwnerId.describe('Owner; only administrators choose one, users own what they create'),
  }),
  output: PeerView,
  async run(context, input) {
    const { tx, who, now, random, vault } = context
    if (input.is_jump && !isAdmin(who)) throw new AppError('forbidden', 'only administrators can create jump peers')
    const network = await networks.get(tx, who, input.network_id)
    const keys = random.newKeyPair()
    const peer = {
      id: random.newId(),
      network_id: network.id,
      name: input.name,
      public_key: keys.publicKey,
      ...(await hosts.take(tx, network)),
      endpoint: endpointFor(who, input.endpoint ?? ''),
      listen_port: listenPort(input.is_jump, input.listen_port),
      additional_allowed_ips: await carriedPrefixes(context, network, who.id, input.additional_allowed_ips ?? []),
      is_jump: input.is_jump ?? false,
      use_agent: input.is_jump || (input.use_agent ?? false),
      owner_id: isAdmin(who) ? await ownerId(tx, input.owner_id) : who.id,
      created_at: now,
      updated_at: now,
    }
    await peers.insert(tx, vault, peer, { privateKey: keys.privateKey, token: mintEnrolmentToken(random) })
    await joinDefaultGroups(tx, peer)
    return peerView(await peers.get(tx, vault, who, network.id, peer.id))
  },
})

/** Changes a peer. */
export const updatePeer = defineOperation({
  name: 'update_peer',
  title: 'Update peer',
  description: 'Changes the given fields of a peer. Only administrators change the owner.',
  http: 'PUT /networks/{network_id}/peers/{peer_id}',
  permission: 'peers:write',
  effect: 'update',
  input: z.strictObject({
    network_id: NetworkId,
    peer_id: PeerId,
    name: optional(DnsLabel).describe('New name'),
    endpoint: ExternalEndpoint.optional(),
    listen_port: ListenPort.optional(),
    additional_allowed_ips: AllowedIps.optional(),
    owner_id: OwnerId.describe('New owner; empty for none'),
  }),
  output: PeerView,
  async run({ tx, who, now, vault }, input) {
    const peer = await peers.get(tx, vault, who, input.network_id, input.peer_id)
    const network = await networks.get(tx, who, peer.network_id)
    const ips = input.additional_allowed_ips
    const owner_id = await newOwner({ tx, who }, peer, input.owner_id)
    // Who signed the peer in is its owner no more.
    if (owner_id !== peer.owner_id) await captivePortal.revoke(tx, peer.id)
    await peers.update(tx, {
      ...peer,
      name: input.name || peer.name,
      endpoint: input.endpoint === undefined ? peer.endpoint : endpointFor(who, input.endpoint),
      listen_port: listenPort(peer.is_jump, input.listen_port ?? peer.listen_port),
      additional_allowed_ips: ips
        ? await carriedPrefixes({ tx, who }, network, peer.owner_id ?? '', ips)
        : peer.additional_allowed_ips,
      owner_id,
      updated_at: now,
    })
    return peerView(await peers.get(tx, vault, who, peer.network_id, peer.id))
  },
})

/** Deletes a peer and frees its addresses. */
export const deletePeer = defineOperation({
  name: 'delete_peer',
  title: 'Delete peer',
  description: 'Deletes a peer and frees its addresses. The last jump peer of a network stays.',
  http: 'DELETE /networks/{network_id}/peers/{peer_id}',
  permission: 'peers:write',
  effect: 'delete',
  input: z.strictObject({ network_id: NetworkId, peer_id: PeerId }),
  output: z.null(),
  async run({ tx, who, vault }, input) {
    const peer = await peers.get(tx, vault, who, input.network_id, input.peer_id)
    if (peer.is_jump && !(await peers.hasOtherJump(tx, peer.network_id, peer.id))) {
      throw new AppError('conflict', `"${peer.name}" is the last jump peer of its network; create another one first`)
    }
    const [route] = await routes.namesThrough(tx, peer.id)
    if (route !== undefined) {
      throw new AppError(
        'conflict',
        `route ${quoted(route)} leads through "${peer.name}"; give it another jump peer first`,
      )
    }
    await peers.remove(tx, peer)
    await hosts.release(tx, await networks.get(tx, who, peer.network_id), peer)
    return null
  },
})

function peerView(peer: peers.PeerRecord): z.input<typeof PeerView> {
  const { address, address_v6, owner_id, ...rest } = peer
  return {
    ...rest,
    address: address ?? '',
    ...(address_v6 === null ? {} : { address_v6 }),
    additional_allowed_ips: [...peer.additional_allowed_ips],
    owner_id: owner_id ?? '',
    group_ids: [...peer.group_ids],
  }
}

/** A host name that does not resolve keeps a hub from loading its configuration, so users give addresses. */
function endpointFor(who: Principal, endpoint: string): string {
  if (endpoint === '' || isAdmin(who) || isIP(parseEndpoint(endpoint).host) !== 0) return endpoint
  throw new AppError('forbidden', 'endpoint: give an IP address; only administrators may use host names')
}

/** A jump peer always has a port; for others 0 lets the host choose. */
function listenPort(isJump: boolean | undefined, wanted: number | undefined): number {
  return wanted || (isJump ? WIREGUARD_PORT : 0)
}

async function ownerId(tx: Db, wanted: string | undefined): Promise<string | null> {
  if (!wanted) return null
  if (await users.find(tx, wanted)) return wanted
  throw new AppError('invalid', `owner_id: no user ${quoted(wanted)}`)
}

async function newOwner({ tx, who }: Pick<Context, 'tx' | 'who'>, peer: peers.PeerRecord, wanted: string | undefined) {
  if (wanted === undefined || wanted === (peer.owner_id ?? '')) return peer.owner_id
  if (!isAdmin(who)) throw new AppError('forbidden', 'only administrators can change peer ownership')
  return ownerId(tx, wanted)
}
