import { type Env, invoke } from '../api/invoke.ts'
import type { Principal } from '../core/principal.ts'
import { type AppError, toAppError } from '../errors.ts'
import { asObject, type Tool } from './catalog.ts'
import { understand } from './coerce.ts'
import { resolveNames } from './names.ts'
import { repairText } from './repair.ts'
import { textOf } from './text.ts'

/** What a tool call answers. Source: MCP 2025-11-25, server/tools, CallToolResult. */
export interface ToolResult {
  [key: string]: unknown
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: true
}

/** Told of every error that is our own fault. */
export type OnBug = (error: unknown) => void

/** Runs `tool` for `who`. Never throws: what went wrong becomes a result that says how to repair the call. */
export async function callTool(env: Env, tool: Tool, who: Principal, raw: unknown, onBug: OnBug): Promise<ToolResult> {
  const given = typeof raw === 'object' && raw !== null ? { ...raw } : {}
  try {
    const literal = understand(tool.input, raw)
    const { input, notes } = await env.database.read((tx) => resolveNames(tx, who, tool.input, literal))
    const output = await invoke(env, tool.operation, { who, surface: 'mcp' }, input)
    return resultOf(tool.output.parse(asObject(output)), notes)
  } catch (thrown) {
    const error = toAppError(thrown)
    if (error.code === 'internal') onBug(thrown)
    return failure(error, tool, given)
  }
}

function resultOf(output: unknown, notes: readonly string[]): ToolResult {
  const text = [textOf(output), ...notes.map((note) => `Note: ${note}`)].join('\n')
  const content = [{ type: 'text' as const, text }]
  // an output schema other than null describes an object
  return output === null ? { content } : { content, structuredContent: output as Record<string, unknown> }
}

function failure(error: AppError, tool: Tool, given: Record<string, unknown>): ToolResult {
  return { content: [{ type: 'text', text: repairText(error, tool.operation.name, given) }], isError: true }
}
