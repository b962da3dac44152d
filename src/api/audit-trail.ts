import { AppError } from '../errors.ts'
import * as audit from '../storage/audit.ts'
import type { Db } from '../storage/db.ts'
import type { Caller, Env } from './invoke.ts'
import type { Context, Operation } from './operation.ts'
import { withoutSecrets } from './secrets.ts'
import { type Viewer, viewerOf } from './viewers.ts'

type Input = Record<string, unknown>

/** A write that is about to happen. */
export interface Write {
  readonly operation: Operation
  readonly caller: Caller
  readonly context: Context
  /** As the operation's schema has parsed it. */
  readonly input: Input
}

/** Runs `write` with `run` and leaves its audit row, in one transaction. `before` and `after` are views without secrets. */
export async function recorded<T>(env: Env, write: Write, run: () => Promise<T>): Promise<T> {
  const { operation, caller, context, input } = write
  const viewer = operation.effect === 'create' ? undefined : viewerOf(operation)
  const before = viewer && (await look(viewer, context, input))
  const output = await run()
  const after = await lookAfter(write, viewer, output)
  await audit.insert(context.tx, {
    ...rowOf(env, operation, caller),
    outcome: 'ok',
    network_id: networkId(write, output) ?? textField(before ?? after, 'network_id'),
    object_id: textField(output, 'id') ?? lastParameter(operation, input),
    input: JSON.stringify(withoutSecrets(operation.input, input)),
    before: viewText(before),
    after: viewText(after),
  })
  return output
}

/** Leaves the audit row of a write that was refused. */
export async function recordRefused(
  env: Env,
  { operation, caller }: Pick<Write, 'operation' | 'caller'>,
  raw: unknown,
  error: AppError,
): Promise<void> {
  const input = scalarsOf(raw)
  const row: audit.AuditEntry = {
    ...rowOf(env, operation, caller),
    outcome: error.code,
    network_id: textField(input, 'network_id'),
    object_id: lastParameter(operation, input),
    input: JSON.stringify(withoutSecrets(operation.input, input)),
    before: null,
    after: null,
  }
  await env.database.write((tx: Db) => audit.insert(tx, row))
}

/** What every row says of who asked for what, and when. */
function rowOf({ random, now }: Env, operation: Operation, { who, surface, trace }: Caller) {
  return {
    id: random.newId(),
    at: now().toISOString(),
    actor_id: who.id,
    actor_email: who.email,
    credential: who.credential,
    credential_id: who.credential_id,
    surface,
    action: operation.name,
    ...trace,
  }
}

/** The viewer's view of what is written, without secrets; undefined when it is not there. */
async function look(viewer: Viewer, context: Context, input: Input): Promise<unknown> {
  const { operation, select } = viewer
  const wanted = Object.fromEntries(Object.keys(operation.input.shape).map((key) => [key, input[key]]))
  try {
    const view = operation.output.parse(await operation.run(context, operation.input.parse(wanted)))
    return select(withoutSecrets(operation.output, view), input)
  } catch (thrown) {
    // what is not there has no view, and saying so is up to the operation itself
    if (thrown instanceof AppError && thrown.code === 'not_found') return undefined
    throw thrown
  }
}

async function lookAfter({ operation, context, input }: Write, viewer: Viewer | undefined, output: unknown) {
  if (operation.effect === 'delete') return undefined
  const isView = viewer?.isSame && viewer.operation.output === operation.output
  if (operation.effect === 'create' || isView) return withoutSecrets(operation.output, output)
  return viewer && look(viewer, context, input)
}

/** The network of the path; a network that was just made is its own. */
function networkId({ operation, input }: Write, output: unknown): string | null {
  return operation.http === 'POST /networks' ? textField(output, 'id') : textField(input, 'network_id')
}

/** The id that stands last in the path: of what is written, or of what it is written to. */
function lastParameter({ http }: Operation, input: Input): string | null {
  const parameter = [...http.matchAll(/\{(\w+)\}/g)].at(-1)?.[1]
  return parameter === undefined ? null : textField(input, parameter)
}

function textField(value: unknown, key: string): string | null {
  const field = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof field === 'string' ? field : null
}

const MAX_VIEW_LENGTH = 16_384

/** A view as JSON text. One that is larger than a row should be leaves its size: the input tells what was asked for. */
function viewText(view: unknown): string | null {
  if (view === undefined || view === null) return null
  const text = JSON.stringify(view)
  return text.length > MAX_VIEW_LENGTH ? JSON.stringify({ omitted_characters: text.length }) : text
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
