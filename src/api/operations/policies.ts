import { z } from 'zod'
import { parsePrefixLoosely } from '../../core/address.ts'
import type { Policy, PolicyRule } from '../../core/topology.ts'
import { AppError, quoted } from '../../errors.ts'
import type { Random } from '../../random.ts'
import type { Db } from '../../storage/db.ts'
import * as groups from '../../storage/groups.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import * as policies from '../../storage/policies.ts'
import { Line, NetworkId, PolicyId, RuleId, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const RuleView = z.object({
  id: z.string(),
  direction: z.enum(['input', 'output']),
  action: z.enum(['allow', 'deny']),
  target: z.string(),
  target_type: z.enum(['cidr', 'peer', 'group']),
  description: z.string(),
})

/** A policy as everybody gets it. */
export const PolicyView = z.object({
  id: z.string(),
  network_id: z.string(),
  name: z.string(),
  description: z.string(),
  rules: z.array(RuleView),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const ruleFields = {
  direction: z.enum(['input', 'output']).describe('output: from the peer, input: to it'),
  action: z.enum(['allow', 'deny']).describe('What a match means'),
  target: Line(255).min(1).describe('CIDR, peer or group').meta({ refBy: 'target_type' }),
  target_type: z.enum(['cidr', 'peer', 'group']).describe('What target is'),
  description: Line(255).optional().describe('Note'),
}

const Name = Line(255).describe('Unique name')
const Description = Line(255).optional().describe('Note')
const MAX_RULES = 1000

/** Lists a network's policies. */
export const listPolicies = defineOperation({
  name: 'list_policies',
  title: 'List policies',
  description: 'Lists the policies of a network with their rules, oldest first.',
  http: 'GET /networks/{network_id}/policies',
  permission: 'policies:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: z.array(PolicyView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return (await policies.list(tx, id)).map(policyView)
  },
})

/** Gets one policy. */
export const getPolicy = defineOperation({
  name: 'get_policy',
  title: 'Get policy',
  description: 'Shows one policy with its rules.',
  http: 'GET /networks/{network_id}/policies/{policy_id}',
  permission: 'policies:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, policy_id: PolicyId }),
  output: PolicyView,
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return policyView(await policies.get(tx, id, input.policy_id))
  },
})

/** Creates a policy with its rules. */
export const createPolicy = defineOperation({
  name: 'create_policy',
  title: 'Create policy',
  description: 'Creates a policy. It takes effect for the groups it is attached to.',
  http: 'POST /networks/{network_id}/policies',
  permission: 'policies:write',
  effect: 'create',
  input: z.strictObject({
    network_id: NetworkId,
    name: Name.min(1),
    description: Description,
    rules: z.array(z.strictObject(ruleFields)).max(MAX_RULES).optional().describe('Rules in order'),
  }),
  output: PolicyView,
  async run({ tx, now, random }, input) {
    const rules: PolicyRule[] = []
    for (const rule of input.rules ?? []) rules.push(await checkedRule(tx, random, input.network_id, rule))
    const { network_id, name, description = '' } = input
    const id = random.newId()
    await policies.insert(tx, { id, network_id, name, description, rules, created_at: now, updated_at: now })
    return policyView(await policies.get(tx, network_id, id))
  },
})

/** Renames or describes a policy. */
export const updatePolicy = defineOperation({
  name: 'update_policy',
  title: 'Update policy',
  description: 'Changes name or description of a policy; rules have their own calls.',
  http: 'PUT /networks/{network_id}/policies/{policy_id}',
  permission: 'policies:write',
  effect: 'update',
  input: z.strictObject({
    network_id: NetworkId,
    policy_id: PolicyId,
    name: Name.optional(),
    description: Description,
  }),
  output: PolicyView,
  async run({ tx, now }, input) {
    const policy = await policies.get(tx, input.network_id, input.policy_id)
    const description = input.description ?? policy.description
    await policies.update(tx, { ...policy, name: input.name || policy.name, description, updated_at: now })
    return policyView(await policies.get(tx, policy.network_id, policy.id))
  },
})

/** Deletes a policy everywhere. */
export const deletePolicy = defineOperation({
  name: 'delete_policy',
  title: 'Delete policy',
  description: 'Deletes a policy and takes it from every group.',
  http: 'DELETE /networks/{network_id}/policies/{policy_id}',
  permission: 'policies:write',
  effect: 'delete',
  input: z.strictObject({ network_id: NetworkId, policy_id: PolicyId }),
  output: z.null(),
  async run({ tx }, input) {
    const policy = await policies.get(tx, input.network_id, input.policy_id)
    await policies.remove(tx, policy.id)
    return null
  },
})

/** Puts a rule at the end of a policy. */
export const addPolicyRule = defineOperation({
  name: 'add_policy_rule',
  title: 'Add rule to policy',
  description: 'Adds a rule behind the others of a policy.',
  http: 'POST /networks/{network_id}/policies/{policy_id}/rules',
  permission: 'policies:write',
  effect: 'create',
  input: z.strictObject({
    network_id: NetworkId,
    policy_id: PolicyId,
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{0,64}$/, 'use letters, digits, _ and -')
      .optional()
      .describe('Made unless given'),
    ...ruleFields,
  }),
  output: RuleView,
  async run({ tx, now, random }, { network_id, policy_id, ...given }) {
    const policy = await policies.get(tx, network_id, policy_id)
    if (policy.rules.length >= MAX_RULES) throw new AppError('exhausted', `a policy has at most ${MAX_RULES} rules`)
    const rule = await checkedRule(tx, random, network_id, given)
    await policies.appendRule(tx, policy.id, rule)
    await policies.update(tx, { ...policy, updated_at: now })
    return rule
  },
})

/** Takes a rule out of a policy. */
export const removePolicyRule = defineOperation({
  name: 'remove_policy_rule',
  title: 'Remove rule from policy',
  description: 'Removes a rule from a policy.',
  http: 'DELETE /networks/{network_id}/policies/{policy_id}/rules/{rule_id}',
  permission: 'policies:write',
  effect: 'delete',
  input: z.strictObject({ network_id: NetworkId, policy_id: PolicyId, rule_id: RuleId }),
  output: z.null(),
  async run({ tx, now }, input) {
    const policy = await policies.get(tx, input.network_id, input.policy_id)
    if (!(await policies.removeRule(tx, policy.id, input.rule_id))) {
      throw new AppError('not_found', `no rule ${quoted(input.rule_id)} in policy ${quoted(policy.name)}`)
    }
    await policies.update(tx, { ...policy, updated_at: now })
    return null
  },
})

type GivenRule = Omit<PolicyRule, 'id' | 'description'> & { id?: string | undefined; description?: string | undefined }

/** The rule with an id, if what it targets exists. */
async function checkedRule(tx: Db, random: Random, networkId: string, given: GivenRule): Promise<PolicyRule> {
  const { direction, action, target, target_type, description = '' } = given
  if (target_type === 'cidr') parsePrefixLoosely(target)
  const known = { cidr: async () => true, peer: peers.exists, group: groups.exists }[target_type]
  if (!(await known(tx, networkId, target))) {
    throw new AppError('invalid', `target: no ${target_type} ${quoted(target)} in this network`)
  }
  return { id: given.id || random.newId(), direction, action, target, target_type, description }
}

/** A policy for an answer. */
export function policyView(policy: Policy): z.input<typeof PolicyView> {
  return { ...policy, rules: [...policy.rules] }
}
