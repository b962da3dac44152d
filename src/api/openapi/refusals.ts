import { z } from 'zod'
import { AppError, ERROR_CODES, type ErrorCode } from '../../errors.ts'
import type { JsonSchema } from './schemas.ts'

/** HTTP statuses with which a request is refused. */
export type RefusalStatus = keyof typeof REFUSALS

/** What every refusal carries. */
const ErrorBody = z.object({
  error: z.string().describe('What is wrong and what to do, for people'),
  code: z.enum(ERROR_CODES).describe('The same as a word that programs may rely on'),
  details: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .optional()
    .describe('Ids and names of what is in the way, for programs'),
})

interface Refusal {
  /** Name among the document's components. */
  readonly name: string
  readonly description: string
  readonly code: ErrorCode
  /** An error text as an example. */
  readonly error: string
  readonly header?: readonly [name: string, description: string]
}

const REFUSALS = {
  400: {
    name: 'BadRequest',
    description: 'Something in the request is malformed, or contradicts the data',
    code: 'invalid',
    error: 'listen_port: Too big: expected number to be <=65535',
  },
  401: {
    name: 'Unauthenticated',
    description: 'The credential is missing, wrong or has expired',
    code: 'unauthenticated',
    error: 'sign in, or send an API token',
    header: ['WWW-Authenticate', 'How to authenticate'],
  },
  403: {
    name: 'Forbidden',
    description: "The caller's role lacks the permission, or a page of another site sent the request",
    code: 'forbidden',
    error: 'administrator role required for create_network',
  },
  404: {
    name: 'NotFound',
    description: 'There is no such thing, or the caller may not see it',
    code: 'not_found',
    error: 'no network "net-uuid"',
  },
  405: {
    name: 'MethodNotAllowed',
    description: 'The path answers other methods',
    code: 'method_not_allowed',
    error: 'PATCH is not possible here; use GET or PUT or DELETE',
    header: ['Allow', 'The methods that the path answers'],
  },
  409: {
    name: 'Conflict',
    description: 'The data is in the way: a name is taken, a range overlaps or is full, something is still in use',
    code: 'conflict',
    error: 'a user with this email already exists',
  },
  413: {
    name: 'TooLarge',
    description: 'The body is too large',
    code: 'too_large',
    error: 'the body is larger than 1048576 bytes',
  },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The body is not JSON',
    code: 'unsupported_media_type',
    error: 'send the body as JSON, with Content-Type: application/json',
  },
  429: {
    name: 'TooMany',
    description: 'Too many requests',
    code: 'too_many',
    error: 'too many attempts; try again later',
    header: ['Retry-After', 'Seconds to wait'],
  },
  500: {
    name: 'InternalError',
    description: 'The server is at fault; its log has the details',
    code: 'internal',
    error: 'internal error; the server log has the details',
  },
  503: {
    name: 'Unavailable',
    description: 'The server cannot answer at the moment; try again',
    code: 'unavailable',
    error: 'the database is in use by another process; try again',
  },
} as const satisfies Record<number, Refusal>

/** The refusals as components, by name. */
export function refusalResponses(): Record<string, object> {
  return Object.fromEntries(Object.values<Refusal>(REFUSALS).map((refusal) => [refusal.name, responseOf(refusal)]))
}

/** References to the refusals of these statuses. */
export function refusalRefs(statuses: readonly RefusalStatus[]): Record<string, JsonSchema> {
  return Object.fromEntries(
    statuses.map((status) => [String(status), { $ref: `#/components/responses/${REFUSALS[status].name}` }]),
  )
}

/** JSON Schema of every refusal's body. */
export function errorSchema(): JsonSchema {
  const { $schema: _, additionalProperties: __, ...schema } = z.toJSONSchema(ErrorBody)
  return schema
}

function responseOf({ description, code, error, header }: Refusal): object {
  const { status, body } = new AppError(code, error)
  const codes = ERROR_CODES.filter((other) => new AppError(other, '').status === status)
  const [name, meaning] = header ?? []
  const headers = { [name ?? '']: { description: meaning, required: true, schema: { type: 'string' } } }
  return {
    description: `${description}. Code: ${codes.map((word) => `\`${word}\``).join(' or ')}.`,
    ...(header === undefined ? {} : { headers }),
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' }, example: body } },
  }
}
