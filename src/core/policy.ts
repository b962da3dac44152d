import { tunnelAddress } from './address.ts'
import type { Group, Peer, Policy, PolicyRule, Route, Topology } from './topology.ts'

/** One rule that holds for a peer, with where it comes from and what its target stands for. */
export interface CompiledRule {
  readonly rule: PolicyRule
  readonly policy: Policy
  readonly group: Group
  /** CIDRs or tunnel addresses, in the order of the target; empty for a group without members. */
  readonly addresses: readonly string[]
}

/** One route that a peer uses, with the group that gives it. */
export interface CompiledRoute {
  readonly route: Route
  readonly group: Group
}

/** A network's policies, ready to be asked about any peer. */
export interface CompiledPolicies {
  /** The rules that hold for a peer, the first to decide first. */
  rulesOf(peerId: string): readonly CompiledRule[]
  /** The routes that a peer uses, each once. */
  routesOf(peerId: string): readonly CompiledRoute[]
}

/**
 * Compiles groups, policies and routes. A peer's groups apply by priority, equal ones by age; policies in a group's
 * order, each only once; rules in a policy's order.
 */
export function compilePolicies(topology: Topology): CompiledPolicies {
  const policies = byId(topology.policies)
  const routes = byId(topology.routes)
  const memberships = groupsByPeer(topology.groups)
  const resolve = resolver(topology)
  return {
    rulesOf: (peerId) =>
      pick(memberships.get(peerId) ?? [], 'policy_ids', policies).flatMap(({ group, item: policy }) =>
        policy.rules.map((rule) => ({ rule, policy, group, addresses: resolve(rule) })),
      ),
    routesOf: (peerId) =>
      pick(memberships.get(peerId) ?? [], 'route_ids', routes).map(({ group, item: route }) => ({ route, group })),
  }
}

/** What each group gives of one kind, in order, each thing from the first group that has it. */
function pick<T>(groups: readonly Group[], key: 'policy_ids' | 'route_ids', items: ReadonlyMap<string, T>) {
  const seen = new Set<string>()
  return groups.flatMap((group) =>
    group[key].flatMap((id) => {
      const item = items.get(id)
      if (item === undefined || seen.has(id)) return []
      seen.add(id)
      return [{ group, item }]
    }),
  )
}

/** Each peer's groups, by priority. Groups come in order of creation, which decides between equal priorities. */
function groupsByPeer(groups: readonly Group[]): Map<string, Group[]> {
  const found = new Map<string, Group[]>()
  for (const group of [...groups].sort((a, b) => a.priority - b.priority)) {
    for (const peerId of group.peer_ids) {
      const own = found.get(peerId)
      if (own) own.push(group)
      else found.set(peerId, [group])
    }
  }
  return found
}

/** The addresses that a rule's target stands for. */
function resolver(topology: Topology): (rule: PolicyRule) => readonly string[] {
  const peers = byId(topology.peers)
  const groups = byId(topology.groups)
  const addressOf = (peerId: string) => addressesOf(peers.get(peerId))
  return (rule) => {
    if (rule.target_type === 'cidr') return [rule.target]
    if (rule.target_type === 'peer') return addressOf(rule.target)
    return (groups.get(rule.target)?.peer_ids ?? []).flatMap(addressOf)
  }
}

function addressesOf(peer: Peer | undefined): string[] {
  const address = peer === undefined ? '' : tunnelAddress(peer)
  return address === '' ? [] : [address]
}

function byId<T extends { readonly id: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.id, item]))
}
