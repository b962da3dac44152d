import type { Migration } from './migration.ts'

/** Users and their credentials, networks, peers, access lists, incidents, agent sessions, the audit log. */
export const foundation: Migration = {
  name: 'foundation',
  statements: [
    `CREATE TABLE settings (
      key TEXT PRIMARY KEY, value TEXT NOT NULL)`,

    `CREATE TABLE users (
      id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
      password_hash TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, last_login_at TEXT)`,

    `CREATE TABLE credentials (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL, secret_hash TEXT NOT NULL UNIQUE,
      user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
      name TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, last_used_at TEXT)`,
    'CREATE INDEX credentials_by_user ON credentials (user_id, kind, id)',

    `CREATE TABLE networks (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, cidr TEXT, cidr_v6 TEXT, dns TEXT NOT NULL,
      domain_suffix TEXT NOT NULL, psk_seed TEXT NOT NULL, revision INTEGER NOT NULL, peer_count INTEGER NOT NULL,
      next_host_v4 INTEGER NOT NULL, next_host_v6 INTEGER NOT NULL,
      created_at TEXT NOT NULL, updated_at TEXT NOT NULL)`,

    // Bounds as 32 hex digits, so that text order is numeric order in both families.
    `CREATE TABLE prefixes (
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, family INTEGER NOT NULL,
      first_address TEXT NOT NULL, last_address TEXT NOT NULL,
      PRIMARY KEY (family, first_address), UNIQUE (network_id, family))`,

    // Host numbers below next_host that no peer holds.
    `CREATE TABLE free_hosts (
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, family INTEGER NOT NULL,
      host INTEGER NOT NULL, PRIMARY KEY (network_id, family, host))`,

    `CREATE TABLE user_networks (
      user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, PRIMARY KEY (user_id, network_id))`,
    'CREATE INDEX user_networks_by_network ON user_networks (network_id)',

    `CREATE TABLE peers (
      id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, name TEXT NOT NULL,
      public_key TEXT NOT NULL, private_key TEXT NOT NULL, token TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE,
      address TEXT, address_v6 TEXT, endpoint TEXT NOT NULL, listen_port INTEGER NOT NULL,
      additional_allowed_ips TEXT NOT NULL, is_jump INTEGER NOT NULL, use_agent INTEGER NOT NULL,
      owner_id TEXT REFERENCES users(id) ON DELETE SET NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
      UNIQUE (network_id, address), UNIQUE (network_id, address_v6), UNIQUE (network_id, public_key))`,
    'CREATE INDEX peers_by_network ON peers (network_id, id)',
    'CREATE INDEX peers_by_network_owner ON peers (network_id, owner_id, id)',
    'CREATE INDEX peers_by_owner ON peers (owner_id, id)',
    'CREATE INDEX peers_by_network_name ON peers (network_id, name)',

    `CREATE TABLE acls (
      network_id TEXT PRIMARY KEY REFERENCES networks(id) ON DELETE CASCADE,
      id TEXT NOT NULL, name TEXT NOT NULL, enabled INTEGER NOT NULL)`,
    `CREATE TABLE acl_blocked (
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE,
      peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE, PRIMARY KEY (network_id, peer_id))`,
    'CREATE INDEX acl_blocked_by_peer ON acl_blocked (peer_id)',
    // A null peer stands for every peer.
    `CREATE TABLE acl_rules (
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, position INTEGER NOT NULL, id TEXT NOT NULL,
      source_peer TEXT REFERENCES peers(id) ON DELETE CASCADE,
      target_peer TEXT REFERENCES peers(id) ON DELETE CASCADE,
      action TEXT NOT NULL, description TEXT NOT NULL, PRIMARY KEY (network_id, position))`,
    'CREATE INDEX acl_rules_by_source ON acl_rules (source_peer)',
    'CREATE INDEX acl_rules_by_target ON acl_rules (target_peer)',

    // peer_id has no foreign key: an incident outlives its peer.
    `CREATE TABLE incidents (
      id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE,
      peer_id TEXT NOT NULL, peer_name TEXT NOT NULL, incident_type TEXT NOT NULL, detected_at TEXT NOT NULL,
      public_key TEXT NOT NULL, endpoints TEXT NOT NULL, details TEXT NOT NULL, blocks INTEGER NOT NULL,
      resolved_at TEXT, resolved_by TEXT)`,
    'CREATE INDEX incidents_by_network ON incidents (network_id, id)',
    'CREATE INDEX incidents_by_peer ON incidents (peer_id, id)',
    'CREATE INDEX incidents_open ON incidents (network_id, peer_id) WHERE resolved_at IS NULL',

    `CREATE TABLE agent_sessions (
      session_id TEXT PRIMARY KEY, peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE,
      hostname TEXT NOT NULL, system_uptime INTEGER NOT NULL, wireguard_uptime INTEGER NOT NULL,
      reported_endpoint TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL)`,
    'CREATE INDEX agent_sessions_by_peer ON agent_sessions (peer_id, last_seen)',

    `CREATE TABLE audit_log (
      id TEXT PRIMARY KEY, at TEXT NOT NULL, actor_id TEXT NOT NULL, actor_email TEXT NOT NULL,
      credential_id TEXT, surface TEXT NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL,
      network_id TEXT, object_id TEXT, input TEXT NOT NULL)`,
    'CREATE INDEX audit_log_by_network ON audit_log (network_id, id)',
  ],
}
