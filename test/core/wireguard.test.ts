import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideAccess } from '../../src/core/access.ts'
import type { Acl, Peer, Topology } from '../../src/core/topology.ts'
import { hideKeys, presharedKey, renderConfig } from '../../src/core/wireguard.ts'

const NOW = '2024-04-13T10:00:00Z'
const SEED = new Uint8Array(32).fill(7)

const secrets = { privateKey: 'private-key', presharedKey: (a: string, b: string) => `psk(${a},${b})` }

function peer(id: string, name: string, more: Partial<Peer> = {}): Peer {
  return {
    id,
    network_id: 'net-1',
    name,
    public_key: `public-${id}`,
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

function topology(peers: readonly Peer[], acl: Partial<Acl> = {}, quarantined: string[] = []): Topology {
  return {
    network: {
      id: 'net-1',
      name: 'office',
      cidr: '10.10.0.0/16',
      cidr_v6: 'fd00::/64',
      dns: ['1.1.1.1'],
      domain_suffix: 'internal',
      created_at: NOW,
      updated_at: NOW,
    },
    peers,
    acl: { id: 'acl-1', name: 'default', enabled: true, blocked_peers: [], rules: [], ...acl },
    groups: [],
    policies: [],
    routes: [],
    quarantined,
  }
}

const hub = peer('1', 'hub', {
  address: '10.10.0.1',
  address_v6: 'fd00::1',
  endpoint: 'vpn.example.com',
  listen_port: 51820,
  additional_allowed_ips: ['192.168.1.77/24', '192.168.1.0/24', 'FD01:0::/64'],
  is_jump: true,
})
const laptop = peer('2', 'laptop', { address: '10.10.0.2', address_v6: 'fd00::2' })
const server = peer('3', 'server', {
  address: '10.10.0.3',
  endpoint: '203.0.113.5:4000',
  additional_allowed_ips: ['172.16.0.0/12'],
})
const spare = peer('0', 'spare', { address_v6: 'fd00::4', endpoint: '2001:DB8::4', is_jump: true })
const office = [hub, laptop, server, spare]

interface Section {
  title: string
  name: string
  values: Record<string, string>
}

/** A strict reader of the rendered text: any line it does not expect is an error. */
function read(config: string): Section[] {
  const sections: Section[] = []
  for (const block of config.split('\n\n').slice(0, -1)) {
    const [head, comment, ...lines] = block.split('\n')
    const title = /^\[(Interface|Peer)\]$/.exec(head ?? '')?.[1]
    const name = /^# Name: ([A-Za-z0-9._-]*)$/.exec(comment ?? '')?.[1]
    const entries = lines.map((line) => /^([A-Za-z]+) = ([ -~]+)$/.exec(line)?.slice(1))
    if (title === undefined || name === undefined || entries.includes(undefined)) throw new Error(`bad block ${block}`)
    sections.push({ title, name, values: Object.fromEntries(entries as [string, string][]) })
  }
  expect(config.endsWith('\n\n')).toBe(true)
  return sections
}

function namesIn(config: string): string[] {
  return read(config)
    .slice(1)
    .map((section) => section.name)
}

describe('a configuration', () => {
  test('of a jump peer lists every other peer with its own addresses and the prefixes that it routes', () => {
    expect(renderConfig(topology(office), hub, secrets)).toBe(`[Interface]
# Name: hub
PrivateKey = private-key
Address = 10.10.0.1, fd00::1
ListenPort = 51820

[Peer]
# Name: laptop
PublicKey = public-2
PresharedKey = psk(1,2)
AllowedIPs = 10.10.0.2/32, fd00::2/128
PersistentKeepalive = 25

[Peer]
# Name: server
PublicKey = public-3
PresharedKey = psk(1,3)
AllowedIPs = 10.10.0.3/32, 172.16.0.0/12
Endpoint = 203.0.113.5:4000
PersistentKeepalive = 25

[Peer]
# Name: spare
PublicKey = public-0
PresharedKey = psk(0,1)
AllowedIPs = fd00::4/128
Endpoint = [2001:db8::4]:51820
PersistentKeepalive = 25

`)
  })

  test('of a regular peer lists the jump peers only and resolves names through the first of them', () => {
    expect(renderConfig(topology(office), laptop, secrets)).toBe(`[Interface]
# Name: laptop
PrivateKey = private-key
Address = 10.10.0.2, fd00::2
DNS = 10.10.0.1

[Peer]
# Name: hub
PublicKey = public-1
PresharedKey = psk(1,2)
AllowedIPs = 10.10.0.1/32, fd00::1/128, 192.168.1.0/24, fd01::/64
Endpoint = vpn.example.com:51820
PersistentKeepalive = 25

[Peer]
# Name: spare
PublicKey = public-0
PresharedKey = psk(0,2)
AllowedIPs = fd00::4/128
Endpoint = [2001:db8::4]:51820
PersistentKeepalive = 25

`)
  })

  test('of a peer with one address family has no empty place in its Address line', () => {
    expect(renderConfig(topology([spare]), spare, secrets)).toContain('\nAddress = fd00::4\n')
    expect(renderConfig(topology([server]), server, secrets)).toContain('\nAddress = 10.10.0.3\n')
    expect(renderConfig(topology([peer('9', 'bare')]), peer('9', 'bare'), secrets)).not.toContain('Address')
  })

  test('resolves names through the IPv6 address of a jump peer that has no IPv4', () => {
    expect(renderConfig(topology([spare, hub, laptop]), laptop, secrets)).toContain('\nDNS = fd00::4\n')
    expect(renderConfig(topology([laptop]), laptop, secrets)).not.toContain('DNS')
  })

  test('does not add a port to an endpoint that has one', () => {
    const ports = [
      ['vpn.example.com', 0, 'vpn.example.com:51820'],
      ['vpn.example.com', 4242, 'vpn.example.com:4242'],
      ['vpn.example.com:1', 4242, 'vpn.example.com:1'],
      ['2001:db8::1', 4242, '[2001:db8::1]:4242'],
      ['[2001:db8::1]:1', 4242, '[2001:db8::1]:1'],
    ] as const
    for (const [endpoint, listen_port, expected] of ports) {
      const jump = { ...hub, endpoint, listen_port }
      expect(renderConfig(topology([jump, laptop]), laptop, secrets)).toContain(`\nEndpoint = ${expected}\n`)
    }
  })

  test('of a jump peer keeps peers behind NAT alive; one jump peer without endpoint does not keep another alive', () => {
    const silent = { ...spare, endpoint: '' }
    const [, ...peers] = read(renderConfig(topology([hub, laptop, silent]), hub, secrets))
    expect(peers.map(({ name, values }) => [name, values.PersistentKeepalive])).toEqual([
      ['laptop', '25'],
      ['spare', undefined],
    ])
    expect(renderConfig(topology([silent, laptop]), laptop, secrets)).not.toContain('PersistentKeepalive')
  })

  test('has no PresharedKey line for a pair without a preshared key', () => {
    const none = { privateKey: 'k', presharedKey: () => '' }
    expect(renderConfig(topology(office), hub, none)).not.toContain('PresharedKey')
  })

  test('lists what the access list allows from its own peer', () => {
    const denyLaptop = [{ id: 'r', source_peer: '1', target_peer: '2', action: 'deny' as const, description: '' }]
    const denied = topology(office, { rules: denyLaptop })
    expect(namesIn(renderConfig(denied, hub, secrets))).toEqual(['server', 'spare'])
    expect(namesIn(renderConfig(denied, laptop, secrets))).toEqual(['hub', 'spare'])
  })

  test('of a blocked or quarantined peer is without peers, and no jump peer lists it', () => {
    for (const cut of [topology(office, { blocked_peers: ['2'] }), topology(office, { enabled: false }, ['2'])]) {
      const config = renderConfig(cut, laptop, secrets)
      expect(namesIn(config)).toEqual([])
      expect(config).not.toContain('DNS')
      expect(namesIn(renderConfig(cut, hub, secrets))).toEqual(['server', 'spare'])
    }
  })

  test('skips a blocked jump peer when it chooses the resolver', () => {
    expect(renderConfig(topology(office, { blocked_peers: ['1'] }), laptop, secrets)).toContain('\nDNS = fd00::4\n')
  })
})

describe('any configuration', () => {
  const ids = ['0', '1', '2', '3', '4', '5']
  const somePeer = (id: string): fc.Arbitrary<Peer> =>
    fc
      .record({
        name: fc.stringMatching(/^[a-z0-9]{1,8}$/),
        address: fc.constantFrom(null, `10.10.0.${id}`),
        address_v6: fc.constantFrom(null, `fd00::a${id}`),
        endpoint: fc.constantFrom('', 'vpn.example.com', '203.0.113.5:4000', '[2001:db8::1]:7'),
        listen_port: fc.constantFrom(0, 51820, 4242),
        additional_allowed_ips: fc.subarray(['192.168.0.0/24', '10.11.0.1/32', '::/0', '172.16.0.0/12']),
        is_jump: fc.boolean(),
      })
      .map((fields) => peer(id, fields.name, fields))
  const someTopology = fc
    .record({
      peers: fc.tuple(...ids.map(somePeer)),
      enabled: fc.boolean(),
      blocked_peers: fc.subarray(ids, { maxLength: 2 }),
      quarantined: fc.subarray(ids, { maxLength: 1 }),
    })
    .map(({ peers, quarantined, ...acl }) => topology(peers, acl, quarantined))

  test('reads back to the topology that it was rendered from', () => {
    fc.assert(
      fc.property(someTopology, fc.nat(5), (given, index) => {
        const self = given.peers[index]!
        const [own, ...peers] = read(renderConfig(given, self, secrets))
        const listed = given.peers.filter(
          (other) =>
            other !== self && (self.is_jump || other.is_jump) && decideAccess(given, self.id, other.id).allowed,
        )
        expect(own?.name).toBe(self.name)
        expect(own?.values.Address?.split(', ') ?? []).toEqual([self.address, self.address_v6].filter(Boolean))
        expect(peers.map(({ values }) => values.PublicKey)).toEqual(listed.map((other) => other.public_key))
        expect(peers.map(({ values }) => values.AllowedIPs?.split(', ') ?? [])).toEqual(
          listed.map((other) => [
            ...new Set([
              ...(other.address ? [`${other.address}/32`] : []),
              ...(other.address_v6 ? [`${other.address_v6}/128`] : []),
              ...other.additional_allowed_ips,
            ]),
          ]),
        )
        expect(peers.map(({ values }) => values.Endpoint !== undefined)).toEqual(
          listed.map((other) => other.endpoint !== ''),
        )
      }),
    )
  })

  test('is the same bytes whenever it is rendered from the same topology', () => {
    fc.assert(
      fc.property(someTopology, fc.nat(5), (given, index) => {
        const again = structuredClone(given)
        expect(renderConfig(again, again.peers[index]!, secrets)).toBe(
          renderConfig(given, given.peers[index]!, secrets),
        )
      }),
    )
  })

  test('has the same shape whatever hostile text a field holds', () => {
    const attack = fc.oneof(
      fc.constantFrom(
        'x\n[Interface]\nPostUp = id',
        'x\r\nPostUp = id',
        '10.0.0.0/8\nPostUp = id',
        'x\u2028PostUp = id',
      ),
      fc.string({ unit: 'binary' }),
    )
    const fields = fc.record({
      name: attack,
      public_key: attack,
      address: attack,
      address_v6: attack,
      endpoint: attack,
      additional_allowed_ips: fc.array(attack, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(fields, fields, attack, attack, (one, two, privateKey, psk) => {
        const jump = { ...hub, ...one }
        const regular = { ...laptop, ...two }
        for (const self of [jump, regular]) {
          const config = renderConfig(topology([jump, regular]), self, { privateKey, presharedKey: () => psk })
          const heads = config
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => line.split(' = ')[0]!)
          const known =
            /^(\[Interface\]|\[Peer\]|# Name: [A-Za-z0-9._-]*|PrivateKey|Address|ListenPort|DNS|PublicKey|PresharedKey|AllowedIPs|Endpoint|PersistentKeepalive)$/
          for (const head of heads) expect(head).toMatch(known)
          expect(new Set(heads.filter((head) => /^[A-Z[]/.test(head))).size).toBe(
            heads.filter((head) => /^[A-Z[]/.test(head)).length,
          )
          expect(config).toMatch(/^[\n -~]+$/)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('leaves out a stored endpoint or prefix that is not one, and keeps the rest', () => {
    const bad = { ...server, endpoint: 'a b', additional_allowed_ips: ['nonsense', '10.10.0.1/32', '172.16.0.0/12'] }
    const [, entry] = read(renderConfig(topology([hub, bad]), hub, secrets))
    expect(entry?.values).toEqual({
      PublicKey: 'public-3',
      PresharedKey: 'psk(1,3)',
      AllowedIPs: '10.10.0.3/32, 172.16.0.0/12',
      PersistentKeepalive: '25',
    })
  })
})

describe('preshared keys', () => {
  test('are the documented HMAC, whichever peer asks', () => {
    const expected = createHmac('sha256', SEED).update('wireguard-psk\0alpha\0beta').digest('base64')
    expect(presharedKey(SEED, 'alpha', 'beta')).toBe(expected)
    expect(presharedKey(SEED, 'beta', 'alpha')).toBe(expected)
    expect(Buffer.from(expected, 'base64')).toHaveLength(32)
  })

  test('differ for every pair and every seed', () => {
    const keys = ['a', 'b', 'c'].flatMap((id) => [
      presharedKey(SEED, id, 'z'),
      presharedKey(SEED, id, 'y'),
      presharedKey(new Uint8Array(32), id, 'z'),
    ])
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('are the same in the configurations of both ends', () => {
    const keys = { privateKey: 'k', presharedKey: (a: string, b: string) => presharedKey(SEED, a, b) }
    const atHub = read(renderConfig(topology([hub, laptop]), hub, keys))[1]
    const atLaptop = read(renderConfig(topology([hub, laptop]), laptop, keys))[1]
    expect(atHub?.values.PresharedKey).toBe(atLaptop?.values.PresharedKey)
  })
})

describe('hidden keys', () => {
  test('are replaced, and nothing else is', () => {
    const config = renderConfig(topology([hub, laptop]), laptop, secrets)
    const hidden = hideKeys(config)
    expect(hidden).toBe(
      config.replace('PrivateKey = private-key', 'PrivateKey = (hidden)').replace('psk(1,2)', '(hidden)'),
    )
    expect(hidden).toContain('PublicKey = public-1')
    expect(hideKeys(hidden)).toBe(hidden)
  })

  test('are hidden however the line is written', () => {
    expect(hideKeys('privatekey=abc=\r\n\tPresharedKey =def=\nPublicKey = ghi=\n')).toBe(
      'privatekey= (hidden)\n\tPresharedKey = (hidden)\nPublicKey = ghi=\n',
    )
  })
})
