import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePolicies } from '../../src/core/policy.ts'
import { refuseCircularRouting, refuseOutside } from '../../src/core/routing.ts'
import type { Group, Peer, Policy, Route, Topology } from '../../src/core/topology.ts'
import { AppError } from '../../src/errors.ts'

const at = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }
const named = (id: string) => ({ id, network_id: 'net', name: id, description: '', ...at })

const peer = (id: string, address: string | null): Peer => ({
  ...named(id),
  public_key: '',
  address,
  address_v6: null,
  endpoint: '',
  listen_port: 0,
  additional_allowed_ips: [],
  is_jump: false,
  use_agent: true,
  owner_id: null,
})

const group = (id: string, priority: number, has: Partial<Group>): Group => ({
  ...named(id),
  priority,
  peer_ids: [],
  policy_ids: [],
  route_ids: [],
  ...has,
})

const policy = (id: string, ...targets: [type: 'cidr' | 'peer' | 'group', target: string][]): Policy => ({
  ...named(id),
  rules: targets.map(([target_type, target], index) => ({
    id: `${id}-${index}`,
    direction: 'output',
    action: 'allow',
    target,
    target_type,
    description: '',
  })),
})

const route = (id: string, jump: string, cidr: string | null = '192.168.1.0/24'): Route => ({
  ...named(id),
  destination_cidr: cidr,
  destination_cidr_v6: null,
  jump_peer_id: jump,
  domain_suffix: 'internal',
})

const topology = (parts: Partial<Topology>): Topology => ({
  network: { ...named('net'), cidr: '10.0.0.0/24', cidr_v6: null, dns: [], domain_suffix: 'internal' },
  peers: [],
  acl: { id: 'acl', name: 'default', enabled: false, blocked_peers: [], rules: [] },
  groups: [],
  policies: [],
  routes: [],
  quarantined: [],
  ...parts,
})

test('rules hold by group priority, then policy order, then rule order, each policy once', () => {
  const compiled = compilePolicies(
    topology({
      peers: [peer('a', '10.0.0.1'), peer('b', '10.0.0.2'), peer('c', null)],
      groups: [
        group('late', 200, { peer_ids: ['a'], policy_ids: ['shared', 'last'] }),
        group('first', 10, { peer_ids: ['a', 'b', 'c'], policy_ids: ['two', 'shared'] }),
        group('second', 10, { peer_ids: ['a'], policy_ids: ['one'] }),
      ],
      policies: [
        policy('one', ['cidr', '10.9.0.0/16']),
        policy('two', ['group', 'first'], ['peer', 'c']),
        policy('shared', ['peer', 'b']),
        policy('last', ['group', 'nobody']),
      ],
    }),
  )
  expect(compiled.rulesOf('a').map(({ rule, group: from, addresses }) => [rule.id, from.id, addresses])).toEqual([
    ['two-0', 'first', ['10.0.0.1', '10.0.0.2']],
    ['two-1', 'first', []],
    ['shared-0', 'first', ['10.0.0.2']],
    ['one-0', 'second', ['10.9.0.0/16']],
    ['last-0', 'late', []],
  ])
  expect(compiled.rulesOf('stranger')).toEqual([])
})

test('a peer uses each route of its groups once', () => {
  const compiled = compilePolicies(
    topology({
      groups: [
        group('x', 1, { peer_ids: ['a'], route_ids: ['r2', 'r1'] }),
        group('y', 2, { peer_ids: ['a', 'b'], route_ids: ['r1', 'gone'] }),
      ],
      routes: [route('r1', 'hub'), route('r2', 'hub')],
    }),
  )
  const routesOf = (id: string) => compiled.routesOf(id).map((found) => [found.route.id, found.group.id])
  expect([routesOf('a'), routesOf('b')]).toEqual([
    [
      ['r2', 'x'],
      ['r1', 'x'],
    ],
    [['r1', 'y']],
  ])
})

test('the compiled rules are those of a naive walk over groups, policies and rules', () => {
  const ids = ['a', 'b', 'c']
  const some = fc.shuffledSubarray(ids)
  const model = fc.record({
    groups: fc.array(fc.record({ priority: fc.integer({ min: 1, max: 3 }), peer_ids: some, policy_ids: some }), {
      maxLength: 5,
    }),
  })
  fc.assert(
    fc.property(model, ({ groups }) => {
      const all = groups.map(({ priority, ...has }, index) => group(`g${index}`, priority, has))
      const policies = ids.map((id) => policy(id, ['cidr', '10.0.0.0/8'], ['peer', 'a']))
      const compiled = compilePolicies(
        topology({ peers: ids.map((id) => peer(id, '10.0.0.1')), groups: all, policies }),
      )
      for (const id of ids) {
        const naive: string[] = []
        for (const priority of [1, 2, 3]) {
          for (const own of all.filter((g) => g.priority === priority && g.peer_ids.includes(id))) {
            for (const policyId of own.policy_ids) {
              for (const rule of policies.find((p) => p.id === policyId)?.rules ?? []) {
                if (!naive.includes(rule.id)) naive.push(rule.id)
              }
            }
          }
        }
        expect(compiled.rulesOf(id).map(({ rule }) => rule.id)).toEqual(naive)
      }
    }),
  )
})

describe('circular routing', () => {
  test('is a group that has the gateway of one of its own routes, and names all of them', () => {
    const routes = [route('r1', 'hub'), route('r2', 'other'), route('r3', 'hub')]
    const refused = () => refuseCircularRouting(group('g', 1, { peer_ids: ['a', 'hub'] }), routes)
    expect(refused).toThrow(AppError)
    try {
      refused()
    } catch (error) {
      expect((error as AppError).body).toMatchObject({
        code: 'invalid',
        details: { peer_id: 'hub', group_id: 'g', route_ids: ['r1', 'r3'] },
      })
    }
  })

  test('is not a group whose gateways are elsewhere', () => {
    expect(() => refuseCircularRouting(group('g', 1, { peer_ids: ['a'] }), [route('r', 'hub')])).not.toThrow()
  })
})

test('a name behind a route lies within the prefix of its family', () => {
  expect(() => refuseOutside(route('r', 'hub'), '192.168.1.77')).not.toThrow()
  for (const address of ['192.168.2.1', 'fd00::1'])
    expect(() => refuseOutside(route('r', 'hub'), address)).toThrow(AppError)
  expect(() => refuseOutside(route('r', 'hub', null), '192.168.1.77')).toThrow(AppError)
})
