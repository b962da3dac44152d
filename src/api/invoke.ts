import { z } from 'zod'
import type { IdentityProvider } from '../auth/identity.ts'
import { allows, type Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { AppError, toAppError, withoutTokens } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Database, Db } from '../storage/db.ts'
import * as networks from '../storage/networks.ts'
import type { Vault } from '../storage/vault.ts'
import { recorded, recordRefused } from './audit-trail.ts'
import type { Context, Operation } from './operation.ts'

/** What every operation runs on. */
export interface Env {
  readonly database: Database
  readonly vault: Vault
  readonly identity: IdentityProvider
  readonly random: Random
  readonly now: () => Date
}

/** Who is asking, through which door, in which request. */
export interface Caller {
  readonly who: Principal
  readonly surface: 'rest' | 'mcp'
  readonly trace: Trace
}

/** The result of an operation, as its output schema lets it out. */
export type Output<O extends Operation> = z.output<O['output']>

/**
 * The only way to run an operation: authorise, parse the input, run in a transaction, let out what the output schema
 * names, write the audit row. `prepare` puts the input in order first, if the surface is one that forgives. Throws
 * AppError; anything else that went wrong inside rolls back and surfaces as a bug.
 */
export async function invoke<O extends Operation>(
  env: Env,
  operation: O,
  caller: Caller,
  raw: unknown,
  prepare: (raw: unknown) => Promise<unknown> = async (given) => given,
): Promise<Output<O>> {
  try {
    authorise(operation, caller.who)
    const input = await parseInput(operation, await prepare(raw))
    const lane = operation.permission === 'public' ? undefined : caller.who.id
    if (operation.effect === 'read') {
      return await env.database.read((tx) => run(operation, contextOf(env, caller, tx), input), lane)
    }
    return await env.database.write((tx) => runWrite(env, operation, caller, tx, input), lane)
  } catch (thrown) {
    const error = toAppError(thrown)
    // A database that takes no row of it must not put another error in the place of the refusal.
    const isWritable = error.code !== 'unavailable' && error.code !== 'internal'
    if (isWritable && isAudited(operation, caller.who, error)) {
      await recordRefused(env, { operation, caller }, raw, error).catch((cause) => {
        throw new AppError(error.code, error.message, { cause, ...(error.details ? { details: error.details } : {}) })
      })
    }
    throw thrown
  }
}

type Input = Record<string, unknown>

function authorise(operation: Operation, who: Principal): void {
  if (allows(who, operation.permission)) return
  if (who.role === 'anonymous') throw new AppError('unauthenticated', 'sign in, or send an API token')
  throw new AppError('forbidden', `administrator role required for ${operation.name}`)
}

/** Asynchronous, because a password field hashes what it is given: before the transaction, off the main thread. */
async function parseInput(operation: Operation, raw: unknown): Promise<Input> {
  const parsed = await operation.input.safeParseAsync(raw, { error: issueText })
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const told = issues.slice(0, MAX_ISSUES).map(describeIssue)
  throw new AppError('invalid', [...told, ...(issues.length > MAX_ISSUES ? ['and more'] : [])].join('; '))
}

/** Plain words for a missing or mistyped field; the schema's own for the rest. */
const issueText: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'invalid_type') return undefined
  return issue.input === undefined ? 'is required' : `should be ${issue.expected}`
}

const MAX_ISSUES = 5
const MAX_ISSUE_LENGTH = 300

/** `field.path: what is wrong`. */
function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.')
  const text = withoutTokens(path ? `${path}: ${issue.message}` : issue.message)
  return text.length > MAX_ISSUE_LENGTH ? `${text.slice(0, MAX_ISSUE_LENGTH)}...` : text
}

async function runWrite<O extends Operation>(
  env: Env,
  operation: O,
  caller: Caller,
  tx: Db,
  input: Input,
): Promise<Output<O>> {
  const { network_id: networkId } = input
  if (typeof networkId === 'string') await networks.bumpRevision(tx, caller.who, networkId)
  const context = contextOf(env, caller, tx)
  return recorded(env, { operation, caller, context, input }, () => run(operation, context, input))
}

function contextOf({ now, random, vault, identity }: Env, { who }: Caller, tx: Db): Context {
  return { tx, who, now: now().toISOString(), random, vault, identity }
}

async function run<O extends Operation>(operation: O, context: Context, input: Input): Promise<Output<O>> {
  const result = operation.output.safeParse(await operation.run(context, input))
  if (result.success) return result.data as Output<O> // the schema is O's own
  throw new Error(`${operation.name} returned what its output schema refuses: ${z.prettifyError(result.error)}`)
}

/**
 * Refused writes and refused permissions leave a trace; a stranger's attempts are left to the access log. A database
 * that could not be written keeps no row either.
 */
function isAudited(operation: Operation, who: Principal, error: AppError): boolean {
  if (error.code === 'unavailable') return false
  return who.role !== 'anonymous' && (operation.effect !== 'read' || error.code === 'forbidden')
}
