import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AppError, quoted } from '../errors.ts'
import type { Peer } from './topology.ts'

/** IP version. */
export type Family = 4 | 6

/** An IP address as a number. */
export interface Address {
  readonly family: Family
  readonly value: bigint
}

/** A range of addresses: `base` is its first address, all bits after `length` are zero. */
export interface Prefix {
  readonly family: Family
  readonly base: bigint
  readonly length: number
}

/** Where a WireGuard host listens: `host` is IPv4, canonical IPv6 without brackets, or a DNS hostname. */
export interface Endpoint {
  readonly host: string
  readonly port: number | null
}

const BITS = { 4: 32, 6: 128 } as const

/** Parses an address. IPv4-mapped IPv6, zone ids and leading zeros in IPv4 are refused. Throws `invalid`. */
export function parseAddress(text: string): Address {
  const address = findAddress(text)
  if (!address) throw new AppError('invalid', `${quoted(text)} is not an IP address such as 10.10.0.1 or fd00::1`)
  return address
}

/** Canonical text of an address: dotted decimal, or RFC 5952. */
export function formatAddress(family: Family, value: bigint): string {
  if (family === 4) return bytesOf(value, 4).join('.')
  return new ipaddr.IPv6(bytesOf(value, 16)).toRFC5952String()
}

/** Parses a CIDR whose host bits must be zero. Throws `invalid`. */
export function parsePrefix(text: string): Prefix {
  const { address, length } = readCidr(text)
  const prefix = maskTo(address, length)
  if (prefix.base === address.value) return prefix
  throw new AppError('invalid', `${quoted(text)} has host bits set: did you mean ${formatPrefix(prefix)}?`)
}

/** Parses a CIDR and zeroes its host bits: what WireGuard itself does to allowed IPs. Throws `invalid`. */
export function parsePrefixLoosely(text: string): Prefix {
  const { address, length } = readCidr(text)
  return maskTo(address, length)
}

/** Like `parsePrefixLoosely`, but undefined for what is not a CIDR. */
export function findPrefixLoosely(text: string): Prefix | undefined {
  const cidr = findCidr(text)
  return cidr && maskTo(cidr.address, cidr.length)
}

/** Canonical CIDR text. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.family, prefix.base)}/${prefix.length}`
}

/** How many addresses a prefix has, reserved ones included. */
export function prefixSize(prefix: Prefix): bigint {
  return 1n << BigInt(BITS[prefix.family] - prefix.length)
}

/** Whether two prefixes share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  if (a.family !== b.family) return false
  const shift = BigInt(BITS[a.family] - Math.min(a.length, b.length))
  return a.base >> shift === b.base >> shift
}

/** Whether all of `inner` lies in `outer`. */
export function isWithin(inner: Prefix, outer: Prefix): boolean {
  return inner.length >= outer.length && overlaps(outer, inner)
}

/** Address space that anybody may use within a site. Source: RFC 1918, RFC 6598 (shared), RFC 4193 (unique local). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']

/** Whether all of `prefix` is private address space. */
export function isPrivate(prefix: Prefix): boolean {
  return PRIVATE.some((text) => isWithin(prefix, parsePrefix(text)))
}

/** Whether `address` lies in `prefix`. */
export function contains(prefix: Prefix, address: Address): boolean {
  return overlaps(prefix, { family: address.family, base: address.value, length: BITS[address.family] })
}

/** Sorts by family, then first address, then length (shorter first). */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family
  if (a.base !== b.base) return a.base < b.base ? -1 : 1
  return a.length - b.length
}

/** The address by which a peer is shown: IPv4, or IPv6 for a peer that has only that; empty without either. */
export function tunnelAddress(peer: Pick<Peer, 'address' | 'address_v6'>): string {
  return peer.address ?? peer.address_v6 ?? ''
}

/**
 * Parses `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address (whose last group is never a port).
 * Throws `invalid` for all else, so that no endpoint can carry a second line or a comment into a configuration file.
 */
export function parseEndpoint(text: string): Endpoint {
  const endpoint = findEndpoint(text)
  if (endpoint) return endpoint
  throw new AppError(
    'invalid',
    `${quoted(text)} is not an endpoint such as vpn.example.com:51820 or [2001:db8::1]:51820`,
  )
}

/** Like `parseEndpoint`, but undefined for what is not an endpoint. */
export function findEndpoint(text: string): Endpoint | undefined {
  const bare = findV6(text)
  if (bare) return { host: bare, port: null }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))(?::([1-9][0-9]{0,4}))?$/.exec(text)
  if (!match) return undefined
  const [, v6, name, digits] = match
  const host = v6 === undefined ? findHost(name ?? '') : findV6(v6)
  const port = digits === undefined ? null : Number(digits)
  if (host === undefined || (port !== null && port > 65535)) return undefined
  return { host, port }
}

/** Text of an endpoint; IPv6 hosts in brackets, with or without a port. */
export function formatEndpoint(endpoint: Endpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return endpoint.port === null ? host : `${host}:${endpoint.port}`
}

function findAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: numberOf(text.split('.').map(Number)) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const value = numberOf(ipaddr.IPv6.parse(text).toByteArray())
  return value >> 32n === 0xffffn ? undefined : { family: 6, value }
}

function findCidr(text: string): { address: Address; length: number } | undefined {
  const [, host, digits] = /^([0-9a-fA-F:.]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? []
  const address = host === undefined ? undefined : findAddress(host)
  const length = Number(digits)
  return address && length <= BITS[address.family] ? { address, length } : undefined
}

function readCidr(text: string): { address: Address; length: number } {
  const cidr = findCidr(text)
  if (!cidr) throw new AppError('invalid', `${quoted(text)} is not a CIDR such as 10.10.0.0/16`)
  return cidr
}

function maskTo({ family, value }: Address, length: number): Prefix {
  const shift = BigInt(BITS[family] - length)
  return { family, base: (value >> shift) << shift, length }
}

function findV6(text: string): string | undefined {
  const address = findAddress(text)
  return address?.family === 6 ? formatAddress(6, address.value) : undefined
}

/** A name whose last label is a number would be read as an IPv4 address by resolvers, in odd forms such as `127.1` too. */
function findHost(text: string): string | undefined {
  const labels = text.split('.')
  if (/^(?:[0-9]+|0[xX][0-9a-fA-F]*)$/.test(labels.at(-1) ?? '')) return isIPv4(text) ? text : undefined
  const named = labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
  return named && text.length <= 253 ? text : undefined
}

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function bytesOf(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * (count - 1 - i))) & 0xffn))
}
