import { z } from 'zod'
import type { Group } from '../../core/topology.ts'
import * as groups from '../../storage/groups.ts'
import * as networks from '../../storage/networks.ts'
import { GroupId, Line, NetworkId, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const GroupView = z.object({
  id: z.string(),
  network_id: z.string(),
  name: z.string(),
  description: z.string(),
  priority: z.int(),
  peer_ids: z.array(z.string()),
  policy_ids: z.array(z.string()),
  route_ids: z.array(z.string()),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const DEFAULT_PRIORITY = 100
const Name = Line(64).describe('Unique name')
const Description = Line(255).optional().describe('Note')
const Priority = z.int().min(1).max(999).optional().describe('1 to 999, lower is applied first; 100 unless given')

/** Lists a network's groups. */
export const listGroups = defineOperation({
  name: 'list_groups',
  title: 'List groups',
  description: 'Lists the groups of a network by priority, with their peers, policies and routes.',
  http: 'GET /networks/{network_id}/groups',
  permission: 'groups:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.array(GroupView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return (await groups.list(tx, id)).map(groupView)
  },
})

/** Gets one group. */
export const getGroup = defineOperation({
  name: 'get_group',
  title: 'Get group',
  description: 'Shows one group.',
  http: 'GET /networks/{network_id}/groups/{group_id}',
  permission: 'groups:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, group_id: GroupId }),
  output: GroupView,
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return groupView(await groups.get(tx, id, input.group_id))
  },
})

/** Creates a group without members. */
export const createGroup = defineOperation({
  name: 'create_group',
  title: 'Create group',
  description: 'Creates a group, to which peers, policies and routes can be added.',
  http: 'POST /networks/{network_id}/groups',
  permission: 'groups:write',
  effect: 'create',
  input: z.strictObject({
    network_id: NetworkId,
    name: Name.min(1),
    description: Description,
    priority: Priority,
  }),
  output: GroupView,
  async run({ tx, now, random }, input) {
    const { network_id, name, description = '', priority = DEFAULT_PRIORITY } = input
    const id = random.newId()
    await groups.insert(tx, { id, network_id, name, description, priority, created_at: now, updated_at: now })
    return groupView(await groups.get(tx, network_id, id))
  },
})

/** Changes a group. */
export const updateGroup = defineOperation({
  name: 'update_group',
  title: 'Update group',
  description: 'Changes the given fields of a group.',
  http: 'PUT /networks/{network_id}/groups/{group_id}',
  permission: 'groups:write',
  effect: 'update',
  input: z.strictObject({
    network_id: NetworkId,
    group_id: GroupId,
    name: Name.optional(),
    description: Description,
    priority: Priority,
  }),
  output: GroupView,
  async run({ tx, now }, input) {
    const group = await groups.get(tx, input.network_id, input.group_id)
    await groups.update(tx, {
      ...group,
      name: input.name || group.name,
      description: input.description ?? group.description,
      priority: input.priority ?? group.priority,
      updated_at: now,
    })
    return groupView(await groups.get(tx, group.network_id, group.id))
  },
})

/** Deletes a group; what was in it stays. */
export const deleteGroup = defineOperation({
  name: 'delete_group',
  title: 'Delete group',
  description: 'Deletes a group. Its peers, policies and routes stay; rules that target the group go with it.',
  http: 'DELETE /networks/{network_id}/groups/{group_id}',
  permission: 'groups:write',
  effect: 'delete',
  input: z.strictObject({ network_id: NetworkId, group_id: GroupId }),
  output: z.null(),
  async run({ tx }, input) {
    const group = await groups.get(tx, input.network_id, input.group_id)
    await groups.remove(tx, group.id)
    return null
  },
})

function groupView(group: Group): z.input<typeof GroupView> {
  return {
    ...group,
    peer_ids: [...group.peer_ids],
    policy_ids: [...group.policy_ids],
    route_ids: [...group.route_ids],
  }
}
