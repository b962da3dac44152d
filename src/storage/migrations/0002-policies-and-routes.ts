import type { Migration } from './migration.ts'

/** Groups, policies, routes, DNS mappings and the security config. */
export const policiesAndRoutes: Migration = {
  name: 'policies-and-routes',
  statements: [
    `CREATE TABLE groups (
      id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, name TEXT NOT NULL,
      description TEXT NOT NULL, priority INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
      UNIQUE (network_id, name))`,
    `CREATE TABLE group_peers (
      group_id TEXT NOT NULL REFERENCES groups(id) ON DELETE CASCADE,
      peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE,
      position INTEGER NOT NULL, PRIMARY KEY (group_id, peer_id))`,
    'CREATE INDEX group_peers_by_peer ON group_peers (peer_id, position)',
    `CREATE TABLE network_default_groups (
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE,
      group_id TEXT NOT NULL REFERENCES groups(id) ON DELETE CASCADE,
      position INTEGER NOT NULL, PRIMARY KEY (network_id, group_id))`,
    'CREATE INDEX network_default_groups_by_group ON network_default_groups (group_id)',

    `CREATE TABLE policies (
      id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, name TEXT NOT NULL,
      description TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (network_id, name))`,
    // target_peer and target_group mirror target, so that a rule goes with what it names.
    `CREATE TABLE policy_rules (
      id TEXT NOT NULL, policy_id TEXT NOT NULL REFERENCES policies(id) ON DELETE CASCADE, position INTEGER NOT NULL,
      direction TEXT NOT NULL, action TEXT NOT NULL, target_type TEXT NOT NULL, target TEXT NOT NULL,
      target_peer TEXT REFERENCES peers(id) ON DELETE CASCADE,
      target_group TEXT REFERENCES groups(id) ON DELETE CASCADE,
      description TEXT NOT NULL, PRIMARY KEY (policy_id, id))`,
    'CREATE INDEX policy_rules_by_position ON policy_rules (policy_id, position)',
    'CREATE INDEX policy_rules_by_peer ON policy_rules (target_peer)',
    'CREATE INDEX policy_rules_by_group ON policy_rules (target_group)',
    `CREATE TABLE group_policies (
      group_id TEXT NOT NULL REFERENCES groups(id) ON DELETE CASCADE,
      policy_id TEXT NOT NULL REFERENCES policies(id) ON DELETE CASCADE,
      position INTEGER NOT NULL, PRIMARY KEY (group_id, policy_id))`,
    'CREATE INDEX group_policies_by_policy ON group_policies (policy_id)',

    // A jump peer that carries routes cannot go before them.
    `CREATE TABLE routes (
      id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE, name TEXT NOT NULL,
      description TEXT NOT NULL, destination_cidr TEXT, destination_cidr_v6 TEXT,
      jump_peer_id TEXT NOT NULL REFERENCES peers(id), domain_suffix TEXT NOT NULL,
      created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (network_id, name))`,
    'CREATE INDEX routes_by_jump_peer ON routes (jump_peer_id)',
    `CREATE TABLE group_routes (
      group_id TEXT NOT NULL REFERENCES groups(id) ON DELETE CASCADE,
      route_id TEXT NOT NULL REFERENCES routes(id) ON DELETE CASCADE,
      position INTEGER NOT NULL, PRIMARY KEY (group_id, route_id))`,
    'CREATE INDEX group_routes_by_route ON group_routes (route_id)',
    `CREATE TABLE dns_mappings (
      id TEXT PRIMARY KEY, route_id TEXT NOT NULL REFERENCES routes(id) ON DELETE CASCADE, name TEXT NOT NULL,
      ip_address TEXT, ip_address_v6 TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (route_id, name))`,

    `CREATE TABLE security_configs (
      network_id TEXT PRIMARY KEY REFERENCES networks(id) ON DELETE CASCADE, id TEXT NOT NULL, enabled INTEGER NOT NULL,
      session_conflict_threshold_minutes INTEGER NOT NULL, endpoint_change_threshold_minutes INTEGER NOT NULL,
      max_endpoint_changes_per_day INTEGER NOT NULL, port_change_threshold_minutes INTEGER NOT NULL,
      max_port_changes_per_window INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)`,
  ],
}
