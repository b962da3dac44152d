import { createHmac } from 'node:crypto'
import { accessFrom } from './access.ts'
import {
  findEndpoint,
  findPrefixLoosely,
  formatEndpoint,
  formatPrefix,
  isWithin,
  type Prefix,
  tunnelAddress,
} from './address.ts'
import { compilePolicies } from './policy.ts'
import type { Peer, Topology } from './topology.ts'

/** The keys that a configuration needs and a topology does not hold. */
export interface ConfigSecrets {
  /** Private key of the peer that the configuration is for, base64. */
  readonly privateKey: string
  /** The pair's preshared key, base64, or empty for none. Both ends ask with the same order: the lesser id (by code unit) first. */
  presharedKey(jumpId: string, peerId: string): string
}

const DEFAULT_PORT = 51820
const KEEPALIVE_SECONDS = 25

type Entry = readonly [key: string, value: string]

/**
 * Renders the configuration file of `self`. A jump peer lists every other peer, a regular peer the jump peers, both in the
 * topology's order and without those that `self` may not reach. Stored text that is no endpoint or CIDR is left out, so that
 * one bad value can neither inject a line nor cost the other peers their tunnel. Source: wg(8), wg-quick(8).
 */
export function renderConfig(topology: Topology, self: Peer, secrets: ConfigSecrets): string {
  const access = accessFrom(topology, self.id)
  const listed = topology.peers.filter(
    (other) => other.id !== self.id && (self.is_jump || other.is_jump) && access(other.id).allowed,
  )
  const carried = prefixesThrough(topology, self)
  const peers = listed.map((other) => section('Peer', other.name, peerEntries(self, other, carried(other), secrets)))
  return section('Interface', self.name, interfaceEntries(self, listed, secrets.privateKey)) + peers.join('')
}

/**
 * Derives the preshared key of two peers: base64 of HMAC-SHA256 (RFC 2104) under `seed` over `wireguard-psk` and the two ids,
 * lesser first, separated by NUL. The order of the arguments does not matter.
 */
export function presharedKey(seed: Uint8Array, a: string, b: string): string {
  const message = ['wireguard-psk', ...orderIds(a, b)].join('\0')
  return createHmac('sha256', seed).update(message).digest('base64')
}

/** Replaces the private and preshared keys of a configuration by `(hidden)`. */
export function hideKeys(config: string): string {
  return config.replace(/^([ \t]*(?:PrivateKey|PresharedKey)[ \t]*=)[^\n]*/gim, '$1 (hidden)')
}

function interfaceEntries(self: Peer, listed: readonly Peer[], privateKey: string): Entry[] {
  const resolver = self.is_jump ? undefined : listed.map(tunnelAddress).find((address) => address !== '')
  return [
    ['PrivateKey', privateKey],
    ['Address', present([self.address, self.address_v6]).join(', ')],
    ['ListenPort', self.listen_port > 0 ? String(self.listen_port) : ''],
    ['DNS', resolver ?? ''],
  ]
}

function peerEntries(self: Peer, other: Peer, prefixes: readonly string[], secrets: ConfigSecrets): Entry[] {
  const endpoint = endpointOf(other)
  const keepsAlive = endpoint !== '' || (self.is_jump && !other.is_jump)
  return [
    ['PublicKey', other.public_key],
    ['PresharedKey', secrets.presharedKey(...orderIds(self.id, other.id))],
    ['AllowedIPs', prefixes.join(', ')],
    ['Endpoint', endpoint],
    ['PersistentKeepalive', keepsAlive ? String(KEEPALIVE_SECONDS) : ''],
  ]
}

/**
 * What the tunnel from `self` to each other peer carries: the other's own addresses, the prefixes of the routes that
 * `self` uses through it, and the prefixes it carries by itself, each once. WireGuard gives a prefix to one peer only,
 * so nobody carries another's tunnel address, and of two routes to one prefix the first of `self`'s groups counts.
 */
function prefixesThrough(topology: Topology, self: Peer): (other: Peer) => string[] {
  const tunnels = known(present([topology.network.cidr, topology.network.cidr_v6]))
  const gateways = gatewaysOf(topology, self)
  return (other) => {
    const routed = [...gateways].filter(([, jumpId]) => jumpId === other.id).map(([prefix]) => prefix)
    const own = known(other.additional_allowed_ips).filter(
      (prefix) => !tunnels.some((tunnel) => isWithin(prefix, tunnel)),
    )
    return [...new Set([...hostsOf(other), ...routed, ...own.map(formatPrefix)])]
  }
}

/** The jump peer for each prefix that `self` has a route to. */
function gatewaysOf(topology: Topology, self: Peer): Map<string, string> {
  const hosts = new Set(topology.peers.flatMap(hostsOf))
  const gateways = new Map<string, string>()
  for (const { route } of compilePolicies(topology).routesOf(self.id)) {
    const destinations = known(present([route.destination_cidr, route.destination_cidr_v6])).map(formatPrefix)
    for (const prefix of destinations) {
      if (!hosts.has(prefix) && !gateways.has(prefix)) gateways.set(prefix, route.jump_peer_id)
    }
  }
  return gateways
}

/** A peer's own addresses as prefixes. */
function hostsOf(peer: Peer): string[] {
  const hosts = [peer.address && `${peer.address}/32`, peer.address_v6 && `${peer.address_v6}/128`]
  return known(present(hosts)).map(formatPrefix)
}

function known(texts: readonly string[]): Prefix[] {
  return texts.map(findPrefixLoosely).filter((prefix) => prefix !== undefined)
}

function endpointOf(peer: Peer): string {
  const endpoint = findEndpoint(peer.endpoint)
  if (!endpoint) return ''
  return formatEndpoint({ host: endpoint.host, port: endpoint.port ?? (peer.listen_port || DEFAULT_PORT) })
}

function section(title: string, name: string, entries: readonly Entry[]): string {
  const label = name.replace(/[^A-Za-z0-9._-]/g, '')
  const lines = entries.filter(([, value]) => value !== '').map(([key, value]) => `${key} = ${oneLine(value)}`)
  return [`[${title}]`, `# Name: ${label}`, ...lines, '', ''].join('\n')
}

/** Every value passes here, so that no field whatsoever can begin a new line. */
function oneLine(value: string): string {
  return value.replace(/[^ -~]/g, '')
}

function present(values: readonly (string | null)[]): string[] {
  return values.filter((value) => value !== null).filter((value) => value !== '')
}

function orderIds(a: string, b: string): [string, string] {
  return a < b ? [a, b] : [b, a]
}
