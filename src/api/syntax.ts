/**
 * What the checks of `fields.ts` look like in JSON Schema. Only the description of the API shows it: tools stay small.
 * The checks decide; a pattern may let through what they refuse, never the other way round.
 */
type Syntax = { readonly openapi: Readonly<Record<string, unknown>> }

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const HOST = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const PREFIX = '^([0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*/[0-9]{1,3})$'

const written = (openapi: Syntax['openapi']): Syntax => ({ openapi })

export const DNS_LABEL = written({ pattern: `^${LABEL}$`, minLength: 1, maxLength: 63 })
export const DNS_NAME = written({ pattern: `^${LABEL}(\\.${LABEL})*$`, minLength: 1, maxLength: 253 })
export const MAPPING_NAME = written({ pattern: `^(${HOST}|\\*|\\*(\\.${HOST})+)$`, minLength: 1, maxLength: 253 })
export const ROUTE_SUFFIX = written({ pattern: `^${HOST}(\\.${HOST})*$`, minLength: 1, maxLength: 253 })
export const CIDR = written({ format: 'cidr', pattern: PREFIX })
export const IP_ADDRESS = written({ anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] })
export const ENDPOINT = written({ pattern: '^([A-Za-z0-9.:-]+|\\[[0-9A-Fa-f:.]+\\](:[1-9][0-9]{0,4})?)?$' })
export const LINE = written({ pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$' })
export const FIRST_PAGE = written({ default: 1 })

/** How many rows a page has unless a number is given. */
export const rowsPerPage = (rows: number): Syntax => written({ default: rows })

/** The syntax of a field marked with one of the above, or the empty string. */
export function orEmpty(mark: unknown): Syntax {
  const inner = typeof mark === 'object' && mark !== null ? mark : {}
  return written({ anyOf: [{ maxLength: 0 }, inner] })
}
