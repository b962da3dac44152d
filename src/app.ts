import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import cors from 'cors'
import express, { type Request, type RequestHandler } from 'express'
import helmet from 'helmet'
import { apiRouter } from './api/http.ts'
import type { Env } from './api/invoke.ts'
import { ensureAdministrator } from './auth/administrator.ts'
import { isCookieCarried, resolvePrincipal } from './auth/resolver.ts'
import type { Config, ConfigSecrets } from './config.ts'
import type { Principal } from './core/principal.ts'
import { AppError } from './errors.ts'
import type { Logger } from './log.ts'
import { type Random, systemRandom } from './random.ts'
import { openSqlite } from './storage/db.ts'
import { prepareDatabaseFile, readSecretKey } from './storage/files.ts'
import { migrate } from './storage/schema.ts'
import { createVault, proveVault } from './storage/vault.ts'
import { createToolServer } from './tools/server.ts'
import { createGuard } from './transport/guard.ts'
import { createMcpEndpoint } from './transport/mcp.ts'
import { guardSlowReaders } from './transport/slow-readers.ts'

/** Path of the MCP endpoint. */
export const MCP_PATH = '/api/v1/mcp'

/** Headers that pages of allowed origins may read. */
const EXPOSED = ['Mcp-Session-Id', 'WWW-Authenticate', 'Retry-After']

/** A client that takes nothing of its answer for this long is cut off. */
const STALL_MS = 30_000

/** A running server. Disposing of it stops listening, ends every stream, lets requests finish and closes the database. */
export interface App extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string
  /** Password made for the administrator in this start; to be shown once. */
  readonly generatedPassword: string | undefined
  /** What operations run on. */
  readonly env: Env
}

/** What a start needs; the clock and the randomness may be replaced. */
export interface AppOptions {
  readonly config: Config
  readonly secrets: ConfigSecrets
  readonly log: Logger
  readonly now?: () => Date
  readonly random?: Random
}

/** Opens the database, wires everything and listens. */
export async function startApp(options: AppOptions): Promise<App> {
  await using stack = new AsyncDisposableStack()
  const { env, generatedPassword } = await openEnv(options, stack)
  const server = createServer()
  stack.defer(() => drained(server))
  server.on('request', buildExpress(options, env, stack))
  stack.use(guardSlowReaders(server, { stallMs: STALL_MS }))
  const url = await listen(server, options.config)
  stack.defer(() => void server.close())
  const resources = stack.move()
  return { url, generatedPassword, env, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

async function openEnv(options: AppOptions, stack: AsyncDisposableStack) {
  const { config, secrets, now = () => new Date(), random = systemRandom } = options
  await prepareDatabaseFile(config.databasePath)
  const database = stack.use(openSqlite(config.databasePath))
  await migrate(database, now().toISOString())
  const key = secrets.secretKey ?? (await readSecretKey(config.databasePath, random))
  const vault = createVault(key, random)
  await proveVault(database, vault)
  const generatedPassword = await ensureAdministrator(database, secrets.adminPassword, now().toISOString())
  const env: Env = { database, vault, random, now }
  return { env, generatedPassword }
}

function buildExpress(options: AppOptions, env: Env, stack: AsyncDisposableStack): express.Express {
  const { config, log } = options
  const guard = createGuard(config)
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple')
  app.use(helmet())
  const origin = [...config.allowedOrigins]
  if (origin.length > 0) app.use(cors({ origin, credentials: true, exposedHeaders: EXPOSED }))
  const mcp = stack.use(
    createMcpEndpoint({
      path: MCP_PATH,
      createServer: () => createToolServer(env, log),
      authenticate: (req) => requirePrincipal(env, req),
      allowedHosts: config.allowedHosts,
      allowedOrigins: config.allowedOrigins,
      newId: () => env.random.newBytes(16).toString('hex'),
      log,
      now: () => env.now().getTime(),
    }),
  )
  app.all([MCP_PATH, `${MCP_PATH}/`], mcp.handler)
  const authenticate = (req: Request) => resolvePrincipal(env, req.headers)
  const guardCookie: RequestHandler = (req, _res, next) => {
    if (isCookieCarried(req.headers) && req.method !== 'GET') guard.checkOrigin(req.headers)
    next()
  }
  const onBug = (error: unknown) => log.error({ err: error }, 'request failed')
  app.use('/api/v1', apiRouter({ env, authenticate, guard: guardCookie, cookieSecure: config.cookieSecure, onBug }))
  app.use((_req, res) => {
    res.status(404).json(new AppError('not_found', 'no such path; the API is below /api/v1').body)
  })
  return app
}

async function requirePrincipal(env: Env, req: IncomingMessage): Promise<Principal> {
  const who = await resolvePrincipal(env, req.headers)
  if (who.role !== 'anonymous') return who
  throw new AppError('unauthenticated', 'send "Authorization: Bearer wirety_..." with an API token')
}

async function listen(server: Server, config: Config): Promise<string> {
  server.listen(config.port, config.host)
  await once(server, 'listening')
  // a TCP server's address is an object
  const { port } = server.address() as AddressInfo
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return `http://${host}:${port}`
}

/** How long running requests may take to finish. */
const GRACE_MS = 5_000

/** Waits until a server that was closed has answered what it was asked; cuts off who takes too long. */
async function drained(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  server.closeIdleConnections()
  if ((await connections(server)) > 0) await once(server, 'close')
  clearTimeout(cut)
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}
