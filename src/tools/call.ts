import { type Caller, type Env, invoke } from '../api/invoke.ts'
import { type AppError, type ErrorCode, toAppError } from '../errors.ts'
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

/** Told how a call went: `ok` or the code of the refusal, and what was thrown. */
export type OnCall = (outcome: 'ok' | ErrorCode, thrown?: unknown) => void

/** Runs `tool` for `caller`. Never throws: what went wrong becomes a result that says how to repair the call. */
export async function callTool(
  env: Env,
  tool: Tool,
  caller: Caller,
  raw: unknown,
  onCall: OnCall,
): Promise<ToolResult> {
  const given = typeof raw === 'object' && raw !== null ? { ...raw } : {}
  try {
    let notes: readonly string[] = []
    const output = await invoke(env, tool.operation, caller, raw, async () => {
      const literal = understand(tool.input, raw)
      const read = await env.database.read((tx) => resolveNames(tx, caller.who, tool.input, literal), caller.who.id)
      notes = read.notes
      return read.input
    })
    const result = resultOf(tool.output.parse(asObject(output)), notes)
    onCall('ok')
    return result
  } catch (thrown) {
    const error = toAppError(thrown)
    onCall(error.code, thrown)
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
