import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v2 from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { pino } from 'pino'
import { type App, type AppOptions, MCP_PATH, startApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'

export const PASSWORD = 'a password for tests'

/** A JSON answer over HTTP. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Answer = { status: number; headers: Headers; body: any; text: string }

/** REST as one principal. */
export interface Rest {
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  put(path: string, body?: unknown): Promise<Answer>
  delete(path: string): Promise<Answer>
}

/** How a client reaches the server: a generation of the protocol, or a process of its own. */
export type Transport = 'sse' | 'streamable' | 'stateless' | 'stdio'

/** What all SDK clients have in common. */
export interface McpClient {
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<ToolAnswer>
  listTools(): Promise<{ tools: { name: string }[] }>
  close(): Promise<void>
}

/** A tool call's answer, as far as tests look at it. */
export interface ToolAnswer {
  [key: string]: unknown
  content?: unknown
  structuredContent?: unknown
  isError?: unknown
}

/** MCP as one principal. */
export interface Mcp extends AsyncDisposable {
  readonly client: McpClient
  /** Structured content of a successful call. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  call(tool: string, args?: Record<string, unknown>): Promise<any>
  /** Text of a refused call. */
  refusal(tool: string, args?: Record<string, unknown>): Promise<string>
}

/** A server of its own for one test, with a database on disk. */
export interface TestApp extends AsyncDisposable {
  readonly app: App
  readonly url: string
  readonly directory: string
  /** Everything that was logged. */
  readonly logged: string[]
  readonly adminToken: string
  as(token: string | undefined): Rest
  mcp(token: string, transport?: Transport): Promise<Mcp>
  /** A user with an API token. */
  addUser(name: string, networks?: string[]): Promise<{ id: string; token: string }>
}

/** Starts a server on a free port; settings as in the environment. */
export async function startTestApp(
  settings: Record<string, string> = {},
  options: Partial<Pick<AppOptions, 'now' | 'random' | 'writeAudit'>> & { directory?: string } = {},
): Promise<TestApp> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'wirety-mcp-test-')))
  const logged: string[] = []
  const { config, secrets } = readConfig({
    HTTP_PORT: '0',
    AUTH_PASSWORD: PASSWORD,
    DATABASE_URL: `file:${join(directory, 'wirety.db')}`,
    ...settings,
  })
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
  const app = await startApp({ config, secrets, log, ...options })
  const as = (token: string | undefined) => restClient(app.url, token)
  const { session_hash } = (await as(undefined).post('/auth/login', { username: 'admin', password: PASSWORD })).body
  const adminToken = await newToken(as(session_hash), 'admin')
  return {
    app,
    url: app.url,
    directory,
    logged,
    adminToken,
    as,
    mcp: (token, transport = 'streamable') => mcpClient(app.url, token, transport),
    async addUser(name, networks = []) {
      const account = {
        email: `${name}@example.com`,
        name,
        role: 'user',
        password: PASSWORD,
        authorized_networks: networks,
      }
      const { id } = (await as(adminToken).post('/users', account)).body
      const login = await as(undefined).post('/auth/login', { username: account.email, password: PASSWORD })
      return { id, token: await newToken(as(login.body.session_hash), name) }
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      if (!options.directory) await rm(directory, { recursive: true, force: true })
    },
  }
}

async function newToken(rest: Rest, name: string): Promise<string> {
  return (await rest.post('/users/me/tokens', { name })).body.token
}

/** A REST client that sends `token` (API token or session) as the credential. */
export function restClient(url: string, token: string | undefined): Rest {
  const authorization = token?.startsWith('ses_') ? `Session ${token}` : `Bearer ${token}`
  const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
  }
  return {
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    delete: (path) => send('DELETE', path),
  }
}

async function mcpClient(url: string, token: string, kind: Transport): Promise<Mcp> {
  const client = kind === 'stateless' ? await connectV2(url, token) : await connectV1(url, token, kind)
  return {
    client,
    async call(tool, args = {}) {
      const result = await client.callTool({ name: tool, arguments: args })
      if (result.isError) throw new Error(textOf(result))
      return result.structuredContent ?? null
    },
    async refusal(tool, args = {}) {
      const result = await client.callTool({ name: tool, arguments: args })
      if (!result.isError) throw new Error(`${tool} was not refused`)
      return textOf(result)
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

const INFO = { name: 'test', version: '1' }

async function connectV1(url: string, token: string, kind: Exclude<Transport, 'stateless'>): Promise<McpClient> {
  const client = new Client(INFO)
  // the SDK's own transports do not satisfy its interface under exactOptionalPropertyTypes
  await client.connect(transportV1(url, token, kind) as Parameters<Client['connect']>[0])
  return client
}

function transportV1(url: string, token: string, kind: Exclude<Transport, 'stateless'>) {
  if (kind === 'stdio') {
    const env = { WIRETY_URL: url, WIRETY_TOKEN: token }
    return new StdioClientTransport({ command: process.execPath, args: ['bin/wirety-mcp.mjs', 'stdio'], env })
  }
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  const Http = kind === 'sse' ? SSEClientTransport : StreamableHTTPClientTransport
  return new Http(new URL(`${url}${MCP_PATH}`), { requestInit })
}

async function connectV2(url: string, token: string): Promise<McpClient> {
  const client = new v2.Client(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  await client.connect(new v2.StreamableHTTPClientTransport(new URL(`${url}${MCP_PATH}`), { requestInit }))
  return client
}

/** The text of an answer. */
export function textOf(result: ToolAnswer): string {
  return (result.content as { text: string }[]).map((item) => item.text).join('\n')
}
