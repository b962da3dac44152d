import type { Peer } from '../core/topology.ts'
import { attach } from '../storage/attachments.ts'
import type { Db } from '../storage/db.ts'
import * as groups from '../storage/groups.ts'
import * as users from '../storage/users.ts'

/** Puts a new peer whose owner is no administrator into the network's default groups. */
export async function joinDefaultGroups(tx: Db, peer: Peer): Promise<void> {
  const owner = peer.owner_id === null ? undefined : await users.find(tx, peer.owner_id)
  if (owner?.role !== 'user') return
  for (const groupId of await groups.listDefaults(tx, peer.network_id)) await attach(tx, 'peers', groupId, peer.id)
}
