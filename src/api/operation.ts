import type { z } from 'zod'
import type { IdentityProvider } from '../auth/identity.ts'
import type { Permission, Principal } from '../core/principal.ts'
import type { Random } from '../random.ts'
import type { Db } from '../storage/db.ts'
import type { Vault } from '../storage/vault.ts'

/**
 * What an operation does to the data. `create` answers 201, `delete` 204; `replace` overwrites a whole collection.
 * `read` if and only if the HTTP method is GET.
 */
export type Effect = 'read' | 'create' | 'update' | 'replace' | 'delete'

/** What an operation's body works with. */
export interface Context {
  /** Everything in one transaction; a read sees one state of the data. */
  readonly tx: Db
  readonly who: Principal
  /** RFC 3339 UTC. */
  readonly now: string
  readonly random: Random
  readonly vault: Vault
  /** How people sign in; what it knows, without asking anybody. */
  readonly identity: Pick<IdentityProvider, 'isEnabled' | 'describe'>
}

/** One thing that people, programs and assistants can ask for. */
export interface Operation<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
  /** `verb_noun`: tool name, operation id, audit action. */
  readonly name: string
  readonly title: string
  readonly description: string
  /** Method and path below `/api/v1`; each `{x}` is a key of `input`, the rest is query or body. */
  readonly http: `${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`
  readonly permission: Permission
  readonly effect: Effect
  readonly input: Input
  /** What is not listed here cannot leave the server. */
  readonly output: Output
  /** False for what must not enter a model's context. */
  readonly mcp?: false
  run(context: Context, input: z.output<Input>): Promise<z.input<Output>>
}

/** Fixes an operation's types and freezes it. */
export function defineOperation<Input extends z.ZodObject, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
): Operation<Input, Output> {
  return Object.freeze(operation)
}
