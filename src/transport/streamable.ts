import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type RequestId,
  type Server,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import { AppError, quoted } from '../errors.ts'
import { answerError } from './answers.ts'
import { EventStream } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import { withIdentity } from './identity.ts'
import type { Census, LegContext } from './limits.ts'
import { type Session, Sessions } from './sessions.ts'
import type { StreamSlots } from './stream-slots.ts'
import { StreamableTransport } from './streamable-transport.ts'

/** The only version with JSON-RPC batches. Source: MCP changelog 2025-06-18, "Remove support for JSON-RPC batching". */
const BATCH_VERSION = '2025-03-26'

/** One session of the 2025 generation. */
class StreamableSession implements Session {
  readonly id: string
  readonly principalId: string
  readonly transport: StreamableTransport
  readonly #server: Server
  readonly #serving = new Set<ServerResponse>()

  constructor(id: string, principalId: string, server: Server, onStarted: (session: StreamableSession) => void) {
    this.id = id
    this.principalId = principalId
    this.#server = server
    this.transport = new StreamableTransport(id, () => onStarted(this))
  }

  get isBusy(): boolean {
    return this.transport.hasStream || this.#serving.size > 0
  }

  /** Connects the server and serves initialize. */
  async start(exchange: Exchange): Promise<void> {
    await this.#server.connect(this.transport)
    await this.serve(exchange)
  }

  /** Serves one POST; settles when it is answered or its client is gone. */
  async serve(exchange: Exchange): Promise<void> {
    const { res, body } = exchange
    const version = this.transport.protocolVersion
    if (Array.isArray(body) && version !== BATCH_VERSION) {
      throw new AppError('invalid', `version ${version} has no JSON-RPC batches: send one message per request`)
    }
    const messages = Array.isArray(body) ? body : [body]
    const requests = messages.filter(isJSONRPCRequest)
    this.transport.expect(
      requests.map((request) => request.id),
      exchange,
    )
    const answered = this.transport.handleRequest(withIdentity(exchange), res, body)
    await Promise.race([answered.finally(() => this.transport.forget(exchange)), this.#whenClosed(res)])
    for (const id of messages.flatMap(cancelledId)) await this.transport.abandon(id)
  }

  #whenClosed(res: ServerResponse): Promise<void> {
    this.#serving.add(res)
    const { promise, resolve } = Promise.withResolvers<void>()
    res.once('close', () => {
      this.#serving.delete(res)
      resolve()
    })
    return promise
  }

  /** The SDK forgets the waiting requests of a closed transport: their answers are ended here. */
  async close(reason: string): Promise<void> {
    this.transport.farewell(reason)
    await this.#server.close().catch(() => undefined)
    const error = new AppError('not_found', 'the session ended: send initialize again')
    for (const res of this.#serving) if (!res.headersSent) answerError(res, error)
  }
}

/** Protocol generations 2025-03-26 to 2025-11-25: sessions named by the Mcp-Session-Id header. */
export class StreamableLeg {
  readonly #context: LegContext
  readonly #slots: StreamSlots
  readonly #sessions: Sessions<StreamableSession>

  constructor(context: LegContext, slots: StreamSlots) {
    this.#context = context
    this.#slots = slots
    this.#sessions = new Sessions({
      now: context.now,
      idleMs: context.limits.idleMs,
      maxPerPrincipal: context.limits.maxSessionsPerPrincipal,
      remedy: 'send initialize again without Mcp-Session-Id',
    })
  }

  /** Begins a session; every session has an id. */
  async initialize(exchange: Exchange): Promise<void> {
    const { createServer, newId, log } = this.#context
    const server = createServer()
    server.onerror = (error) => log.warn({ err: error }, 'mcp session error')
    const session = new StreamableSession(newId(), exchange.who.id, server, (started) => this.#sessions.add(started))
    await session.start(exchange)
  }

  /** Serves a message of a session; throws `not_found`. */
  async serve(exchange: Exchange, id: string): Promise<void> {
    await this.#sessions.get(id, exchange.who).serve(exchange)
  }

  /** Opens the stream of a session's own messages; throws `not_found`, `conflict` when it is open, `too_many`. */
  openStream({ req, res, who }: Exchange, id: string): void {
    const session = this.#sessions.get(id, who)
    checkVersion(req)
    if (!req.headers.accept?.includes('text/event-stream')) {
      throw new AppError('invalid', 'GET opens the event stream of a session: send Accept: text/event-stream')
    }
    if (session.transport.hasStream) throw new AppError('conflict', 'the event stream of this session is open already')
    const giveBack = this.#slots.take(who.id)
    const onClose = () => {
      giveBack()
      session.transport.detach()
    }
    const headers = { 'Mcp-Session-Id': session.id }
    session.transport.attach(new EventStream(res, { ...this.#context.limits, headers, onClose }))
  }

  /** Ends a session as its client wishes; throws `not_found`. */
  async end({ req, res, who }: Exchange, id: string): Promise<void> {
    const session = this.#sessions.get(id, who)
    checkVersion(req)
    await this.#sessions.end(session, 'the client ended the session')
    res.writeHead(200).end()
  }

  /** What is open now. */
  get census(): Census {
    return {
      generation: '2025',
      sessions: this.#sessions.size,
      streams: this.#sessions.count((session) => session.transport.hasStream),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#sessions[Symbol.asyncDispose]()
  }
}

/** The SDK checks the version of messages; requests that it never sees are checked here. */
function checkVersion(req: IncomingMessage): void {
  const version = req.headers['mcp-protocol-version']
  if (version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) return
  throw new AppError(
    'invalid',
    `MCP-Protocol-Version ${quoted(String(version))} is not one of ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}`,
  )
}

function cancelledId(message: unknown): RequestId[] {
  if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return []
  const id = message.params?.requestId
  return typeof id === 'string' || typeof id === 'number' ? [id] : []
}
