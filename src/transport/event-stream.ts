import type { ServerResponse } from 'node:http'

const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  Connection: 'keep-alive',
  // Without it nginx holds events back. Source: ngx_http_proxy_module, proxy_buffering.
  'X-Accel-Buffering': 'no',
}

/** How long a closed stream may take to deliver its last events. */
const GRACE_MS = 2_000

/** How a stream is kept. */
export interface EventStreamOptions {
  readonly keepAliveMs: number
  readonly maxBufferedBytes: number
  readonly headers?: Record<string, string>
  /** Called once when the connection is gone, whoever ended it. */
  readonly onClose: () => void
}

/** Server-sent events on one response. Source: WHATWG HTML, section 9.2. */
export class EventStream {
  readonly #res: ServerResponse
  readonly #maxBufferedBytes: number

  constructor(res: ServerResponse, options: EventStreamOptions) {
    this.#res = res
    this.#maxBufferedBytes = options.maxBufferedBytes
    const keepAlive = setInterval(() => this.#comment('keepalive'), options.keepAliveMs).unref()
    res.once('close', () => {
      clearInterval(keepAlive)
      options.onClose()
    })
    res.on('error', () => res.destroy())
    res.writeHead(200, { ...HEADERS, ...options.headers })
    res.flushHeaders()
  }

  /** Sends one event; a client that has not read what came before is disconnected instead. `data` is one line. */
  send(event: string, data: string): void {
    if (!this.#isOpen()) return
    if (this.#res.writableLength > this.#maxBufferedBytes) this.#res.destroy()
    else this.#res.write(`event: ${event}\ndata: ${data}\n\n`)
  }

  /** Tells whoever looks at the wire why the stream ends; clients skip comments. `reason` is one line. */
  farewell(reason: string): void {
    if (this.#isOpen()) this.#res.write(`: closing: ${reason}\n\n`)
  }

  /** Ends the stream after what was sent. */
  close(): void {
    if (!this.#isOpen()) return
    this.#res.end()
    const timer = setTimeout(() => this.#res.destroy(), GRACE_MS).unref()
    this.#res.once('close', () => clearTimeout(timer))
  }

  /** While events wait to be read a comment would only add to them. */
  #comment(text: string): void {
    if (this.#isOpen() && this.#res.writableLength === 0) this.#res.write(`: ${text}\n\n`)
  }

  #isOpen(): boolean {
    return !this.#res.writableEnded && !this.#res.destroyed
  }
}
