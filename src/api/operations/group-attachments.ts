import { z } from 'zod'
import { refuseCircularRouting } from '../../core/routing.ts'
import { AppError, quoted } from '../../errors.ts'
import { type Attachment, attach, attachments, detach, reorder } from '../../storage/attachments.ts'
import type { Db } from '../../storage/db.ts'
import * as groups from '../../storage/groups.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import * as policies from '../../storage/policies.ts'
import * as routes from '../../storage/routes.ts'
import { GroupId, NetworkId, PeerId, PolicyId, RouteId } from '../fields.ts'
import { defineOperation } from '../operation.ts'
import { PolicyView, policyView } from './policies.ts'
import { RouteView, routeView } from './routes.ts'

const inGroup = { network_id: NetworkId, group_id: GroupId }

/** Puts a peer into a group. */
export const addPeerToGroup = defineOperation({
  name: 'add_peer_to_group',
  title: 'Add peer to group',
  description: 'Adds a peer to a group; a jump peer cannot join a group with a route through itself.',
  http: 'POST /networks/{network_id}/groups/{group_id}/peers/{peer_id}',
  permission: 'groups:write',
  effect: 'update',
  input: z.strictObject({ ...inGroup, peer_id: PeerId }),
  output: z.null(),
  async run({ tx }, input) {
    await groups.get(tx, input.network_id, input.group_id)
    if (!(await peers.exists(tx, input.network_id, input.peer_id))) throw absent('peer', input.peer_id)
    await attach(tx, 'peers', input.group_id, input.peer_id)
    await refuseCircularGroup(tx, input)
    return null
  },
})

/** Takes a peer out of a group. */
export const removePeerFromGroup = defineOperation({
  name: 'remove_peer_from_group',
  title: 'Remove peer from group',
  description: 'Removes a peer from a group.',
  http: 'DELETE /networks/{network_id}/groups/{group_id}/peers/{peer_id}',
  permission: 'groups:write',
  effect: 'delete',
  input: z.strictObject({ ...inGroup, peer_id: PeerId }),
  output: z.null(),
  run: ({ tx }, input) => takeOut(tx, 'peers', input, input.peer_id),
})

/** Attaches a policy to a group, behind those it has. */
export const attachPolicyToGroup = defineOperation({
  name: 'attach_policy_to_group',
  title: 'Attach policy to group',
  description: 'Makes a policy hold for the peers of a group, after those attached before.',
  http: 'POST /networks/{network_id}/groups/{group_id}/policies/{policy_id}',
  permission: 'groups:write',
  effect: 'update',
  input: z.strictObject({ ...inGroup, policy_id: PolicyId }),
  output: z.null(),
  async run({ tx }, input) {
    await groups.get(tx, input.network_id, input.group_id)
    const policy = await policies.get(tx, input.network_id, input.policy_id)
    await attach(tx, 'policies', input.group_id, policy.id)
    return null
  },
})

/** Detaches a policy from a group. */
export const detachPolicyFromGroup = defineOperation({
  name: 'detach_policy_from_group',
  title: 'Detach policy from group',
  description: 'Makes a policy hold no longer for the peers of a group.',
  http: 'DELETE /networks/{network_id}/groups/{group_id}/policies/{policy_id}',
  permission: 'groups:write',
  effect: 'delete',
  input: z.strictObject({ ...inGroup, policy_id: PolicyId }),
  output: z.null(),
  run: ({ tx }, input) => takeOut(tx, 'policies', input, input.policy_id),
})

/** Lists a group's policies in the order in which they apply. */
export const listGroupPolicies = defineOperation({
  name: 'list_group_policies',
  title: 'List policies of a group',
  description: 'Lists the policies of a group in the order in which they apply.',
  http: 'GET /networks/{network_id}/groups/{group_id}/policies',
  permission: 'groups:read',
  effect: 'read',
  input: z.strictObject(inGroup),
  output: z.array(PolicyView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    const group = await groups.get(tx, id, input.group_id)
    const known = new Map((await policies.list(tx, id)).map((policy) => [policy.id, policy]))
    return group.policy_ids
      .map((policyId) => known.get(policyId))
      .filter((policy) => policy !== undefined)
      .map(policyView)
  },
})

/** Sets the order in which a group's policies apply. */
export const reorderGroupPolicies = defineOperation({
  name: 'reorder_group_policies',
  title: 'Reorder policies of a group',
  description: 'Sets the order in which the policies of a group apply. Name all of them, each once.',
  http: 'PUT /networks/{network_id}/groups/{group_id}/policies/order',
  permission: 'groups:write',
  effect: 'replace',
  input: z.strictObject({
    ...inGroup,
    policy_ids: z
      .array(z.string().max(255).meta({ ref: 'policy' }))
      .max(10_000)
      .describe('All policy ids of the group, the first to apply first'),
  }),
  output: z.object({ message: z.string() }),
  async run({ tx }, input) {
    const group = await groups.get(tx, input.network_id, input.group_id)
    const attached = await attachments(tx, 'policies', group.id)
    const isPermutation =
      input.policy_ids.length === attached.length && new Set(input.policy_ids).isSupersetOf(new Set(attached))
    if (!isPermutation) {
      throw new AppError(
        'invalid',
        `policy_ids: name each of the ${attached.length} policies of the group exactly once`,
      )
    }
    await reorder(tx, 'policies', group.id, input.policy_ids)
    return { message: 'Policies reordered successfully' }
  },
})

/** Attaches a route to a group. */
export const attachRouteToGroup = defineOperation({
  name: 'attach_route_to_group',
  title: 'Attach route to group',
  description: "Lets the peers of a group use a route; the route's jump peer cannot be one of them.",
  http: 'POST /networks/{network_id}/groups/{group_id}/routes/{route_id}',
  permission: 'groups:write',
  effect: 'update',
  input: z.strictObject({ ...inGroup, route_id: RouteId }),
  output: z.null(),
  async run({ tx }, input) {
    await groups.get(tx, input.network_id, input.group_id)
    const route = await routes.get(tx, input.network_id, input.route_id)
    await attach(tx, 'routes', input.group_id, route.id)
    await refuseCircularGroup(tx, input)
    return null
  },
})

/** Detaches a route from a group. */
export const detachRouteFromGroup = defineOperation({
  name: 'detach_route_from_group',
  title: 'Detach route from group',
  description: 'Takes a route from the peers of a group.',
  http: 'DELETE /networks/{network_id}/groups/{group_id}/routes/{route_id}',
  permission: 'groups:write',
  effect: 'delete',
  input: z.strictObject({ ...inGroup, route_id: RouteId }),
  output: z.null(),
  run: ({ tx }, input) => takeOut(tx, 'routes', input, input.route_id),
})

/** Lists a group's routes. */
export const listGroupRoutes = defineOperation({
  name: 'list_group_routes',
  title: 'List routes of a group',
  description: 'Lists the routes that the peers of a group use.',
  http: 'GET /networks/{network_id}/groups/{group_id}/routes',
  permission: 'groups:read',
  effect: 'read',
  input: z.strictObject(inGroup),
  output: z.array(RouteView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return (await routesOf(tx, id, input.group_id)).map(routeView)
  },
})

interface InGroup {
  readonly network_id: string
  readonly group_id: string
}

/** Within the transaction, after the change: a group that turned circular rolls it back. */
async function refuseCircularGroup(tx: Db, { network_id, group_id }: InGroup): Promise<void> {
  refuseCircularRouting(await groups.get(tx, network_id, group_id), await routesOf(tx, network_id, group_id))
}

async function routesOf(tx: Db, networkId: string, groupId: string) {
  const group = await groups.get(tx, networkId, groupId)
  const known = new Map((await routes.list(tx, networkId)).map((route) => [route.id, route]))
  return group.route_ids.map((routeId) => known.get(routeId)).filter((route) => route !== undefined)
}

async function takeOut(tx: Db, kind: Attachment, { network_id, group_id }: InGroup, id: string): Promise<null> {
  const group = await groups.get(tx, network_id, group_id)
  if (await detach(tx, kind, group.id, id)) return null
  throw new AppError('not_found', `group ${quoted(group.name)} has no such member: ${quoted(id)}`)
}

function absent(noun: string, id: string): AppError {
  return new AppError('not_found', `no ${noun} ${quoted(id)} in this network`)
}
