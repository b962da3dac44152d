import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAddress, formatPrefix, overlaps, type Prefix, parsePrefix, prefixSize } from '../../src/core/address.ts'
import {
  assertUsable,
  hostAddress,
  hostNumber,
  lastUsableHost,
  suggestPrefixes,
  usableHosts,
} from '../../src/core/ipam.ts'
import { AppError } from '../../src/errors.ts'

function suggest(base: string, taken: readonly string[], maxPeers: number, count: number) {
  return suggestPrefixes({ base: parsePrefix(base), taken: taken.map(parsePrefix), maxPeers, count })
}

function refusal(act: () => unknown): AppError {
  try {
    act()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('was accepted')
}

/** IPv4 prefixes inside 10.0.0.0/23, the second half of which is outside the base of the property tests. */
const nearby: fc.Arbitrary<Prefix> = fc
  .record({ length: fc.integer({ min: 22, max: 32 }), at: fc.nat(511) })
  .map(({ length, at }) => {
    const size = 2 ** (32 - length)
    return { family: 4, base: 0x0a000000n + BigInt(at - (at % size)), length }
  })

describe('host numbers', () => {
  test.each([
    ['10.0.0.0/8', 16777214n, 16777214n],
    ['10.0.0.0/24', 254n, 254n],
    ['10.0.0.0/30', 2n, 2n],
    ['10.0.0.0/31', 0n, 0n],
    ['10.0.0.0/32', 0n, 0n],
    ['fd00::/64', 2n ** 64n - 1n, BigInt(Number.MAX_SAFE_INTEGER)],
    ['fd00::/75', 2n ** 53n - 1n, BigInt(Number.MAX_SAFE_INTEGER)],
    ['fd00::/76', 2n ** 52n - 1n, 2n ** 52n - 1n],
    ['fd00::/127', 1n, 1n],
    ['fd00::/128', 0n, 0n],
  ])('%s holds %s peers, the last one at host %s', (text, usable, last) => {
    expect(usableHosts(parsePrefix(text))).toBe(usable)
    expect(lastUsableHost(parsePrefix(text))).toBe(last)
  })

  test('usable are the addresses that are neither first nor, in IPv4, last', () => {
    const prefix = fc.tuple(fc.constantFrom(['10.0.0.0', 32], ['fd00::', 128]), fc.nat(8))
    fc.assert(
      fc.property(prefix, ([[base, width], bits]) => {
        const parsed = parsePrefix(`${base}/${Number(width) - bits}`)
        const all = Array.from({ length: 2 ** bits }, (_, i) => formatAddress(parsed.family, parsed.base + BigInt(i)))
        const usable = parsed.family === 4 ? all.slice(1, -1) : all.slice(1)
        const hosts = Array.from({ length: Number(lastUsableHost(parsed)) }, (_, i) => hostAddress(parsed, i + 1))
        expect(hosts).toEqual(usable)
        expect(BigInt(usable.length)).toBe(usableHosts(parsed))
      }),
    )
  })

  test('the host number of a host address is the number it was made from', () => {
    const prefix = fc
      .constantFrom('10.0.0.0/8', '192.168.7.128/25', 'fd00::/64', '2001:db8::/32', '::/0')
      .map(parsePrefix)
    fc.assert(
      fc.property(prefix, fc.maxSafeNat(), (parsed, n) => {
        const size = prefixSize(parsed)
        const host = BigInt(n) < size ? n : Number(BigInt(n) % size)
        fc.pre(parsed.base !== 0n || BigInt(host) >> 32n !== 0xffffn)
        expect(hostNumber(parsed, hostAddress(parsed, host))).toBe(host)
      }),
    )
  })

  test('an address outside the prefix has no host number, nor has one beyond the safe integers', () => {
    expect(refusal(() => hostNumber(parsePrefix('10.0.0.0/24'), '10.0.1.0')).message).toBe(
      '10.0.1.0 is not within 10.0.0.0/24',
    )
    expect(refusal(() => hostNumber(parsePrefix('10.0.0.0/24'), 'fd00::1')).code).toBe('invalid')
    expect(hostNumber(parsePrefix('fd00::/64'), 'fd00::1f:ffff:ffff:ffff')).toBe(Number.MAX_SAFE_INTEGER)
    expect(refusal(() => hostNumber(parsePrefix('fd00::/64'), 'fd00::20:0:0:0')).code).toBe('invalid')
  })

  test.each([-1, 256, 1.5, Number.NaN, 2 ** 53])('%d is no host of a /24', (host) => {
    expect(() => hostAddress(parsePrefix('10.0.0.0/24'), host)).toThrow(RangeError)
  })

  test('a prefix without room for one peer is refused', () => {
    for (const text of ['10.0.0.0/30', 'fd00::/127', 'fd00::/64'])
      expect(() => assertUsable(parsePrefix(text))).not.toThrow()
    expect(refusal(() => assertUsable(parsePrefix('10.0.0.0/31'))).body).toEqual({
      error: '10.0.0.0/31 has no usable address for a peer: use /30 or shorter',
      code: 'invalid',
    })
    expect(refusal(() => assertUsable(parsePrefix('10.0.0.1/32'))).code).toBe('invalid')
    expect(refusal(() => assertUsable(parsePrefix('fd00::/128'))).message).toBe(
      'fd00::/128 has no usable address for a peer: use /127 or shorter',
    )
  })
})

describe('suggested prefixes', () => {
  test('the documented example holds', () => {
    expect(suggest('10.0.0.0/8', [], 50, 2)).toEqual({
      suggested_prefix: 26,
      usable_hosts: 62,
      cidrs: ['10.0.0.0/26', '10.0.0.64/26'],
    })
  })

  test.each([
    [1, 30],
    [2, 30],
    [3, 29],
    [6, 29],
    [7, 28],
    [50, 26],
    [254, 24],
    [255, 23],
    [2 ** 31, 0],
    [2 ** 32 - 2, 0],
  ])('%d peers need a /%d', (maxPeers, length) => {
    expect(suggest('0.0.0.0/0', [], maxPeers, 1)).toEqual({
      suggested_prefix: length,
      usable_hosts: 2 ** (32 - length) - 2,
      cidrs: [`0.0.0.0/${length}`],
    })
  })

  test('they are the lowest aligned blocks of the base that overlap nothing taken', () => {
    const base = parsePrefix('10.0.0.0/24')
    fc.assert(
      fc.property(
        fc.array(nearby, { maxLength: 8 }),
        fc.integer({ min: 1, max: 254 }),
        fc.integer({ min: 1, max: 70 }),
        (taken, maxPeers, count) => {
          let length = 30
          while (2 ** (32 - length) - 2 < maxPeers) length--
          const size = 2 ** (32 - length)
          const free = Array.from({ length: 256 / size }, (_, i) => ({
            ...base,
            base: base.base + BigInt(i * size),
            length,
          }))
            .filter((block) => !taken.some((other) => overlaps(block, other)))
            .map(formatPrefix)
          const before = structuredClone(taken)
          if (free.length >= count) {
            const cidrs = free.slice(0, count)
            expect(suggestPrefixes({ base, taken, maxPeers, count })).toEqual({
              suggested_prefix: length,
              usable_hosts: size - 2,
              cidrs,
            })
          } else {
            const error = refusal(() => suggestPrefixes({ base, taken, maxPeers, count }))
            expect(error.code).toBe('invalid')
            expect(error.message).toContain(`has ${free.length} free /${length} prefixes`)
          }
          expect(taken).toEqual(before)
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('the base itself is suggested while it is free, and asking does not take it', () => {
    expect(suggest('10.0.0.0/24', [], 254, 1).cidrs).toEqual(['10.0.0.0/24'])
    expect(suggest('10.0.0.0/24', ['10.0.1.0/24', 'fd00::/64'], 254, 1).cidrs).toEqual(['10.0.0.0/24'])
    expect(refusal(() => suggest('10.0.0.0/24', ['10.0.0.0/24'], 254, 1)).code).toBe('invalid')
  })

  test('a large neighbour and very many small ones are passed without probing each candidate', () => {
    expect(suggest('10.0.0.0/8', ['10.0.0.0/9'], 1, 1).cidrs).toEqual(['10.128.0.0/30'])
    const taken = Array.from({ length: 50_000 }, (_, i) => ({
      family: 4 as const,
      base: 0x0a000000n + BigInt(i * 8),
      length: 30,
    }))
    const { cidrs } = suggestPrefixes({
      base: parsePrefix('10.0.0.0/8'),
      taken: taken.reverse(),
      maxPeers: 6,
      count: 20,
    })
    expect(cidrs[0]).toBe('10.6.26.128/29')
  })

  test('a wish that cannot be met is refused with the numbers', () => {
    expect(refusal(() => suggest('10.0.0.0/24', [], 255, 1)).body).toEqual({
      error: '10.0.0.0/24 holds 254 peers at most, 255 were asked for',
      code: 'invalid',
    })
    expect(refusal(() => suggest('10.0.0.0/31', [], 1, 1)).code).toBe('invalid')
    expect(refusal(() => suggest('0.0.0.0/0', [], 2 ** 32 - 1, 1)).code).toBe('invalid')
    expect(refusal(() => suggest('10.0.0.0/24', ['10.0.0.0/25'], 100, 2)).body).toEqual({
      error: '10.0.0.0/24 has 1 free /25 prefixes, 2 were asked for: ask for fewer or choose another base',
      code: 'invalid',
    })
    expect(refusal(() => suggest('fd00::/48', [], 1, 1)).message).toBe(
      'fd00::/48 is IPv6: suggestions need an IPv4 base such as 10.0.0.0/8',
    )
    for (const bad of [0, -1, 1.5, Number.NaN]) {
      expect(refusal(() => suggest('10.0.0.0/8', [], bad, 1)).code).toBe('invalid')
      expect(refusal(() => suggest('10.0.0.0/8', [], 1, bad)).code).toBe('invalid')
    }
  })
})
