import { z } from 'zod'
import { parseAddress, parseEndpoint, parsePrefix, parsePrefixLoosely } from '../core/address.ts'
import { AppError } from '../errors.ts'

/** Ids that assistants may give as a name instead. `ref` says which noun. */
export type Reference = 'network' | 'peer' | 'user' | 'incident' | 'token'

const id = (ref: Reference, description: string) => z.string().min(1).max(255).describe(description).meta({ ref })

export const NetworkId = id('network', 'Network')
export const PeerId = id('peer', 'Peer')
export const UserId = id('user', 'User')
export const IncidentId = id('incident', 'Incident')
export const TokenId = id('token', 'API token')

/** RFC 3339 UTC text. `format` instead of a pattern keeps the schema small. */
export const Timestamp = z.string().meta({ format: 'date-time' })

/** One DNS label: lower-case letters, digits and hyphens, at most 63. Source: RFC 1035, section 2.3.1. */
export const DnsLabel = z.string().superRefine(refine(checkLabel))

/** Dot-separated DNS labels, at most 253 characters. */
export const DnsName = z.string().superRefine(refine(checkName))

/** A network address with prefix length, host bits zero. */
export const Cidr = z.string().superRefine(refine(parsePrefix))

/** An address with prefix length; host bits are dropped where it is used. */
export const AllowedIp = z.string().superRefine(refine(parsePrefixLoosely))

/** An IPv4 or IPv6 address. */
export const IpAddress = z.string().superRefine(refine(parseAddress))

/** `host`, `host:port` or `[v6]:port`; empty for unknown. */
export const Endpoint = z.string().superRefine(refine((text) => text === '' || parseEndpoint(text)))

/** UDP port, 0 for any. */
export const Port = z.int().min(0).max(65_535)

/** A field that may be left out or empty: forms send the empty string for what was left alone. */
export function optional(field: z.ZodString) {
  const orEmpty = z.string().superRefine((text, context) => {
    if (text === '') return
    for (const issue of field.safeParse(text).error?.issues ?? [])
      context.addIssue({ code: 'custom', message: issue.message })
  })
  return orEmpty.optional()
}

/** Text on one line. */
export const Line = (max: number) => z.string().max(max).superRefine(refine(checkLine))

/** A list page; numbers out of range are moved into it. */
export const pageFields = (max: number) => ({
  page: z.int().optional().describe('Page, from 1'),
  page_size: z.int().optional().describe(`Rows per page, at most ${max}; 20 unless given`),
})

/** One page of `item`. */
export const PageOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), total: z.int(), page: z.int(), page_size: z.int() })

/** A value that programs need and a model must not see: left out of every tool result and input. */
export const Secret = z.string().meta({ secret: true })

/** WireGuard configuration text: tool results carry it with its keys hidden. */
export const ConfigText = z.string().meta({ secret: 'wireguard' })

/** Runs a core parser as a check: what it refuses becomes an issue with its message. */
function refine(parse: (text: string) => unknown) {
  return (text: string, context: z.RefinementCtx) => {
    try {
      parse(text)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
    }
  }
}

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

function checkLabel(text: string): void {
  if (text.length > 63) throw new AppError('invalid', 'a name has at most 63 characters')
  if (!LABEL.test(text)) {
    throw new AppError(
      'invalid',
      'use lower-case letters, digits and hyphens, with no hyphen at either end (a DNS label)',
    )
  }
}

function checkName(text: string): void {
  if (text.length > 253) throw new AppError('invalid', 'a DNS name has at most 253 characters')
  for (const label of text.split('.')) checkLabel(label)
}

function checkLine(text: string): void {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new AppError('invalid', 'use one line of text without control characters')
  }
}
