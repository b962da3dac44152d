import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AccessDecision, type AccessList, accessFrom, decideAccess } from '../../src/core/access.ts'

const IDS = ['a', 'b', 'c', 'd']
const id = fc.constantFrom(...IDS)
const idOrAll = fc.constantFrom('*', ...IDS)
const list: fc.Arbitrary<AccessList> = fc.record({
  acl: fc.record({
    id: fc.constant('acl-1'),
    name: fc.constant('default'),
    enabled: fc.boolean(),
    blocked_peers: fc.subarray(IDS, { maxLength: 2 }),
    rules: fc.array(
      fc.record({
        id: fc.uuid(),
        source_peer: idOrAll,
        target_peer: idOrAll,
        action: fc.constantFrom('allow' as const, 'deny' as const),
        description: fc.constant(''),
      }),
      { maxLength: 6 },
    ),
  }),
  quarantined: fc.subarray(IDS, { maxLength: 1 }),
})

function decideSlowly({ acl, quarantined }: AccessList, source: string, target: string): AccessDecision {
  if (quarantined.includes(source) || quarantined.includes(target)) return { allowed: false, reason: 'blocked' }
  if (!acl.enabled) return { allowed: true, reason: 'acl_disabled' }
  if (acl.blocked_peers.includes(source) || acl.blocked_peers.includes(target)) {
    return { allowed: false, reason: 'blocked' }
  }
  for (const rule of acl.rules) {
    const fits = ['*', source].includes(rule.source_peer) && ['*', target].includes(rule.target_peer)
    if (fits && rule.action === 'allow') return { allowed: true, reason: 'allow_rule' }
    if (fits) return { allowed: false, reason: 'deny_rule' }
  }
  return { allowed: true, reason: 'default_allow' }
}

function listOf(acl: Partial<AccessList['acl']>, quarantined: string[] = []): AccessList {
  return { acl: { id: 'acl-1', name: 'default', enabled: true, blocked_peers: [], rules: [], ...acl }, quarantined }
}

function rule(source_peer: string, target_peer: string, action: 'allow' | 'deny') {
  return { id: `${source_peer}-${target_peer}`, source_peer, target_peer, action, description: '' }
}

describe('access between peers', () => {
  test('is what walking the list from top to bottom decides', () => {
    fc.assert(
      fc.property(list, id, id, (access, source, target) => {
        expect(decideAccess(access, source, target)).toEqual(decideSlowly(access, source, target))
      }),
      { numRuns: 2000 },
    )
  })

  test('is the same when one source is asked about many targets', () => {
    fc.assert(
      fc.property(list, id, (access, source) => {
        const decide = accessFrom(access, source)
        expect(IDS.map(decide)).toEqual(IDS.map((target) => decideAccess(access, source, target)))
      }),
    )
  })

  test('is blocked in both directions or in neither', () => {
    fc.assert(
      fc.property(list, id, id, (access, a, b) => {
        const there = decideAccess(access, a, b).reason === 'blocked'
        expect(decideAccess(access, b, a).reason === 'blocked').toBe(there)
      }),
    )
  })

  test('is allowed by a disabled list, whatever it says', () => {
    const off = listOf({ enabled: false, blocked_peers: ['a'], rules: [rule('*', '*', 'deny')] })
    expect(decideAccess(off, 'a', 'b')).toEqual({ allowed: true, reason: 'acl_disabled' })
  })

  test('is blocked for a quarantined peer even when the list is disabled', () => {
    const off = listOf({ enabled: false }, ['a'])
    expect(decideAccess(off, 'a', 'b')).toEqual({ allowed: false, reason: 'blocked' })
    expect(decideAccess(off, 'b', 'a')).toEqual({ allowed: false, reason: 'blocked' })
    expect(decideAccess(off, 'b', 'c')).toEqual({ allowed: true, reason: 'acl_disabled' })
  })

  test('is decided by the first matching rule, in the direction of the rule only', () => {
    const access = listOf({ rules: [rule('a', 'b', 'allow'), rule('a', '*', 'deny'), rule('a', 'c', 'allow')] })
    expect(decideAccess(access, 'a', 'b')).toEqual({ allowed: true, reason: 'allow_rule' })
    expect(decideAccess(access, 'a', 'c')).toEqual({ allowed: false, reason: 'deny_rule' })
    expect(decideAccess(access, 'c', 'a')).toEqual({ allowed: true, reason: 'default_allow' })
  })

  test('is blocked for a blocked peer before any rule is read', () => {
    const access = listOf({ blocked_peers: ['b'], rules: [rule('*', '*', 'allow')] })
    expect(decideAccess(access, 'a', 'b')).toEqual({ allowed: false, reason: 'blocked' })
  })
})
