import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { isJSONRPCResponse, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import type { EventStream } from './event-stream.ts'

/** How long a request of the server waits for the client's event stream, which opens right after initialize. */
const STREAM_WAIT_MS = 5_000

/**
 * The SDK's transport of one 2025 session, with what it lacks when requests are answered as JSON: it would drop
 * the server's own requests and notifications, and never answer a request that its client cancelled.
 */
export class StreamableTransport extends NodeStreamableHTTPServerTransport {
  /** The version that initialize agreed on. */
  protocolVersion: string | undefined
  /** Requests that wait for an answer, and the exchange that brought each. */
  readonly #unanswered = new Map<RequestId, object>()
  #stream: EventStream | undefined
  #streamOpened = Promise.withResolvers<EventStream>()

  constructor(sessionId: string, onStarted: () => void) {
    super({ sessionIdGenerator: () => sessionId, enableJsonResponse: true, onsessioninitialized: onStarted })
  }

  /** The SDK calls this when it has agreed on a version. */
  setProtocolVersion(version: string): void {
    this.protocolVersion = version
  }

  get hasStream(): boolean {
    return this.#stream !== undefined
  }

  /** From now on messages of the server go to `stream`. */
  attach(stream: EventStream): void {
    this.#stream = stream
    this.#streamOpened.resolve(stream)
  }

  /** The client's stream is gone. */
  detach(): void {
    this.#stream = undefined
    this.#streamOpened = Promise.withResolvers()
  }

  /** Notes requests that wait for an answer; throws `invalid` for an id that already does: one of both would hang. */
  expect(ids: readonly RequestId[], exchange: object): void {
    const taken = ids.find((id, i) => this.#unanswered.has(id) || ids.indexOf(id) !== i)
    if (taken !== undefined) {
      throw new AppError('invalid', `request id ${JSON.stringify(taken)} is in use: give every request its own`)
    }
    for (const id of ids) this.#unanswered.set(id, exchange)
  }

  /** Whatever `exchange` brought is answered or was refused. */
  forget(exchange: object): void {
    for (const [id, owner] of this.#unanswered) if (owner === exchange) this.#unanswered.delete(id)
  }

  /** Answers a cancelled request, whose HTTP request would stay open otherwise: the SDK is silent then. */
  async abandon(id: RequestId): Promise<void> {
    if (!this.#unanswered.has(id)) return
    await this.send({ jsonrpc: '2.0', id, error: { code: -32000, message: 'cancelled by the client' } })
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResponse(message)) {
      if (message.id !== undefined) this.#unanswered.delete(message.id)
      await super.send(message)
    } else if ('id' in message) {
      const stream = this.#stream ?? (await this.#streamWithin(STREAM_WAIT_MS))
      stream.send('message', JSON.stringify(message))
    } else {
      this.#stream?.send('message', JSON.stringify(message))
    }
  }

  /** Tells the client why its stream ends. */
  farewell(reason: string): void {
    this.#stream?.farewell(reason)
  }

  override async close(): Promise<void> {
    this.#stream?.close()
    await super.close()
  }

  async #streamWithin(ms: number): Promise<EventStream> {
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('the client has no event stream open')), ms).unref()
    return await Promise.race([this.#streamOpened.promise, promise]).finally(() => clearTimeout(timer))
  }
}
