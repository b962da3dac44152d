import type { Migration } from './migration.ts'

/** Peers by family in the order of the address lists, so that a page of addresses never walks over peers without one. */
export const addressIndexes: Migration = {
  name: 'address-indexes',
  statements: [
    'CREATE INDEX peers_with_address ON peers (network_id, id) WHERE address IS NOT NULL',
    'CREATE INDEX peers_with_address_v6 ON peers (network_id, id) WHERE address_v6 IS NOT NULL',
  ],
}
