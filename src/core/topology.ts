/** An address range for tunnel addresses, and what its peers are told. Timestamps are RFC 3339 UTC text. */
export interface Network {
  readonly id: string
  readonly name: string
  /** IPv4 prefix, or null for a network that has IPv6 only. */
  readonly cidr: string | null
  readonly cidr_v6: string | null
  readonly dns: readonly string[]
  readonly domain_suffix: string
  readonly created_at: string
  readonly updated_at: string
}

/** One WireGuard host of a network. Its private key and its enrolment token live in storage only. */
export interface Peer {
  readonly id: string
  readonly network_id: string
  readonly name: string
  /** X25519 public key, base64. */
  readonly public_key: string
  /** Tunnel address without prefix length; null where the network lacks the family. */
  readonly address: string | null
  readonly address_v6: string | null
  /** `host`, `host:port` or `[v6]:port`; empty when unknown. */
  readonly endpoint: string
  /** UDP port; 0 when the host chooses. */
  readonly listen_port: number
  readonly additional_allowed_ips: readonly string[]
  readonly is_jump: boolean
  readonly use_agent: boolean
  /** Owner's user id; null for a peer that belongs to the administrators. */
  readonly owner_id: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** One entry of an access list. `*` stands for every peer. */
export interface AclRule {
  readonly id: string
  readonly source_peer: string
  readonly target_peer: string
  readonly action: 'allow' | 'deny'
  readonly description: string
}

/** The peer-to-peer access list of a network: first matching rule wins, the default is allow. */
export interface Acl {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  /** Ids of the peers that may reach nobody and be reached by nobody. */
  readonly blocked_peers: readonly string[]
  readonly rules: readonly AclRule[]
}

/** Peers that share policies and routes. Lower priority is applied first. */
export interface Group {
  readonly id: string
  readonly network_id: string
  readonly name: string
  readonly description: string
  /** 1 to 999. */
  readonly priority: number
  /** Members, policies and routes, each in the order in which they were put in. */
  readonly peer_ids: readonly string[]
  readonly policy_ids: readonly string[]
  readonly route_ids: readonly string[]
  readonly created_at: string
  readonly updated_at: string
}

/** What a peer of a group may send (`output`) or receive (`input`). */
export interface PolicyRule {
  readonly id: string
  readonly direction: 'input' | 'output'
  readonly action: 'allow' | 'deny'
  /** CIDR, peer id or group id, as `target_type` says. */
  readonly target: string
  readonly target_type: 'cidr' | 'peer' | 'group'
  readonly description: string
}

/** Rules in order, to be attached to groups. */
export interface Policy {
  readonly id: string
  readonly network_id: string
  readonly name: string
  readonly description: string
  readonly rules: readonly PolicyRule[]
  readonly created_at: string
  readonly updated_at: string
}

/** A network outside the tunnel, reached through a jump peer by the peers of the groups it is attached to. */
export interface Route {
  readonly id: string
  readonly network_id: string
  readonly name: string
  readonly description: string
  /** IPv4 prefix, or null for a route that has IPv6 only. */
  readonly destination_cidr: string | null
  readonly destination_cidr_v6: string | null
  readonly jump_peer_id: string
  readonly domain_suffix: string
  readonly created_at: string
  readonly updated_at: string
}

/** Everything that decides a network's configuration and reachability, read in one go. */
export interface Topology {
  readonly network: Network
  /** In order of creation, as are groups, policies and routes. */
  readonly peers: readonly Peer[]
  readonly acl: Acl
  readonly groups: readonly Group[]
  readonly policies: readonly Policy[]
  readonly routes: readonly Route[]
  /** Ids of the peers that an open security incident blocks, whatever the access list says. */
  readonly quarantined: readonly string[]
}
