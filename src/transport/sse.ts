import type { ServerResponse } from 'node:http'
import { toWebRequest } from '@modelcontextprotocol/node'
import { type JSONRPCMessage, parseJSONRPCMessage, type Server } from '@modelcontextprotocol/server'
import type { Principal } from '../core/principal.ts'
import { AppError } from '../errors.ts'
import { EventStream } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import { withIdentity } from './identity.ts'
import type { Census, LegContext } from './limits.ts'
import { type Session, Sessions } from './sessions.ts'
import { SseTransport } from './sse-transport.ts'
import type { StreamSlots } from './stream-slots.ts'

/** As many messages as the SDK takes in one batch of the later generation. */
const MAX_BATCH = 100

/** An open stream of protocol generation 2024-11-05. It lives as long as its connection. */
class SseSession implements Session {
  readonly id: string
  readonly principalId: string
  readonly isBusy = true
  readonly transport: SseTransport
  readonly #server: Server

  constructor(principalId: string, transport: SseTransport, server: Server) {
    this.id = transport.sessionId
    this.principalId = principalId
    this.transport = transport
    this.#server = server
  }

  /** Ends the stream and aborts what is still being worked on. */
  async close(reason: string): Promise<void> {
    this.transport.farewell(reason)
    await this.#server.close().catch(() => undefined)
  }
}

/** Protocol generation 2024-11-05: one GET opens a stream of events, POSTs bring messages that are answered on it. */
export class SseLeg {
  readonly #context: LegContext
  readonly #slots: StreamSlots
  readonly #sessions: Sessions<SseSession>

  constructor(context: LegContext, slots: StreamSlots) {
    this.#context = context
    this.#slots = slots
    this.#sessions = new Sessions({
      now: context.now,
      idleMs: context.limits.idleMs,
      maxPerPrincipal: Number.POSITIVE_INFINITY,
      remedy: 'open a new event stream with GET',
    })
  }

  /** Opens a stream for `who`; throws `too_many`. */
  async open(res: ServerResponse, who: Principal): Promise<void> {
    const { createServer, newId, path, limits, log } = this.#context
    const giveBack = this.#slots.take(who.id)
    res.once('close', giveBack)
    const server = createServer()
    server.onerror = (error) => log.warn({ err: error }, 'mcp sse error')
    const id = newId()
    const stream = new EventStream(res, {
      ...limits,
      onClose: () => void this.#sessions.end(session, 'the connection is gone'),
    })
    const transport = new SseTransport(id, `${path}?sessionId=${encodeURIComponent(id)}`, stream)
    const session = new SseSession(who.id, transport, server)
    this.#sessions.add(session)
    await server.connect(transport)
  }

  /** Takes the messages of one POST; throws `not_found` or `invalid`. */
  async receive(exchange: Exchange, id: string): Promise<void> {
    const { res, who, body } = exchange
    const { transport } = this.#sessions.get(id, who)
    const messages = parseMessages(body)
    const request = withIdentity(exchange)
    const extra = { authInfo: request.auth, request: await toWebRequest(request, body) }
    res.writeHead(202, { 'Content-Type': 'text/plain' }).end('Accepted')
    for (const message of messages) await transport.receive(message, extra)
  }

  /** What is open now. */
  get census(): Census {
    return { generation: '2024-11-05', sessions: this.#sessions.size, streams: this.#sessions.size }
  }

  /** Whether a request waits for an answer on one of the streams. */
  get isBusy(): boolean {
    return this.#sessions.count((session) => session.transport.isBusy) > 0
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#sessions[Symbol.asyncDispose]()
  }
}

function parseMessages(body: unknown): JSONRPCMessage[] {
  const values = Array.isArray(body) ? body : [body]
  if (values.length === 0 || values.length > MAX_BATCH) {
    throw new AppError('invalid', `a batch of ${values.length} messages: send 1 to ${MAX_BATCH}`)
  }
  try {
    return values.map((value) => parseJSONRPCMessage(value))
  } catch (cause) {
    throw new AppError('invalid', 'the body is not a JSON-RPC 2.0 message', { cause })
  }
}
