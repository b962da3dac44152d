import type { Migration } from './migration.ts'

/** Links to the captive portal that are open, and the peers that each jump peer lets through. */
export const captivePortal: Migration = {
  name: 'captive-portal',
  statements: [
    // A link that was used or replaced has no row. state_hash is that of the browser it is bound to.
    `CREATE TABLE captive_portal_tokens (
      token_hash TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE,
      jump_peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE,
      peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE,
      peer_ip TEXT NOT NULL, peer_endpoint TEXT NOT NULL, state_hash TEXT,
      created_at TEXT NOT NULL, expires_at TEXT NOT NULL, UNIQUE (jump_peer_id, peer_ip))`,
    'CREATE INDEX captive_portal_tokens_by_network ON captive_portal_tokens (network_id)',
    'CREATE INDEX captive_portal_tokens_by_peer ON captive_portal_tokens (peer_id)',
    'CREATE INDEX captive_portal_tokens_by_expiry ON captive_portal_tokens (expires_at)',

    `CREATE TABLE captive_portal_whitelist (
      network_id TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE,
      jump_peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE,
      peer_id TEXT NOT NULL REFERENCES peers(id) ON DELETE CASCADE,
      peer_endpoint TEXT NOT NULL, expires_at TEXT NOT NULL, PRIMARY KEY (jump_peer_id, peer_id))`,
    'CREATE INDEX captive_portal_whitelist_by_network ON captive_portal_whitelist (network_id)',
    'CREATE INDEX captive_portal_whitelist_by_peer ON captive_portal_whitelist (peer_id)',
    'CREATE INDEX captive_portal_whitelist_by_expiry ON captive_portal_whitelist (expires_at)',
  ],
}
