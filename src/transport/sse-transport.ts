import {
  INVALID_REQUEST,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type MessageExtraInfo,
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

  async send(message: JSONRPCMessage): Promise<void> {
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
    if (this.#isInitialized || !isJSONRPCRequest(message) || BEFORE_INITIALIZE.has(message.method)) {
      this.onmessage?.(message, extra)
      return
    }
    const error = { code: INVALID_REQUEST, message: `${message.method} before initialize: send initialize first` }
    await this.send({ jsonrpc: '2.0', id: message.id, error })
  }
}
