import { PassThrough, type Readable, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResponse,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { explain, failure, isSessionUnknown } from './stdio-errors.ts'

/** Id of the bridge's own initialize; no client counts like this. */
const REPLAY_ID = 'wirety-bridge-initialize'

/** How long the server may take for what the bridge asks on its own account. */
const OWN_REQUEST_MS = 10_000

/** How long a client that has said its last word may wait for answers. */
const LAST_ANSWERS_MS = 3_000
const ANSWER_CHECK_MS = 10

/** The two ends of a bridge. */
export interface BridgeOptions {
  /** The MCP endpoint. */
  readonly url: string
  /** API token; it goes to the server and nowhere else. */
  readonly token: string
  readonly stdin: Readable
  readonly stdout: Writable
  /** Gets everything that is meant for humans. */
  readonly stderr: Writable
}

/** Lets a client that starts programs use a remote endpoint; settles when `stdin` ends and the session is closed. */
export async function bridgeStdio(options: BridgeOptions): Promise<void> {
  await new Bridge(options).run()
}

/** A request without an answer yet. */
interface PendingRequest {
  readonly isModern: boolean
  /** Ends the HTTP request. */
  readonly abort: AbortController
}

/** Messages pass as they are; only the session on the HTTP side is the bridge's own business. */
class Bridge {
  readonly #url: URL
  readonly #token: string
  readonly #stderr: Writable
  /** Ends after the client's input, when its last requests are answered: at its end the transport stops writing. */
  readonly #input: PassThrough
  readonly #inputEnded: Promise<void>
  #endsInLine = true
  readonly #local: StdioServerTransport
  readonly #remote: StreamableHTTPClientTransport
  readonly #pending = new Map<RequestId, PendingRequest>()
  #initialize: JSONRPCRequest | undefined
  /** Settles when the session has begun, or could not. */
  #opened: Promise<void> = Promise.resolve()
  #replay: Promise<void> | undefined
  #replayed: ((answer: JSONRPCResponse) => void) | undefined

  constructor(options: BridgeOptions) {
    this.#url = new URL(options.url)
    this.#token = options.token.trim()
    this.#stderr = options.stderr
    this.#input = new PassThrough()
    options.stdin.pipe(this.#input, { end: false })
    options.stdin.on('data', (chunk: Buffer | string) => {
      this.#endsInLine = String(chunk).endsWith('\n')
    })
    this.#inputEnded = finished(options.stdin, { writable: false }).catch(() => undefined)
    this.#local = new StdioServerTransport(this.#input, options.stdout)
    const headers = { Authorization: `Bearer ${this.#token}` }
    this.#remote = new StreamableHTTPClientTransport(this.#url, { requestInit: { headers } })
  }

  async run(): Promise<void> {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    this.#local.onclose = resolve
    this.#local.onerror = (error) => this.#say(error.message)
    this.#local.onmessage = (message) => void this.#forward(message)
    this.#remote.onerror = (error) => this.#say(explain(error, this.#url))
    this.#remote.onmessage = (message) => void this.#deliver(message)
    await this.#remote.start()
    await this.#local.start()
    void this.#inputEnded.then(() => this.#finish())
    await ended
    await within(OWN_REQUEST_MS, this.#opened).catch(() => undefined)
    await within(OWN_REQUEST_MS, this.#remote.terminateSession()).catch(() => undefined)
    await this.#remote.close()
  }

  /** Reads a last line that lacks its end, and lets the transport go when everything is answered. */
  async #finish(): Promise<void> {
    if (!this.#endsInLine) this.#input.write('\n')
    await this.#answered()
    this.#input.end()
  }

  /** Resolves when nothing waits for an answer any more, or has waited long enough. */
  async #answered(): Promise<void> {
    const start = performance.now()
    do await sleep(ANSWER_CHECK_MS)
    while (this.#pending.size > 0 && performance.now() - start < LAST_ANSWERS_MS)
  }

  async #forward(message: JSONRPCMessage): Promise<void> {
    if (isCancellation(message) && this.#cancel(message)) return
    const abort = new AbortController()
    if (isJSONRPCRequest(message)) this.#pending.set(message.id, { isModern: isModern(message), abort })
    const begins = isJSONRPCRequest(message) && isInitializeRequest(message)
    // A client that does not wait for its session to begin would speak without one.
    if (!begins && !isModern(message)) await this.#opened
    const sent = this.#send(message, abort.signal)
    if (begins) {
      this.#initialize = message
      this.#opened = sent.catch(() => undefined)
    }
    try {
      await sent
    } catch (error) {
      if (isJSONRPCRequest(message)) await this.#fail(message, error)
    }
  }

  /** Sends `message`, if need be in a new session in place of one that the server has forgotten. */
  async #send(message: JSONRPCMessage, signal: AbortSignal): Promise<void> {
    const { sessionId } = this.#remote
    const options = { requestSignal: signal, onRequestStreamEnd: () => this.#lost(message) }
    try {
      await this.#remote.send(message, options)
    } catch (error) {
      if (sessionId === undefined || !isSessionUnknown(error) || isModern(message)) throw error
      await this.#renewSession(sessionId)
      await this.#remote.send(message, options)
    }
  }

  /** Hands `message` to the client, unless it answers a request that was answered or cancelled. */
  async #deliver(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResponse(message) && message.id !== undefined) {
      if (message.id === REPLAY_ID) return this.#replayed?.(message)
      if (!this.#pending.delete(message.id)) return
      if (message.id === this.#initialize?.id) this.#adoptVersion(message)
    }
    await this.#local.send(message).catch((error: Error) => this.#say(error.message))
  }

  /**
   * Without sessions the way to cancel a request over HTTP is to close it. In a session the server is told by the
   * notification. Either way an answer would come too late. Returns whether nothing is left to send.
   */
  #cancel({ params }: JSONRPCNotification): boolean {
    const id = params?.requestId
    if (typeof id !== 'string' && typeof id !== 'number') return false
    const request = this.#pending.get(id)
    this.#pending.delete(id)
    if (!request?.isModern) return false
    request.abort.abort()
    return true
  }

  /** The answer's stream broke off. */
  #lost(message: JSONRPCMessage): void {
    if (isJSONRPCRequest(message)) void this.#fail(message, new Error('the connection broke off'))
  }

  /** Several messages may find the session gone at once; the first of them starts the new one for all. */
  async #renewSession(forgotten: string): Promise<void> {
    if (this.#remote.sessionId !== forgotten) return
    this.#replay ??= this.#replayInitialize().finally(() => {
      this.#replay = undefined
    })
    await this.#replay
  }

  async #replayInitialize(): Promise<void> {
    if (this.#initialize === undefined) return
    this.#say('the server forgot the session: starting a new one')
    const { promise: answered, resolve } = Promise.withResolvers<JSONRPCResponse>()
    this.#replayed = resolve
    await this.#remote.send(
      { ...this.#initialize, id: REPLAY_ID },
      { requestSignal: AbortSignal.timeout(OWN_REQUEST_MS) },
    )
    this.#adoptVersion(await within(OWN_REQUEST_MS, answered))
    await this.#remote.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }

  #adoptVersion(answer: JSONRPCResponse): void {
    if ('result' in answer && typeof answer.result.protocolVersion === 'string') {
      this.#remote.setProtocolVersion(answer.result.protocolVersion)
    }
  }

  async #fail(request: JSONRPCRequest, error: unknown): Promise<void> {
    const { code, message, data } = failure(request, error, this.#url)
    const shown = { code, message: this.#withoutToken(message), ...(data !== undefined && { data }) }
    await this.#deliver({ jsonrpc: '2.0', id: request.id, error: shown })
  }

  #say(text: string): void {
    this.#stderr.write(`wirety-mcp: ${this.#withoutToken(text)}\n`)
  }

  /** Errors of the HTTP client may quote a header. */
  #withoutToken(text: string): string {
    return this.#token === '' ? text : text.replaceAll(this.#token, '[token]')
  }
}

function isCancellation(message: JSONRPCMessage): message is JSONRPCNotification {
  return isJSONRPCNotification(message) && message.method === 'notifications/cancelled'
}

/** Whether the message is of a version without sessions: its envelope names one. */
function isModern(message: JSONRPCMessage): boolean {
  return 'params' in message && typeof message.params?._meta?.[PROTOCOL_VERSION_META_KEY] === 'string'
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
