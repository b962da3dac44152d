import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from '@modelcontextprotocol/server'
import type { Principal } from '../../src/core/principal.ts'
import { AppError } from '../../src/errors.ts'
import { createMcpEndpoint, type McpOptions } from '../../src/transport/mcp.ts'

export const PATH = '/wirety/api/v1/mcp'

/** A running endpoint, and what its log said. */
export interface TestEndpoint extends AsyncDisposable {
  readonly url: URL
  readonly http: HttpServer
  readonly log: { readonly level: string; readonly fields: object; readonly message: string }[]
  /** How many tool calls were aborted. */
  readonly aborted: () => number
}

/** Starts an endpoint on 127.0.0.1 whose users are named by their bearer token. */
export async function startEndpoint(options: Partial<McpOptions> & { port?: number } = {}): Promise<TestEndpoint> {
  const log: { level: string; fields: object; message: string }[] = []
  const record = (level: string) => (fields: object, message: string) => void log.push({ level, fields, message })
  let aborted = 0
  let ids = 0
  const endpoint = createMcpEndpoint({
    path: PATH,
    createServer: () => toyServer(() => aborted++),
    authenticate: testUser,
    traceOf: () => ({ request_id: 'test', remote_ip: '127.0.0.1' }),
    allowedHosts: ['mcp.example'],
    allowedOrigins: ['https://app.example'],
    newId: () => `session-${++ids}-${process.hrtime.bigint()}`,
    log: { info: record('info'), warn: record('warn'), error: record('error') },
    now: Date.now,
    ...options,
  })
  const http = createServer((req, res) => void endpoint.handler(req, res))
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo // a TCP listener has no other kind of address
  return {
    url: new URL(`http://127.0.0.1:${port}${PATH}`),
    http,
    log,
    aborted: () => aborted,
    async [Symbol.asyncDispose]() {
      await endpoint[Symbol.asyncDispose]()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** The header that makes a request come from `user`. */
export function as(user: string): { Authorization: string } {
  return { Authorization: `Bearer ${user}` }
}

export const JSON_HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }

/** An initialize request of a client that knows `protocolVersion`. */
export function initialize(protocolVersion: string, id: number | string = 1): object {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  return { jsonrpc: '2.0', id, method: 'initialize', params }
}

/** A tools/call request. */
export function call(name: string, args: object = {}, id: number | string = 2): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } }
}

/** Posts `body` as `user`. */
export function post(url: URL | string, user: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { ...JSON_HEADERS, ...as(user), ...headers },
    body: JSON.stringify(body),
  })
}

/** Begins a 2025 session by hand and returns its id. */
export async function beginSession(url: URL, user: string, version = '2025-11-25'): Promise<string> {
  const response = await post(url, user, initialize(version))
  await response.text()
  const id = response.headers.get('mcp-session-id')
  if (id === null) throw new Error(`no session: HTTP ${response.status}`)
  return id
}

/** Waits until `isTrue`, at most three seconds. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 150; i++) {
    if (await isTrue()) return
    await sleep(20)
  }
  throw new Error('it never became true')
}

/** The text of the only content block of a tool result. */
export function textOf(result: unknown): string {
  const { content } = result as { content: [{ text: string }] } // the toy tools answer nothing else
  return content[0].text
}

async function testUser(req: IncomingMessage): Promise<Principal> {
  const token =
    /^Bearer (\w+)$/.exec(req.headers.authorization ?? '')?.[1] ?? /user=(\w+)/.exec(req.headers.cookie ?? '')?.[1]
  if (token === undefined || token === 'nobody')
    throw new AppError('unauthenticated', 'send an API token as bearer token')
  if (token === 'broken') throw new Error('the database is on fire')
  return {
    id: token,
    email: `${token}@example.com`,
    name: token,
    role: 'user',
    credential: 'api_token',
    credential_id: token,
  }
}

/** `whoami` answers who asks, `credential` with what, `big` a text of `bytes`, `hold` waits to be cancelled, `ask` asks the client's user. */
function toyServer(onAbort: () => void): Server {
  const server = new Server({ name: 'toy', version: '1' }, { capabilities: { tools: {} } })
  const inputSchema = { type: 'object' as const }
  server.setRequestHandler('tools/list', () => ({
    tools: ['whoami', 'big', 'hold', 'ask'].map((name) => ({ name, description: name, inputSchema })),
  }))
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const principal = ctx.http?.authInfo?.extra?.principal as Principal // the endpoint's promise to handlers
    const text = async () => {
      switch (params.name) {
        case 'credential':
          return String(principal.credential_id)
        case 'big':
          return 'x'.repeat(Number(params.arguments?.bytes))
        case 'hold':
          await new Promise((resolve) => ctx.mcpReq.signal.addEventListener('abort', resolve, { once: true }))
          onAbort()
          return 'cancelled'
        case 'ask': {
          const requestedSchema = { type: 'object' as const, properties: {} }
          return (await ctx.mcpReq.elicitInput({ message: 'Sure?', requestedSchema })).action
        }
        default:
          return principal.id
      }
    }
    return { content: [{ type: 'text', text: await text() }] }
  })
  return server
}
