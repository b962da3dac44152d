import type { AclRule, Topology } from './topology.ts'

/** Why one peer may or may not reach another. */
export type AccessReason = 'acl_disabled' | 'allow_rule' | 'deny_rule' | 'blocked' | 'default_allow'

/** Whether one peer may reach another, and why. */
export interface AccessDecision {
  readonly allowed: boolean
  readonly reason: AccessReason
}

/** The part of a topology that decides access. */
export type AccessList = Pick<Topology, 'acl' | 'quarantined'>

const BLOCKED: AccessDecision = Object.freeze({ allowed: false, reason: 'blocked' })
const DISABLED: AccessDecision = Object.freeze({ allowed: true, reason: 'acl_disabled' })
const DEFAULT: AccessDecision = Object.freeze({ allowed: true, reason: 'default_allow' })
const ALLOWED: AccessDecision = Object.freeze({ allowed: true, reason: 'allow_rule' })
const DENIED: AccessDecision = Object.freeze({ allowed: false, reason: 'deny_rule' })

/**
 * Decides whether `source` may reach `target`. In this order: a quarantined peer is blocked even when the access list is
 * disabled; a disabled list allows; a blocked peer is blocked; the first matching rule decides; the default is allow.
 * `blocked` holds in both directions, a rule only from its source to its target.
 */
export function decideAccess(list: AccessList, source: string, target: string): AccessDecision {
  return accessFrom(list, source)(target)
}

/** `decideAccess` for one source and many targets: reads the list once, then answers each target in constant time. */
export function accessFrom({ acl, quarantined }: AccessList, source: string): (target: string) => AccessDecision {
  const blocked = new Set(acl.enabled ? [...quarantined, ...acl.blocked_peers] : quarantined)
  if (blocked.has(source)) return () => BLOCKED
  const byRule = acl.enabled ? rulesFrom(acl.rules, source) : () => DISABLED
  return (target) => (blocked.has(target) ? BLOCKED : byRule(target))
}

/** Keeps the first rule per target; a rule for all targets ends the list, for nothing after it can be the first match. */
function rulesFrom(rules: readonly AclRule[], source: string): (target: string) => AccessDecision {
  const firstMatch = new Map<string, AccessDecision>()
  for (const rule of rules) {
    if (rule.source_peer !== '*' && rule.source_peer !== source) continue
    const decision = rule.action === 'allow' ? ALLOWED : DENIED
    if (!firstMatch.has(rule.target_peer)) firstMatch.set(rule.target_peer, decision)
    if (rule.target_peer === '*') break
  }
  const otherwise = firstMatch.get('*') ?? DEFAULT
  return (target) => firstMatch.get(target) ?? otherwise
}
