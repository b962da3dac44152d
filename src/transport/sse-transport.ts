import {
  INVALID_REQUEST,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type MessageExtraInfo,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server'
import type { EventStream } from './event-stream.ts'

/** What a client may ask before it said hello. */
const BEFORE_INITIALIZE: ReadonlySet<string> = new Set(['initialize', 'ping'])

/**
 * One HTTP+SSE connection as the SDK's protocol layer sees it: messages go out as events, and come in through
 * `receive`. Source: MCP specification 2024-11-05, transports, "HTTP with SSE".
 */
export class SseTransport implements Transport {
  readonly sessionId: string
  readonly #stream: EventStream
  readonly #endpoint: string
  #isInitialized = false
  /** Requests of the client that wait for an answer. */
  readonly #unanswered = new Set<RequestId>()
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void

  constructor(sessionId: string, endpoint: string, stream: EventStream) {
    this.sessionId = sessionId
    this.#endpoint = endpoint
    this.#stream = stream
  }

  /** Tells the client where to send its messages. */
  async start(): Promise<void> {
    this.#stream.send('endpoint', this.#endpoint)
  }

  get isBusy(): boolean {
    return this.#unanswered.size > 0
  }

  /** Tells the client why the stream ends. */
  farewell(reason: string): void {
    this.#stream.farewell(reason)
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResponse(message) && message.id !== undefined) this.#unanswered.delete(message.id)
    this.#stream.send('message', JSON.stringify(message))
  }

  async close(): Promise<void> {
    this.#stream.close()
    this.onclose?.()
  }

  /** The SDK calls this when it has agreed on a version, which is the end of initialize. */
  setProtocolVersion(): void {
    this.#isInitialized = true
  }

  /** Delivers one message of the client. @NOTE The SDK would answer tools/call without initialize. */
  async receive(message: JSONRPCMessage, extra: MessageExtraInfo): Promise<void> {
    if (isJSONRPCRequest(message)) this.#unanswered.add(message.id)
    for (const id of cancelledIds(message)) this.#unanswered.delete(id)
    if (this.#isInitialized || !isJSONRPCRequest(message) || BEFORE_INITIALIZE.has(message.method)) {
      this.onmessage?.(message, extra)
      return
    }
    const error = { code: INVALID_REQUEST, message: `${message.method} before initialize: send initialize first` }
    await this.send({ jsonrpc: '2.0', id: message.id, error })
  }
}

/** A cancelled request gets no answer. */
function cancelledIds(message: JSONRPCMessage): RequestId[] {
  if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return []
  const id = message.params?.requestId
  return typeof id === 'string' || typeof id === 'number' ? [id] : []
}
