import { z } from 'zod'
import { allows, type Principal } from '../core/principal.ts'
import { AppError, toAppError } from '../errors.ts'
import type { Random } from '../random.ts'
import * as audit from '../storage/audit.ts'
import type { Database, Db } from '../storage/db.ts'
import * as networks from '../storage/networks.ts'
import type { Vault } from '../storage/vault.ts'
import type { Context, Operation } from './operation.ts'
import { withoutSecrets } from './secrets.ts'

/** What every operation runs on. */
export interface Env {
  readonly database: Database
  readonly vault: Vault
  readonly random: Random
  readonly now: () => Date
}

/** Who is asking, and through which door. */
export interface Caller {
  readonly who: Principal
  readonly surface: 'rest' | 'mcp'
}

/** The result of an operation, as its output schema lets it out. */
export type Output<O extends Operation> = z.output<O['output']>

/**
 * The only way to run an operation: parse the input, authorise, run in a transaction, let out what the output schema
 * names, write the audit row. Throws AppError; anything else that went wrong inside rolls back and surfaces as a bug.
 */
export async function invoke<O extends Operation>(
  env: Env,
  operation: O,
  caller: Caller,
  raw: unknown,
): Promise<Output<O>> {
  try {
    authorise(operation, caller.who)
    const input = await parseInput(operation, raw)
    if (operation.effect === 'read') return await env.database.read((tx) => run(env, operation, caller, tx, input))
    return await env.database.write((tx) => runWrite(env, operation, caller, tx, input))
  } catch (thrown) {
    const error = toAppError(thrown)
    if (isAudited(operation, caller.who, error)) await auditRefusal(env, operation, caller, raw, error)
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
  const parsed = await operation.input.safeParseAsync(raw)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const told = issues.slice(0, MAX_ISSUES).map(describeIssue)
  throw new AppError('invalid', [...told, ...(issues.length > MAX_ISSUES ? ['and more'] : [])].join('; '))
}

const MAX_ISSUES = 5
const MAX_ISSUE_LENGTH = 300

/** `field.path: what is wrong`. */
function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.')
  const text = path ? `${path}: ${issue.message}` : issue.message
  return text.length > MAX_ISSUE_LENGTH ? `${text.slice(0, MAX_ISSUE_LENGTH)}...` : text
}

async function runWrite<O extends Operation>(
  env: Env,
  operation: O,
  caller: Caller,
  tx: Db,
  input: Input,
): Promise<Output<O>> {
  const networkId = textOf(input.network_id)
  if (networkId !== null) await networks.bumpRevision(tx, caller.who, networkId)
  const output = await run(env, operation, caller, tx, input)
  await audit.insert(tx, entry(env, operation, caller, input, 'ok', output))
  return output
}

async function run<O extends Operation>(
  env: Env,
  operation: O,
  caller: Caller,
  tx: Db,
  input: Input,
): Promise<Output<O>> {
  const context: Context = {
    tx,
    who: caller.who,
    now: env.now().toISOString(),
    random: env.random,
    vault: env.vault,
  }
  const result = operation.output.safeParse(await operation.run(context, input))
  if (result.success) return result.data as Output<O> // the schema is O's own
  throw new Error(`${operation.name} returned what its output schema refuses: ${z.prettifyError(result.error)}`)
}

/** Refused writes and refused permissions leave a trace; a stranger's attempts are left to the access log. */
function isAudited(operation: Operation, who: Principal, error: AppError): boolean {
  return who.role !== 'anonymous' && (operation.effect !== 'read' || error.code === 'forbidden')
}

async function auditRefusal(
  env: Env,
  operation: Operation,
  caller: Caller,
  raw: unknown,
  error: AppError,
): Promise<void> {
  const input = scalarsOf(raw)
  await env.database.write((tx) => audit.insert(tx, entry(env, operation, caller, input, error.code, undefined)))
}

const MAX_AUDITED_TEXT = 255

/** The plain values of a refused input, cut short: whatever else was sent may be of any size and depth. */
function scalarsOf(raw: unknown): Input {
  const kept: Input = {}
  for (const [key, value] of Object.entries(typeof raw === 'object' && raw !== null ? raw : {})) {
    if (typeof value === 'string') kept[key] = value.slice(0, MAX_AUDITED_TEXT)
    if (typeof value === 'number' || typeof value === 'boolean') kept[key] = value
  }
  return kept
}

function entry(
  env: Env,
  operation: Operation,
  caller: Caller,
  input: Input,
  outcome: string,
  output: unknown,
): audit.AuditEntry {
  const { who, surface } = caller
  return {
    id: env.random.newId(),
    at: env.now().toISOString(),
    actor_id: who.id,
    actor_email: who.email,
    credential_id: who.credential_id,
    surface,
    action: operation.name,
    outcome,
    network_id: textOf(input.network_id),
    object_id: objectId(input, output),
    input: JSON.stringify(withoutSecrets(operation.input, input)),
  }
}

/** The id of what was written: the new object's, else the one that the input names most narrowly. */
function objectId(input: Input, output: unknown): string | null {
  if (typeof output === 'object' && output !== null && 'id' in output) return textOf(output.id)
  const named = ['peer_id', 'incident_id', 'user_id', 'token_id'].map((key) => textOf(input[key]))
  return named.find((id) => id !== null) ?? null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
