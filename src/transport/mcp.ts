import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '@modelcontextprotocol/server'
import type { Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { AppError, toAppError } from '../errors.ts'
import { answerError } from './answers.ts'
import { readJson } from './body.ts'
import type { Exchange } from './exchange.ts'
import { createGuard, type Guard } from './guard.ts'
import { landingPage } from './landing.ts'
import { type Census, DEFAULT_LIMITS, type Log, type McpLimits } from './limits.ts'
import { isSubscription, ModernLeg } from './modern.ts'
import { type Branch, factsOf, route } from './routing.ts'
import { SseLeg } from './sse.ts'
import { StreamSlots } from './stream-slots.ts'
import { StreamableLeg } from './streamable.ts'

export type { Census, Log, McpLimits } from './limits.ts'

/** What the endpoint needs from the rest of the product. */
export interface McpOptions {
  /** Path that the endpoint event names; behind a proxy prefix it includes the prefix. */
  readonly path: string
  /** Builds one server with all handlers; they read who asks from `ctx.http.authInfo.extra.principal` of each request. */
  readonly createServer: () => Server
  /** Proves who asks; throws `unauthenticated`. */
  readonly authenticate: (req: IncomingMessage) => Promise<Principal>
  /** Names a request in log lines and audit rows. */
  readonly traceOf: (req: IncomingMessage) => Trace
  /** The setting ALLOWED_HOSTS: host names without port. */
  readonly allowedHosts: readonly string[]
  /** The setting ALLOWED_ORIGINS: full origins. */
  readonly allowedOrigins: readonly string[]
  /** Session ids; they must not be guessable. */
  readonly newId: () => string
  readonly log: Log
  /** Milliseconds. */
  readonly now: () => number
  readonly limits?: Partial<McpLimits>
}

/** The MCP endpoint: one path, three generations of the protocol. */
export interface McpEndpoint extends AsyncDisposable {
  /** Serves a request of any method, whose body nobody has read; never rejects. */
  readonly handler: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  /** What each generation of the protocol holds open now. */
  census(): Census[]
}

/** Builds the endpoint; disposing of it lets requests finish, then ends all streams and sessions. */
export function createMcpEndpoint(options: McpOptions): McpEndpoint {
  const endpoint = new Endpoint(options)
  return {
    handler: (req, res) => endpoint.handle(req, res),
    census: () => endpoint.census(),
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  }
}

/** How often a closing endpoint looks whether its requests are finished. */
const DRAIN_CHECK_MS = 10

class Endpoint implements AsyncDisposable {
  readonly #options: McpOptions
  readonly #limits: McpLimits
  readonly #guard: Guard
  readonly #sse: SseLeg
  readonly #streamable: StreamableLeg
  readonly #modern: ModernLeg
  #isClosed = false
  /** Requests being served, without the streams that stay open. */
  #running = 0

  constructor(options: McpOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#guard = createGuard(options)
    const context = { ...options, limits: this.#limits }
    const slots = new StreamSlots(this.#limits.maxStreamsPerPrincipal)
    this.#sse = new SseLeg(context, slots)
    this.#streamable = new StreamableLeg(context, slots)
    this.#modern = new ModernLeg(context, slots)
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const finished = this.#begin()
    try {
      await this.#serve(req, res, finished)
    } catch (thrown) {
      const error = toAppError(thrown)
      if (error.code === 'internal') this.#logBug(error, req)
      if (res.headersSent) res.destroy()
      else answerError(res, error)
    } finally {
      finished()
    }
  }

  /** Counts a running request; the answer ends it, once. */
  #begin(): () => void {
    let isRunning = true
    this.#running++
    return () => {
      if (isRunning) this.#running--
      isRunning = false
    }
  }

  census(): Census[] {
    return this.#legs.map((leg) => leg.census)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const deadline = performance.now() + this.#limits.drainMs
    while ((this.#running > 0 || this.#sse.isBusy) && performance.now() < deadline) await sleep(DRAIN_CHECK_MS)
    await Promise.all(this.#legs.map((leg) => leg[Symbol.asyncDispose]()))
  }

  get #legs() {
    return [this.#sse, this.#streamable, this.#modern]
  }

  #logBug(error: AppError, req: IncomingMessage): void {
    const { request_id } = this.#options.traceOf(req)
    this.#options.log.error({ err: error.cause ?? error, request_id }, 'mcp request failed')
  }

  /** The order of the checks is what makes their answers unambiguous. */
  async #serve(req: IncomingMessage, res: ServerResponse, finished: () => void): Promise<void> {
    if (this.#isClosed) throw new AppError('unavailable', 'the server is shutting down: retry in a moment')
    res.setHeader('Cache-Control', 'no-store')
    this.#guard.checkHost(req.headers)
    this.#guard.checkOrigin(req.headers)
    const publicBranch = req.method === 'POST' ? undefined : route(factsOf(req)).kind
    if (publicBranch === 'preflight') return void res.writeHead(204).end()
    if (publicBranch === 'landing') return landingPage(res, this.#options.path)
    await this.#options.authenticate(req)
    this.#guard.checkCredential(req.headers)
    const body = req.method === 'POST' ? await readJson(req, this.#limits.maxBodyBytes) : undefined
    if (Array.isArray(body) && body.length > this.#limits.maxBatch) {
      throw new AppError('invalid', `a batch has at most ${this.#limits.maxBatch} messages`)
    }
    // A body may take minutes to arrive: who asks is who holds the credential when it is there.
    const who = await this.#options.authenticate(req)
    // A client that left meanwhile sends no further 'close', which is what gives back whatever a leg would take.
    if (res.destroyed) return
    const exchange = { req, res, who, trace: this.#options.traceOf(req), body }
    if (isSubscription(body)) finished()
    await this.#dispatch(route(factsOf(req, body)), exchange)
  }

  async #dispatch(branch: Branch, exchange: Exchange): Promise<void> {
    switch (branch.kind) {
      case 'open_sse':
        return this.#sse.open(exchange.res, exchange.who)
      case 'sse_message':
        return this.#sse.receive(exchange, branch.sessionId)
      case 'modern':
        return this.#modern.serve(exchange)
      case 'initialize':
        return this.#streamable.initialize(exchange)
      case 'session_message':
        return this.#streamable.serve(exchange, branch.sessionId)
      case 'session_stream':
        return this.#streamable.openStream(exchange, branch.sessionId)
      case 'end_session':
        return this.#streamable.end(exchange, branch.sessionId)
      case 'refuse':
        throw new AppError(branch.code, branch.message)
      case 'preflight':
      case 'landing':
        throw new Error(`${branch.kind} is served before authentication`)
    }
  }
}
