import { z } from 'zod'
import type { Acl } from '../../core/topology.ts'
import { AppError, quoted } from '../../errors.ts'
import * as acls from '../../storage/acls.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import { Line, NetworkId } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const AclView = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  blocked_peers: z.record(z.string(), z.boolean()),
  rules: z.array(
    z.object({
      id: z.string(),
      source_peer: z.string(),
      target_peer: z.string(),
      action: z.enum(['allow', 'deny']),
      description: z.string(),
    }),
  ),
})

const AnyPeer = z.string().max(255).meta({ ref: 'peer' })

const RuleInput = z.strictObject({
  id: Line(255).optional().describe('Made unless given'),
  source_peer: AnyPeer.describe('Peer or *'),
  target_peer: AnyPeer.describe('Peer or *'),
  action: z.enum(['allow', 'deny']).describe('What a match means'),
  description: Line(255).optional().describe('Note'),
})

/** Gets a network's access list. */
export const getAcl = defineOperation({
  name: 'get_acl',
  title: 'Get access list',
  description: 'Shows the peer-to-peer access list of a network: first match wins, the default is allow.',
  http: 'GET /networks/{network_id}/acl',
  permission: 'acl:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: AclView,
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return aclView(await acls.get(tx, id))
  },
})

/** Replaces a network's access list. */
export const replaceAcl = defineOperation({
  name: 'replace_acl',
  title: 'Replace access list',
  description: 'Replaces a whole access list: what you leave out is gone. Read get_acl first.',
  http: 'PUT /networks/{network_id}/acl',
  permission: 'acl:write',
  effect: 'replace',
  input: z.strictObject({
    network_id: NetworkId,
    name: Line(255).optional().describe('Name of the list'),
    enabled: z.boolean().describe('False: all reach all'),
    blocked_peers: z.record(AnyPeer, z.boolean()).optional().describe('Peer to true: reaches nobody'),
    rules: z.array(RuleInput).max(10_000).optional().describe('In order'),
  }),
  output: AclView,
  async run({ tx, random }, input) {
    const before = await acls.get(tx, input.network_id)
    const blocked = Object.entries(input.blocked_peers ?? {}).filter(([, isBlocked]) => isBlocked)
    const acl: Acl = {
      id: before.id,
      name: input.name ?? before.name,
      enabled: input.enabled,
      blocked_peers: blocked.map(([peerId]) => peerId),
      rules: (input.rules ?? []).map((rule) => ({
        ...rule,
        id: rule.id || random.newId(),
        description: rule.description ?? '',
      })),
    }
    refuseStrangers(acl, new Set(await peers.listIds(tx, input.network_id)))
    refuseTwins(acl)
    await acls.put(tx, input.network_id, acl)
    return aclView(await acls.get(tx, input.network_id))
  },
})

function aclView(acl: Acl): z.input<typeof AclView> {
  return { ...acl, blocked_peers: Object.fromEntries(acl.blocked_peers.map((id) => [id, true])), rules: [...acl.rules] }
}

function refuseStrangers(acl: Acl, members: ReadonlySet<string>): void {
  const inRules = acl.rules.flatMap((rule) => [rule.source_peer, rule.target_peer]).filter((id) => id !== '*')
  const stranger = [...acl.blocked_peers, ...inRules].find((id) => !members.has(id))
  if (stranger !== undefined)
    throw new AppError(
      'invalid',
      `no peer ${quoted(stranger)} in this network; rules take a peer id or *, blocked_peers a peer id`,
    )
}

function refuseTwins(acl: Acl): void {
  const ids = acl.rules.map((rule) => rule.id)
  const seen = new Set<string>()
  const twin = ids.find((id) => seen.size === seen.add(id).size)
  if (twin !== undefined) throw new AppError('invalid', `rules: id ${quoted(twin)} is used twice`)
}
