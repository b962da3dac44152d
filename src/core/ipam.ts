import { AppError } from '../errors.ts'
import {
  comparePrefixes,
  contains,
  formatAddress,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  prefixSize,
} from './address.ts'

/** What to look for: `count` free prefixes inside `base` that each hold `maxPeers` peers. */
export interface PrefixWish {
  readonly base: Prefix
  /** Prefixes in use; may overlap one another and lie outside `base`. */
  readonly taken: readonly Prefix[]
  readonly maxPeers: number
  readonly count: number
}

/** Free prefixes, lowest first. */
export interface PrefixSuggestion {
  readonly suggested_prefix: number
  readonly usable_hosts: number
  readonly cidrs: string[]
}

/**
 * How many peers a prefix holds. Usable are the host numbers 1 to this number: host 0 is the network address,
 * and IPv4 reserves its last address for broadcast.
 */
export function usableHosts(prefix: Prefix): bigint {
  const reserved = prefix.family === 4 ? 2n : 1n
  const size = prefixSize(prefix)
  return size > reserved ? size - reserved : 0n
}

/** The highest host number to allocate, 0 for none. It is a safe integer: larger IPv6 prefixes are not used up to their end. */
export function lastUsableHost(prefix: Prefix): bigint {
  const usable = usableHosts(prefix)
  const safe = BigInt(Number.MAX_SAFE_INTEGER)
  return usable < safe ? usable : safe
}

/** The address of a host number: `host` places after the start of `prefix`. */
export function hostAddress(prefix: Prefix, host: number): string {
  if (!Number.isSafeInteger(host) || host < 0 || BigInt(host) >= prefixSize(prefix)) {
    throw new RangeError(`host ${host} is not in ${formatPrefix(prefix)}`)
  }
  return formatAddress(prefix.family, prefix.base + BigInt(host))
}

/** The host number of an address: the inverse of `hostAddress`. Throws `invalid` for an address that has none. */
export function hostNumber(prefix: Prefix, address: string): number {
  const parsed = parseAddress(address)
  if (!contains(prefix, parsed)) throw new AppError('invalid', `${address} is not within ${formatPrefix(prefix)}`)
  const host = parsed.value - prefix.base
  if (host <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(host)
  throw new AppError('invalid', `${address} is too far from the start of ${formatPrefix(prefix)} to be allocated`)
}

/** Throws `invalid` for a prefix that has no usable address: IPv4 /31 and /32, IPv6 /128. */
export function assertUsable(prefix: Prefix): void {
  if (usableHosts(prefix) > 0n) return
  const longest = prefix.family === 4 ? 30 : 127
  throw new AppError('invalid', `${formatPrefix(prefix)} has no usable address for a peer: use /${longest} or shorter`)
}

/**
 * Finds the lowest free prefixes for networks of `maxPeers` peers. Costs a sort of `taken`, however many prefixes
 * `base` could be split into. Throws `invalid` when one would not fit in `base`, or when fewer than `count` are free.
 */
export function suggestPrefixes(wish: PrefixWish): PrefixSuggestion {
  const length = suggestedLength(wish)
  const size = 1n << BigInt(32 - length)
  const cidrs = freeBlocks(wish, size)
    .take(wish.count)
    .map((base) => formatPrefix({ family: 4, base, length }))
    .toArray()
  if (cidrs.length === wish.count) return { suggested_prefix: length, usable_hosts: Number(size) - 2, cidrs }
  const found = `${formatPrefix(wish.base)} has ${cidrs.length} free /${length} prefixes`
  throw new AppError('invalid', `${found}, ${wish.count} were asked for: ask for fewer or choose another base`)
}

function suggestedLength({ base, maxPeers, count }: PrefixWish): number {
  const shown = formatPrefix(base)
  if (base.family === 6) {
    throw new AppError('invalid', `${shown} is IPv6: suggestions need an IPv4 base such as 10.0.0.0/8`)
  }
  for (const [name, number] of Object.entries({ 'number of peers': maxPeers, count })) {
    if (!Number.isSafeInteger(number) || number < 1) throw new AppError('invalid', `${name} must be a positive integer`)
  }
  const usable = usableHosts(base)
  if (BigInt(maxPeers) > usable) {
    throw new AppError('invalid', `${shown} holds ${usable} peers at most, ${maxPeers} were asked for`)
  }
  let length = 30
  while (2 ** (32 - length) - 2 < maxPeers) length--
  return length
}

/** First addresses of the aligned blocks of `size` in `base` that touch nothing taken, in ascending order. */
function* freeBlocks({ base, taken }: PrefixWish, size: bigint): Generator<bigint, undefined> {
  let next = base.base
  for (const prefix of taken.filter((other) => overlaps(base, other)).sort(comparePrefixes)) {
    for (; next + size <= prefix.base; next += size) yield next
    const free = prefix.base + prefixSize(prefix)
    if (free > next) next = ((free + size - 1n) / size) * size
  }
  for (const end = base.base + prefixSize(base); next + size <= end; next += size) yield next
}
