import { z } from 'zod'
import { parseAddress, parseEndpoint, parsePrefix, parsePrefixLoosely } from '../core/address.ts'
import { AppError } from '../errors.ts'
import { DEFAULT_SIZE } from './page-request.ts'
import * as syntax from './syntax.ts'

/** Ids that assistants may give as a name instead. `ref` says which noun. */
export type Reference =
  | 'network'
  | 'peer'
  | 'group'
  | 'policy'
  | 'rule'
  | 'route'
  | 'mapping'
  | 'user'
  | 'incident'
  | 'token'

const id = (ref: Reference, description: string) => z.string().min(1).max(255).describe(description).meta({ ref })

export const NetworkId = id('network', 'Network')
export const PeerId = id('peer', 'Peer')
export const GroupId = id('group', 'Group')
export const PolicyId = id('policy', 'Policy')
export const RuleId = id('rule', 'Rule')
export const RouteId = id('route', 'Route')
export const MappingId = id('mapping', 'DNS mapping')
export const UserId = id('user', 'User')
export const IncidentId = id('incident', 'Incident')
export const TokenId = id('token', 'API token id, not the token')

/** RFC 3339 UTC text. `format` instead of a pattern keeps the schema small. */
export const Timestamp = z.string().meta({ format: 'date-time' })

/** One DNS label: lower-case letters, digits and hyphens, at most 63. Source: RFC 1035, section 2.3.1. */
export const DnsLabel = z.string().superRefine(refine(checkLabel)).meta(syntax.DNS_LABEL)

/** Dot-separated DNS labels, at most 253 characters. */
export const DnsName = z.string().superRefine(refine(checkName)).meta(syntax.DNS_NAME)

/** Name of a host behind a route: one label, upper case allowed, or a wildcard `*` or `*.label`. */
export const MappingName = z.string().superRefine(refine(checkMappingName)).meta(syntax.MAPPING_NAME)

/** DNS suffix of a route: letters, digits, hyphens and dots, upper case allowed. */
export const RouteSuffix = z.string().superRefine(refine(checkSuffix)).meta(syntax.ROUTE_SUFFIX)

/** A network address with prefix length, host bits zero. */
export const Cidr = z.string().superRefine(refine(parsePrefix)).meta(syntax.CIDR)

/** An address with prefix length; host bits are dropped where it is used. */
export const AllowedIp = z.string().superRefine(refine(parsePrefixLoosely)).meta(syntax.CIDR)

/** An IPv4 or IPv6 address. */
export const IpAddress = z.string().superRefine(refine(parseAddress)).meta(syntax.IP_ADDRESS)

/** `host`, `host:port` or `[v6]:port`; empty for unknown. */
export const Endpoint = z
  .string()
  .superRefine(refine((text) => text === '' || parseEndpoint(text)))
  .meta(syntax.ENDPOINT)

/** UDP port, 0 for any. */
export const Port = z.int().min(0).max(65_535)

/** A field that may be left out or empty: forms send the empty string for what was left alone. */
export function optional(field: z.ZodString) {
  const orEmpty = z.string().superRefine((text, context) => {
    if (text === '') return
    for (const issue of field.safeParse(text).error?.issues ?? [])
      context.addIssue({ code: 'custom', message: issue.message })
  })
  return orEmpty.meta(syntax.orEmpty(field.meta()?.openapi)).optional()
}

/** Text on one line. */
export const Line = (max: number) => z.string().max(max).superRefine(refine(checkLine)).meta(syntax.LINE)

/** A list page; numbers out of range are moved into it. */
export const pageFields = (max: number) => ({
  page: z.int().optional().describe('Page, from 1').meta(syntax.FIRST_PAGE),
  page_size: z
    .int()
    .optional()
    .describe(`Rows per page, at most ${max}; ${DEFAULT_SIZE} unless given`)
    .meta(syntax.rowsPerPage(DEFAULT_SIZE)),
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

const HOST_LABEL = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const MAPPING_NAME = new RegExp(`^(${HOST_LABEL}|\\*|\\*(\\.${HOST_LABEL})+)$`)
const ROUTE_SUFFIX = new RegExp(`^${HOST_LABEL}(\\.${HOST_LABEL})*$`)

function checkMappingName(text: string): void {
  if (text.length > 253 || !MAPPING_NAME.test(text)) {
    throw new AppError(
      'invalid',
      'use a DNS label of letters, digits and hyphens, at most 63 characters, or a wildcard *',
    )
  }
}

function checkSuffix(text: string): void {
  if (text.length > 253 || !ROUTE_SUFFIX.test(text)) {
    throw new AppError('invalid', 'use DNS labels of letters, digits and hyphens, separated by dots')
  }
}

function checkLine(text: string): void {
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/u.test(text)) {
    throw new AppError('invalid', 'use one line of text without control or direction characters')
  }
}
