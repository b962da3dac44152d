import type { Principal } from '../core/principal.ts'
import type { Topology } from '../core/topology.ts'
import * as acls from './acls.ts'
import type { Db } from './db.ts'
import * as groups from './groups.ts'
import * as incidents from './incidents.ts'
import * as networks from './networks.ts'
import * as peers from './peers.ts'
import * as policies from './policies.ts'
import * as routes from './routes.ts'

/** Everything that decides the configuration of a network that `who` may see: a dozen queries, whatever its size. */
export async function load(tx: Db, who: Principal, networkId: string): Promise<Topology> {
  return {
    network: await networks.get(tx, who, networkId),
    peers: await peers.listAll(tx, networkId),
    acl: await acls.get(tx, networkId),
    groups: await groups.list(tx, networkId),
    policies: await policies.list(tx, networkId),
    routes: await routes.list(tx, networkId),
    quarantined: await incidents.listQuarantined(tx, networkId),
  }
}
