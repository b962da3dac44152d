import { ProtocolError, ProtocolErrorCode, Server, type ServerContext } from '@modelcontextprotocol/server'
import type { Caller, Env } from '../api/invoke.ts'
import { operations } from '../api/operations/index.ts'
import { ANONYMOUS, type Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { quoted } from '../errors.ts'
import { VERSION } from '../version.ts'
import { callTool } from './call.ts'
import { tools, toolsOf } from './catalog.ts'
import { closest } from './closest.ts'

const INSTRUCTIONS = `Runs WireGuard networks. A network has a CIDR; peers have tunnel addresses in it; jump peers are the hubs.
Start with list_networks. To build one: suggest_cidrs, create_network, create_peer with is_jump, then the other peers.
compute_reachability tells who reaches whom and why. Incidents block peers until resolve_incident.
Ids and unambiguous names are both accepted. Keys and tokens are never shown here: people fetch configurations through REST.`

/** Where bugs are reported. */
export interface ToolLog {
  error(fields: object, message: string): void
}

/** Told of every tool call and how it went: `ok` or the code of the refusal. */
export type OnToolCall = (tool: string, outcome: string) => void

/** An MCP server that offers the operations as tools. Who asks is read from each request, never from the connection. */
export function createToolServer(env: Env, log: ToolLog, onToolCall: OnToolCall = () => undefined): Server {
  const server = new Server(
    { name: 'wirety-mcp', title: 'Wirety MCP', version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  )
  server.setRequestHandler('tools/list', (request, context) => {
    if (request.params?.cursor !== undefined)
      throw invalid('cursor: the list of tools has one page, ask without a cursor')
    return { tools: toolsOf(principalOf(context)) }
  })
  server.setRequestHandler('tools/call', async (request, context) => {
    const { name, arguments: given } = request.params
    const caller = callerOf(context)
    const tool = tools.get(name)
    if (!tool) throw refusal(name, caller.who)
    return callTool(env, tool, caller, given, (outcome, thrown) => {
      onToolCall(name, outcome)
      const { request_id } = caller.trace
      if (outcome === 'internal') log.error({ err: thrown, tool: name, request_id }, 'tool call failed')
    })
  })
  return server
}

/** The principal that the transport has proved for this request. */
function principalOf(context: ServerContext): Principal {
  const principal = context.http?.authInfo?.extra?.principal
  return principal === undefined ? ANONYMOUS : (principal as Principal) // set by the transport only
}

/** The principal, and the HTTP request that brought this very message. */
function callerOf(context: ServerContext): Caller {
  const trace = context.http?.authInfo?.extra?.trace as Trace | undefined // as above
  return { who: principalOf(context), surface: 'mcp', trace: trace ?? { request_id: '', remote_ip: '' } }
}

function refusal(name: string, who: Principal): ProtocolError {
  if (operations.some((operation) => operation.name === name)) {
    return invalid(`${name} is not for assistants: a person does it through REST`)
  }
  const likely = closest(
    name,
    toolsOf(who).map((tool) => tool.name),
  )
  return invalid(`no tool ${quoted(name)}; ${likely ? `did you mean "${likely}"?` : 'tools/list names them all'}`)
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message)
}
