import { createServer, type IncomingMessage, type Server } from 'node:http'
import cors from 'cors'
import express, { type RequestHandler } from 'express'
import helmet from 'helmet'
import { apiRouter, type OnBug } from './api/http.ts'
import type { Caller, Env } from './api/invoke.ts'
import { ensureAdministrator, reserveAdministrator } from './auth/administrator.ts'
import { authenticate } from './auth/authenticate.ts'
import { type IdentityProvider, passwordSignIn } from './auth/identity.ts'
import { createOidcSignIn } from './auth/oidc/sign-in.ts'
import { isCookieCarried } from './auth/resolver.ts'
import type { Config, ConfigSecrets } from './config.ts'
import type { Trace } from './core/trace.ts'
import { AppError } from './errors.ts'
import { connections, drained, listen, originForm } from './listener.ts'
import type { Logger } from './log.ts'
import { auditLine } from './operating/audit-lines.ts'
import { Metrics } from './operating/metrics.ts'
import { probeRouter } from './operating/probes.ts'
import { Requests } from './operating/requests.ts'
import { type Random, systemRandom } from './random.ts'
import { type DatabaseObserver, openSqlite } from './storage/db.ts'
import { prepareDatabaseFile, readSecretKey } from './storage/files.ts'
import * as providerSessions from './storage/provider-sessions.ts'
import { migrate } from './storage/schema.ts'
import { createVault, isSealed, proveVault } from './storage/vault.ts'
import { createToolServer } from './tools/server.ts'
import { createGuard } from './transport/guard.ts'
import { createMcpEndpoint, type McpEndpoint } from './transport/mcp.ts'
import { guardSlowReaders } from './transport/slow-readers.ts'

/** Path of the MCP endpoint. */
export const MCP_PATH = '/api/v1/mcp'

/** Headers that pages of allowed origins may read. */
const EXPOSED = ['Mcp-Session-Id', 'WWW-Authenticate', 'Retry-After', 'X-Request-Id']

/** A client that takes nothing of its answer for this long is cut off. */
const STALL_MS = 30_000

/** A running server. Disposing of it stops listening, lets requests finish, ends every stream and closes the database. */
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
  /** Takes the lines of the setting AUDIT_LOG; standard output unless given. */
  readonly writeAudit?: (line: string) => void
}

/** Opens the database, wires everything and listens. */
export async function startApp(options: AppOptions): Promise<App> {
  await using stack = new AsyncDisposableStack()
  const metrics = new Metrics()
  const { env, generatedPassword } = await openEnv(options, stack, metrics)
  const server = createServer()
  stack.defer(() => drained(server))
  server.on('request', originForm(buildExpress(options, { env, metrics, server }, stack)))
  stack.use(guardSlowReaders(server, { stallMs: STALL_MS }))
  const url = await listen(server, options.config)
  stack.defer(() => void server.close())
  const resources = stack.move()
  return { url, generatedPassword, env, [Symbol.asyncDispose]: () => stopped(resources, options.log) }
}

/** Lets go of everything, and says how long it took. */
async function stopped(resources: AsyncDisposableStack, log: Logger): Promise<void> {
  const began = performance.now()
  await resources.disposeAsync()
  log.info({ ms: Math.round(performance.now() - began) }, 'stopped')
}

/** What watches the database: the numbers, and the lines of the audit log when they are wanted. */
function observerOf({ config, writeAudit }: AppOptions, metrics: Metrics): DatabaseObserver {
  if (!config.auditLog) return metrics.database
  const write = writeAudit ?? ((line) => void process.stdout.write(line))
  return { ...metrics.database, committed: ({ audit }) => write(auditLine(audit)) }
}

async function openEnv(options: AppOptions, stack: AsyncDisposableStack, metrics: Metrics) {
  const { config, secrets, now = () => new Date(), random = systemRandom } = options
  await prepareDatabaseFile(config.databasePath)
  const database = stack.use(openSqlite(config.databasePath, observerOf(options, metrics)))
  await migrate(database, now().toISOString())
  const key = secrets.secretKey ?? (await readSecretKey(config.databasePath, await isSealed(database), random))
  const vault = createVault(key, random)
  await proveVault(database, vault)
  const identity = stack.use(openSignIn(options, { database, vault, random, now }))
  await database.write((tx) => providerSessions.endOthers(tx, identity.isEnabled))
  const generatedPassword = identity.isEnabled
    ? await reserveAdministrator(database, now().toISOString())
    : await ensureAdministrator(database, secrets.adminPassword, now().toISOString())
  const env: Env = { database, vault, identity, random, now }
  return { env, generatedPassword }
}

function openSignIn({ config, secrets, log }: AppOptions, env: Omit<Env, 'identity'>): IdentityProvider {
  if (config.oidc === undefined) return passwordSignIn
  return createOidcSignIn({ ...env, config: config.oidc, clientSecret: secrets.oidcClientSecret, log })
}

/** What the HTTP side stands on. */
interface Ground {
  readonly env: Env
  readonly metrics: Metrics
  readonly server: Server
}

function buildExpress(options: AppOptions, ground: Ground, stack: AsyncDisposableStack): express.Express {
  const { config, log } = options
  const { env, metrics, server } = ground
  const requests = new Requests({
    newId: () => env.random.newBytes(8).toString('hex'),
    onServed: (served) => {
      metrics.served(served)
      log.info(served, 'request')
    },
  })
  const callerOf = async (req: IncomingMessage, surface: Caller['surface']): Promise<Caller> => {
    const trace = requests.traceOf(req)
    const who = await authenticate(env, req.headers, { surface, trace })
    requests.identified(req, who)
    return { who, surface, trace }
  }
  const onBug: OnBug = (err, req) => log.error({ err, ...requests.traceOf(req) }, 'request failed')
  const mcp = stack.use(openMcp(options, ground, { callerOf, traceOf: (req) => requests.traceOf(req) }))
  metrics.watch({ census: mcp.census, connections: () => connections(server) })

  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple')
  app.set('trust proxy', config.trustedProxies)
  app.use(requests.handler, helmet())
  const origin = [...config.allowedOrigins]
  if (origin.length > 0) app.use(cors({ origin, credentials: true, exposedHeaders: EXPOSED }))
  app.all([MCP_PATH, `${MCP_PATH}/`], mcp.handler)
  const identify = (req: IncomingMessage) => callerOf(req, 'rest')
  const whoSent = async (req: IncomingMessage) => (await identify(req)).who
  app.use(
    probeRouter({ database: env.database, metrics, authenticate: whoSent, isPublic: config.publicMetrics, onBug }),
  )
  const api = { identify, traceOf: (req: IncomingMessage) => requests.traceOf(req), guard: guardCookie(config), onBug }
  app.use('/api/v1', apiRouter({ env, cookieSecure: config.cookieSecure, ...api }))
  app.use((_req, res) => {
    res.status(404).json(new AppError('not_found', 'no such path; the API is below /api/v1').body)
  })
  return app
}

/** How the endpoint learns who asks, and in which request. */
interface Asking {
  readonly callerOf: (req: IncomingMessage, surface: Caller['surface']) => Promise<Caller>
  readonly traceOf: (req: IncomingMessage) => Trace
}

function openMcp({ config, log }: AppOptions, { env, metrics }: Ground, { callerOf, traceOf }: Asking): McpEndpoint {
  return createMcpEndpoint({
    path: `${config.publicUrl ? new URL(config.publicUrl).pathname.replace(/\/$/, '') : ''}${MCP_PATH}`,
    createServer: () => createToolServer(env, log, (tool, outcome) => metrics.toolCalled(tool, outcome)),
    authenticate: async (req) => {
      const { who } = await callerOf(req, 'mcp')
      if (who.role !== 'anonymous') return who
      throw new AppError('unauthenticated', 'send "Authorization: Bearer wirety_..." with an API token')
    },
    traceOf,
    allowedHosts: config.allowedHosts,
    allowedOrigins: config.allowedOrigins,
    newId: () => env.random.newBytes(16).toString('hex'),
    log,
    now: () => env.now().getTime(),
  })
}

/** Refuses a request that changes something with a cookie, unless it comes from an allowed page. */
function guardCookie(config: Config): RequestHandler {
  const guard = createGuard(config)
  return (req, _res, next) => {
    if (isCookieCarried(req.headers) && req.method !== 'GET') guard.checkOrigin(req.headers)
    next()
  }
}
