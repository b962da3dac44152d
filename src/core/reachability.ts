import { type AccessReason, accessFrom } from './access.ts'
import { tunnelAddress } from './address.ts'
import { type CompiledRoute, type CompiledRule, compilePolicies } from './policy.ts'
import type { Peer, Topology } from './topology.ts'

/** Whether the asked-about peer may open connections to one other peer. */
export interface PeerAccess {
  readonly peer_id: string
  readonly peer_name: string
  readonly address: string
  readonly is_jump: boolean
  readonly allowed: boolean
  readonly reason: AccessReason
}

/** A policy rule that applies to the peer through one of its groups. */
export interface RuleAccess {
  readonly direction: 'input' | 'output'
  readonly action: 'allow' | 'deny'
  readonly target_type: 'cidr' | 'peer' | 'group'
  readonly target: string
  /** What `target` stands for: CIDRs or tunnel addresses. */
  readonly addresses: string[]
  readonly policy_name: string
  readonly group_name: string
  readonly description: string
}

/** A network outside the tunnel that the peer reaches through a jump peer. */
export interface RouteAccess {
  readonly route_id: string
  readonly route_name: string
  readonly destination_cidr: string
  readonly destination_cidr_v6?: string
  readonly jump_peer_id: string
  readonly jump_peer_name: string
  readonly group_name: string
}

/** What one peer can reach. Addresses are IPv4, or IPv6 for a peer that has only that. */
export interface Reachability {
  readonly peer_id: string
  readonly peer_name: string
  readonly peer_address: string
  readonly is_jump: boolean
  readonly peer_access: PeerAccess[]
  readonly rules: RuleAccess[]
  readonly routes: RouteAccess[]
}

/**
 * Computes what `peer` can reach among the peers that `maySee` admits, the allowed ones first, then by name and id.
 * Addresses that a rule stands for are left out where they belong to nobody who may be seen.
 */
export function reachability(topology: Topology, peer: Peer, maySee: (other: Peer) => boolean): Reachability {
  const access = accessFrom(topology, peer.id)
  const policies = compilePolicies(topology)
  const others = topology.peers.filter((other) => other.id !== peer.id && maySee(other))
  const hidden = new Set(topology.peers.filter((other) => !maySee(other)).map(tunnelAddress))
  return {
    peer_id: peer.id,
    peer_name: peer.name,
    peer_address: tunnelAddress(peer),
    is_jump: peer.is_jump,
    peer_access: others.map((other) => ({ ...summary(other), ...access(other.id) })).sort(compareAccess),
    rules: policies.rulesOf(peer.id).map((rule) => ruleAccess(rule, hidden)),
    routes: policies.routesOf(peer.id).map((found) => routeAccess(topology, found)),
  }
}

function ruleAccess({ rule, policy, group, addresses }: CompiledRule, hidden: ReadonlySet<string>): RuleAccess {
  const { direction, action, target_type, target, description } = rule
  const origin = { policy_name: policy.name, group_name: group.name, description }
  return {
    direction,
    action,
    target_type,
    target,
    addresses: addresses.filter((address) => !hidden.has(address)),
    ...origin,
  }
}

function routeAccess(topology: Topology, { route, group }: CompiledRoute): RouteAccess {
  const jump = topology.peers.find((peer) => peer.id === route.jump_peer_id)
  return {
    route_id: route.id,
    route_name: route.name,
    destination_cidr: route.destination_cidr ?? '',
    ...(route.destination_cidr_v6 === null ? {} : { destination_cidr_v6: route.destination_cidr_v6 }),
    jump_peer_id: route.jump_peer_id,
    jump_peer_name: jump?.name ?? route.jump_peer_id,
    group_name: group.name,
  }
}

function summary(peer: Peer): Omit<PeerAccess, 'allowed' | 'reason'> {
  return { peer_id: peer.id, peer_name: peer.name, address: tunnelAddress(peer), is_jump: peer.is_jump }
}

function compareAccess(a: PeerAccess, b: PeerAccess): number {
  if (a.allowed !== b.allowed) return a.allowed ? -1 : 1
  return compareText(a.peer_name, b.peer_name) || compareText(a.peer_id, b.peer_id)
}

/** Code-unit order, which unlike a locale's is the same everywhere. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
