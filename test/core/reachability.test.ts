import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideAccess } from '../../src/core/access.ts'
import { reachability } from '../../src/core/reachability.ts'
import type { Acl, Peer, Topology } from '../../src/core/topology.ts'

const NOW = '2024-04-13T10:00:00Z'

function peer(id: string, name: string, more: Partial<Peer> = {}): Peer {
  return {
    id,
    network_id: 'net-1',
    name,
    public_key: 'cHVibGlj',
    address: null,
    address_v6: null,
    endpoint: '',
    listen_port: 0,
    additional_allowed_ips: [],
    is_jump: false,
    use_agent: true,
    owner_id: null,
    created_at: NOW,
    updated_at: NOW,
    ...more,
  }
}

function topology(peers: readonly Peer[], acl: Partial<Acl> = {}): Topology {
  return {
    network: {
      id: 'net-1',
      name: 'office',
      cidr: '10.10.0.0/16',
      cidr_v6: null,
      dns: [],
      domain_suffix: 'internal',
      created_at: NOW,
      updated_at: NOW,
    },
    peers,
    acl: { id: 'acl-1', name: 'default', enabled: true, blocked_peers: [], rules: [], ...acl },
    groups: [],
    policies: [],
    routes: [],
    quarantined: [],
  }
}

/** Asked by somebody who may see everything. */
const reachabilityOf = (topology: Topology, from: Peer) => reachability(topology, from, () => true)

describe('reachability of a peer', () => {
  test('has the documented shape', () => {
    const alice = peer('peer-uuid', 'laptop-alice', { address: '10.10.0.2', address_v6: 'fd00::2' })
    const bob = peer('peer-uuid-2', 'server-bob', { address: '10.10.0.3' })
    expect(reachabilityOf(topology([alice, bob]), alice)).toEqual({
      peer_id: 'peer-uuid',
      peer_name: 'laptop-alice',
      peer_address: '10.10.0.2',
      is_jump: false,
      peer_access: [
        {
          peer_id: 'peer-uuid-2',
          peer_name: 'server-bob',
          address: '10.10.0.3',
          is_jump: false,
          allowed: true,
          reason: 'default_allow',
        },
      ],
      rules: [],
      routes: [],
    })
  })

  test('shows IPv6 where there is no IPv4, and nothing where there is neither', () => {
    const hub = peer('1', 'hub', { address_v6: 'fd00::1', is_jump: true })
    const bare = peer('2', 'bare')
    expect(reachabilityOf(topology([hub, bare]), hub)).toMatchObject({ peer_address: 'fd00::1', is_jump: true })
    expect(reachabilityOf(topology([hub, bare]), hub).peer_access[0]?.address).toBe('')
    expect(reachabilityOf(topology([hub, bare]), bare).peer_access[0]).toMatchObject({
      address: 'fd00::1',
      is_jump: true,
    })
  })

  test('lists allowed peers first, then by name in code-unit order, then by id', () => {
    const self = peer('0', 'self')
    const others = [
      peer('6', 'a-denied'),
      peer('5', 'b'),
      peer('4', 'a'),
      peer('3', 'a'),
      peer('2', 'a-b'),
      peer('1', 'Z'),
    ]
    const acl = { rules: [{ id: 'r', source_peer: '0', target_peer: '6', action: 'deny' as const, description: '' }] }
    const order = reachabilityOf(topology([...others, self], acl), self).peer_access.map((row) => row.peer_id)
    expect(order).toEqual(['1', '3', '4', '2', '5', '6'])
  })

  test('lists every other peer once with the decision of the access list, in an order that does not depend on the topology', () => {
    const ids = ['0', '1', '2', '3', '4']
    const names = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 5, maxLength: 5 })
    fc.assert(
      fc.property(
        fc.shuffledSubarray(ids, { minLength: 5 }),
        names,
        fc.subarray(ids),
        (order, labels, blocked_peers) => {
          const peers = ids.map((id, i) => peer(id, labels[i] ?? 'a'))
          const shuffled = topology(
            order.map((id) => peers[Number(id)]!),
            { blocked_peers },
          )
          const rows = reachabilityOf(shuffled, peers[0]!).peer_access
          expect(rows).toEqual(reachabilityOf(topology(peers, { blocked_peers }), peers[0]!).peer_access)
          expect(rows.map((row) => row.peer_id).sort()).toEqual(['1', '2', '3', '4'])
          for (const row of rows) expect(row).toMatchObject(decideAccess(shuffled, '0', row.peer_id))
        },
      ),
    )
  })
})
