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

/** Everything that decides a network's configuration and reachability, read in one go. */
export interface Topology {
  readonly network: Network
  /** In order of creation. */
  readonly peers: readonly Peer[]
  readonly acl: Acl
  /** Ids of the peers that an open security incident blocks, whatever the access list says. */
  readonly quarantined: readonly string[]
}
