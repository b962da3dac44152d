import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Address,
  comparePrefixes,
  contains,
  findEndpoint,
  findPrefixLoosely,
  formatAddress,
  formatEndpoint,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parseEndpoint,
  parsePrefix,
  parsePrefixLoosely,
  prefixSize,
  tunnelAddress,
} from '../../src/core/address.ts'
import { AppError } from '../../src/errors.ts'

const WIDTH = { 4: 32, 6: 128 } as const

const address: fc.Arbitrary<Address> = fc.oneof(
  fc.record({ family: fc.constant(4 as const), value: fc.bigInt(0n, 2n ** 32n - 1n) }),
  fc.record({ family: fc.constant(6 as const), value: fc.bigInt(0n, 2n ** 128n - 1n) }),
)
const v6WithZeros = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .filter((groups) => !(groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff))
const prefix: fc.Arbitrary<Prefix> = fc
  .tuple(address, fc.nat(128))
  .map(([{ family, value }, n]) => maskSlowly({ family, value }, Math.min(n, WIDTH[family])))
  .filter(({ family, base }) => family === 4 || base >> 32n !== 0xffffn)
/** Prefixes of at most 64 addresses, close enough together to overlap often. */
const smallPrefix: fc.Arbitrary<Prefix> = fc
  .record({ family: fc.constantFrom(4 as const, 6 as const), value: fc.bigInt(0n, 255n), bits: fc.nat(6) })
  .map(({ family, value, bits }) => maskSlowly({ family, value }, WIDTH[family] - bits))

function maskSlowly({ family, value }: Address, length: number): Prefix {
  const kept = value.toString(2).padStart(WIDTH[family], '0').slice(0, length)
  return { family, base: BigInt(`0b${kept.padEnd(WIDTH[family], '0')}`), length }
}

function enumerate({ family, base, length }: Prefix): string[] {
  return Array.from({ length: 2 ** (WIDTH[family] - length) }, (_, i) => `${family}:${base + BigInt(i)}`)
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

describe('addresses', () => {
  test('formatting and parsing an address gives it back', () => {
    fc.assert(
      fc.property(address, (value) => {
        fc.pre(value.family === 4 || value.value >> 32n !== 0xffffn)
        expect(parseAddress(formatAddress(value.family, value.value))).toEqual(value)
      }),
    )
  })

  test('IPv6 text follows RFC 5952: the first longest run of zero groups is shortened, one group never is', () => {
    fc.assert(
      fc.property(v6WithZeros, (groups) => {
        const full = groups.map((group) => group.toString(16))
        const runs = full.flatMap((_, start) =>
          [8, 7, 6, 5, 4, 3, 2]
            .filter((length) => start + length <= 8 && full.slice(start, start + length).every((g) => g === '0'))
            .map((length) => ({ start, length })),
        )
        const run = runs.sort((a, b) => b.length - a.length || a.start - b.start)[0]
        const short = run
          ? `${full.slice(0, run.start).join(':')}::${full.slice(run.start + run.length).join(':')}`
          : full.join(':')
        const { family, value } = parseAddress(
          groups.map((g) => g.toString(16).padStart(4, '0').toUpperCase()).join(':'),
        )
        expect(formatAddress(family, value)).toBe(short)
      }),
    )
  })

  test.each([
    '',
    ' 10.0.0.1',
    '10.0.0.1\n',
    '010.0.0.1',
    '10.0.0',
    '10.0.0.256',
    '0x0a.0.0.1',
    '167772161',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:FFFF:a00:1',
    'fe80::1%eth0',
    '::00001',
    '1::2::3',
    '[::1]',
    '10.0.0.1/32',
  ])('%j is not an address', (text) => {
    expect(refusal(() => parseAddress(text)).code).toBe('invalid')
  })

  test('a peer is shown by its IPv4 address, by IPv6 where it has only that', () => {
    expect(tunnelAddress({ address: '10.0.0.1', address_v6: 'fd00::1' })).toBe('10.0.0.1')
    expect(tunnelAddress({ address: null, address_v6: 'fd00::1' })).toBe('fd00::1')
    expect(tunnelAddress({ address: null, address_v6: null })).toBe('')
  })
})

describe('prefixes', () => {
  test('formatting and parsing a prefix gives it back', () => {
    fc.assert(
      fc.property(prefix, (value) => {
        expect(parsePrefix(formatPrefix(value))).toEqual(value)
        expect(parsePrefixLoosely(formatPrefix(value))).toEqual(value)
        expect(findPrefixLoosely(formatPrefix(value))).toEqual(value)
      }),
    )
  })

  test('loose parsing zeroes exactly the host bits, and strict parsing refuses what it would have to change', () => {
    fc.assert(
      fc.property(address, fc.nat(128), (value, n) => {
        fc.pre(value.family === 4 || value.value >> 32n !== 0xffffn)
        const length = Math.min(n, WIDTH[value.family])
        const text = `${formatAddress(value.family, value.value)}/${length}`
        const masked = maskSlowly(value, length)
        expect(parsePrefixLoosely(text)).toEqual(masked)
        if (masked.base === value.value) expect(parsePrefix(text)).toEqual(masked)
        else expect(refusal(() => parsePrefix(text)).message).toContain(`did you mean ${formatPrefix(masked)}?`)
      }),
    )
  })

  test('two prefixes overlap exactly when they share an address', () => {
    fc.assert(
      fc.property(smallPrefix, smallPrefix, (a, b) => {
        const ours = new Set(enumerate(a))
        expect(overlaps(a, b)).toBe(enumerate(b).some((one) => ours.has(one)))
        expect(overlaps(b, a)).toBe(overlaps(a, b))
      }),
      { numRuns: 500 },
    )
  })

  test('a prefix contains exactly the addresses that it enumerates', () => {
    fc.assert(
      fc.property(smallPrefix, fc.constantFrom(4 as const, 6 as const), fc.bigInt(0n, 300n), (a, family, value) => {
        expect(contains(a, { family, value })).toBe(enumerate(a).includes(`${family}:${value}`))
        expect(prefixSize(a)).toBe(BigInt(enumerate(a).length))
      }),
      { numRuns: 500 },
    )
  })

  test('prefixes sort by family, first address and length', () => {
    const sorted = ['0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/16', '10.1.0.0/16', '::/0', 'fd00::/8', 'fd00::/64']
    fc.assert(
      fc.property(fc.shuffledSubarray(sorted), (some) => {
        const texts = some.map(parsePrefix).sort(comparePrefixes).map(formatPrefix)
        expect(texts).toEqual(sorted.filter((text) => some.includes(text)))
      }),
    )
  })

  test('a refusal says what is wrong and what to write instead', () => {
    expect(refusal(() => parsePrefix('10.0.0.5/24')).body).toEqual({
      error: '"10.0.0.5/24" has host bits set: did you mean 10.0.0.0/24?',
      code: 'invalid',
    })
    expect(refusal(() => parsePrefix('x')).message).toBe('"x" is not a CIDR such as 10.10.0.0/16')
    expect(refusal(() => parsePrefix('10.0.0.0/24\n# \u202e')).message).toBe(
      String.raw`"10.0.0.0/24\n# \u{202e}" is not a CIDR such as 10.10.0.0/16`,
    )
    expect(refusal(() => parsePrefix('1'.repeat(5000))).message.length).toBeLessThan(150)
  })

  test.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/+8',
    '10.0.0.0/8 ',
    '10.0.0.0 /8',
    '10.0.0.0/8\n',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '010.0.0.0/8',
    '/8',
    '::/129',
    '::/1000',
    'fe80::%eth0/64',
    '::ffff:0:0/96',
    '::ffff:10.0.0.0/104',
  ])('%j is not a CIDR', (text) => {
    expect(refusal(() => parsePrefix(text)).code).toBe('invalid')
    expect(refusal(() => parsePrefixLoosely(text)).code).toBe('invalid')
    expect(findPrefixLoosely(text)).toBeUndefined()
  })
})

describe('endpoints', () => {
  test.each([
    ['203.0.113.5:51820', '203.0.113.5', 51820, '203.0.113.5:51820'],
    ['203.0.113.5', '203.0.113.5', null, '203.0.113.5'],
    ['vpn.example.com', 'vpn.example.com', null, 'vpn.example.com'],
    ['vpn.example.com:1', 'vpn.example.com', 1, 'vpn.example.com:1'],
    ['Hub-1:65535', 'Hub-1', 65535, 'Hub-1:65535'],
    ['[2001:DB8::1]:51820', '2001:db8::1', 51820, '[2001:db8::1]:51820'],
    ['[2001:db8::1]', '2001:db8::1', null, '[2001:db8::1]'],
    ['2001:db8::1', '2001:db8::1', null, '[2001:db8::1]'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, null, `${'a'.repeat(63)}.example`],
  ])('%s is an endpoint', (text, host, port, formatted) => {
    expect(parseEndpoint(text)).toEqual({ host, port })
    expect(formatEndpoint(parseEndpoint(text))).toBe(formatted)
  })

  test.each([
    '',
    ' ',
    'host:',
    ':51820',
    'host:0',
    'host:080',
    'host:65536',
    'host:123456',
    'host:port',
    'host:1:2',
    'host name',
    'host\n',
    'host\nPostUp = id',
    'host:51820\n',
    'host\r',
    'host\0',
    'host\t',
    'host#comment',
    'host;id',
    '"host"',
    "'host'",
    'a_b',
    '-host',
    'host-',
    'host.',
    '.host',
    'a..b',
    'ho\u00dft',
    `${'a'.repeat(64)}.example`,
    Array.from({ length: 64 }, () => 'abc').join('.'),
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '127.1',
    '2130706433',
    '0x7f000001',
    '1.2.3.0x4',
    '[1.2.3.4]:5',
    '[host]:5',
    '[2001:db8::1',
    '2001:db8::1]:5',
    '[2001:db8::1]x',
    '[2001:db8::1]:',
    '[fe80::1%eth0]:5',
    'fe80::1%eth0',
    '::ffff:1.2.3.4',
    '2001:db8::1:51820',
  ])('%j is not an endpoint', (text) => {
    expect(refusal(() => parseEndpoint(text)).code).toBe('invalid')
    expect(findEndpoint(text)).toBeUndefined()
  })

  test('formatting and parsing an endpoint gives it back', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom('2001:db8::1', '::1', 'fd00::a:b'))
    const port = fc.option(fc.integer({ min: 1, max: 65535 }))
    fc.assert(
      fc.property(fc.record({ host, port }), (endpoint) => {
        expect(parseEndpoint(formatEndpoint(endpoint))).toEqual(endpoint)
      }),
    )
  })
})

describe('hostile text', () => {
  const spices = [
    '\n',
    '\r',
    '\0',
    '\t',
    ' ',
    '#',
    '"',
    "'",
    '%',
    '\u2028',
    '\u0085',
    '=',
    '[',
    ']',
    ':',
    '/',
    ',',
    ';',
  ]
  const piece = fc.oneof(
    fc.constantFrom('10.0.0.0', '/8', '2001:db8::1', ':51820', 'host', '.example', 'PostUp = id', ...spices),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  const hostile = fc.oneof(
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
    fc
      .tuple(
        fc.constantFrom('host:51820', '[::1]:5', '10.0.0.0/8', '::/0', '10.0.0.1'),
        fc.constantFrom(...spices),
        fc.nat(10),
      )
      .map(([text, spice, at]) => text.slice(0, at) + spice + text.slice(at)),
  )

  test('no accepted endpoint and no refusal carries anything but plain one-line text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const endpoint = findEndpoint(text)
        if (endpoint) expect(text + formatEndpoint(endpoint)).toMatch(/^[A-Za-z0-9.:[\]-]+$/)
        else expect(refusal(() => parseEndpoint(text)).message).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+$/u)
      }),
      { numRuns: 3000 },
    )
  })

  test('no accepted CIDR and no refusal carries anything but plain one-line text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const found = findPrefixLoosely(text)
        if (found) expect(text + formatPrefix(found)).toMatch(/^[0-9A-Fa-f.:/]+$/)
        else expect(refusal(() => parsePrefix(text)).message).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+$/u)
      }),
      { numRuns: 3000 },
    )
  })
})
