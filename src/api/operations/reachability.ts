import { z } from 'zod'
import { maySeeInNetwork } from '../../core/principal.ts'
import { reachability } from '../../core/reachability.ts'
import * as peers from '../../storage/peers.ts'
import * as topologies from '../../storage/topology.ts'
import { NetworkId, PeerId } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const PeerAccess = z.object({
  peer_id: z.string(),
  peer_name: z.string(),
  address: z.string(),
  is_jump: z.boolean(),
  allowed: z.boolean(),
  reason: z.enum(['acl_disabled', 'allow_rule', 'deny_rule', 'blocked', 'default_allow']),
})

const RuleAccess = z.object({
  direction: z.enum(['input', 'output']),
  action: z.enum(['allow', 'deny']),
  target_type: z.enum(['cidr', 'peer', 'group']),
  target: z.string(),
  addresses: z.array(z.string()),
  policy_name: z.string(),
  group_name: z.string(),
  description: z.string(),
})

const RouteAccess = z.object({
  route_id: z.string(),
  route_name: z.string(),
  destination_cidr: z.string(),
  destination_cidr_v6: z.string().optional(),
  jump_peer_id: z.string(),
  jump_peer_name: z.string(),
  group_name: z.string(),
})

/** Which peers a peer may reach, and why. */
export const computeReachability = defineOperation({
  name: 'compute_reachability',
  title: 'Compute reachability',
  description: 'Tells which peers the access rules let a peer reach, and why.',
  http: 'GET /networks/{network_id}/peers/{peer_id}/reachability',
  permission: 'peers:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, peer_id: PeerId }),
  output: z.object({
    peer_id: z.string(),
    peer_name: z.string(),
    peer_address: z.string(),
    is_jump: z.boolean(),
    peer_access: z.array(PeerAccess),
    rules: z.array(RuleAccess),
    routes: z.array(RouteAccess),
  }),
  async run({ tx, who, vault }, input) {
    const peer = await peers.get(tx, vault, who, input.network_id, input.peer_id)
    return reachability(await topologies.load(tx, who, peer.network_id), peer, (other) => maySeeInNetwork(who, other))
  },
})
