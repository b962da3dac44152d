import { z } from 'zod'
import type { Effect, Operation } from '../api/operation.ts'
import { operations } from '../api/operations/index.ts'
import { allows, type Principal } from '../core/principal.ts'
import { disclosed, disclosedObject } from './disclosure.ts'
import { inputSchemaOf, type JsonSchema, outputSchemaOf } from './json-schema.ts'

/** What a client is told of one tool. Source: MCP 2025-11-25, server/tools. */
export interface ToolDefinition {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: JsonSchema & { type: 'object' }
  readonly outputSchema?: JsonSchema & { type: 'object' }
  readonly annotations: {
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: false
  }
}

/** An operation as a tool. */
export interface Tool {
  readonly operation: Operation
  readonly definition: ToolDefinition
  /** What an assistant may send. */
  readonly input: z.ZodObject
  /** What an assistant gets: always an object, or nothing. Parsing with it leaves secrets out. */
  readonly output: z.ZodType
}

/** All tools by name, made once. */
export const tools: ReadonlyMap<string, Tool> = new Map(
  operations
    .filter((operation) => operation.mcp !== false)
    .map((operation) => [operation.name, toolOf(operation)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1)),
)

/** The tools that `who` may use, in order of name. */
export function toolsOf(who: Principal): ToolDefinition[] {
  const listed = [...tools.values()].filter((tool) => allows(who, tool.operation.permission))
  return listed.map((tool) => tool.definition)
}

/** Lists travel as `{"data": [...]}`: structured content must be an object. */
export function asObject(output: unknown): unknown {
  return Array.isArray(output) ? { data: output } : output
}

function toolOf(operation: Operation): Tool {
  const input = disclosedObject(operation.input)
  const output = disclosed(
    operation.output instanceof z.ZodArray ? z.object({ data: operation.output }) : operation.output,
  )
  const definition: ToolDefinition = {
    name: operation.name,
    title: operation.title,
    description: operation.description,
    inputSchema: { type: 'object', ...inputSchemaOf(input) },
    ...(output instanceof z.ZodNull ? {} : { outputSchema: { type: 'object' as const, ...outputSchemaOf(output) } }),
    annotations: annotationsOf(operation.effect),
  }
  return { operation, definition, input, output }
}

/** Hints for the client's own caution, all from one declared effect. Overwriting and deleting are destructive. */
function annotationsOf(effect: Effect): ToolDefinition['annotations'] {
  return {
    readOnlyHint: effect === 'read',
    destructiveHint: effect === 'update' || effect === 'replace' || effect === 'delete',
    idempotentHint: effect !== 'create',
    openWorldHint: false,
  }
}
