import type { IncomingMessage } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import type { Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'

/** A request that is answered, or whose client has gone: one line of the access log. */
export interface Served extends Trace {
  readonly method: string
  /** Pattern of the route, never the path itself; `(none)` where no route matched. */
  readonly route: string
  readonly status: number
  readonly ms: number
  /** User id; empty for nobody. */
  readonly principal_id: string
  /** What was written to the socket, headers included. */
  readonly bytes: number
  /** The answer was an event stream, whose duration says nothing about speed. */
  readonly is_stream?: true
  /** The client left before the answer was complete. */
  readonly is_cut?: true
}

/** What watching requests needs. */
export interface RequestsOptions {
  readonly newId: () => string
  readonly onServed: (served: Served) => void
}

/** Gives every request its id, and tells how each was served. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #open = new WeakMap<IncomingMessage, { readonly trace: Trace; principalId: string }>()

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** Stands before everything else. */
  readonly handler: RequestHandler = (req, res, next) => {
    const began = performance.now()
    const { socket } = req
    const written = socket.bytesWritten
    const trace = { request_id: this.#idOf(req), remote_ip: addressOf(req) }
    const open = { trace, principalId: '' }
    this.#open.set(req, open)
    res.setHeader('X-Request-Id', trace.request_id)
    res.once('close', () => {
      this.#options.onServed({
        ...trace,
        method: req.method,
        route: routeOf(req),
        status: res.statusCode,
        ms: Math.round((performance.now() - began) * 10) / 10,
        principal_id: open.principalId,
        bytes: socket.bytesWritten - written,
        ...(isStream(res) ? { is_stream: true } : {}),
        ...(res.writableFinished ? {} : { is_cut: true }),
      })
    })
    next()
  }

  /** The id and address of a request that `handler` has seen. */
  traceOf(req: IncomingMessage): Trace {
    return this.#open.get(req)?.trace ?? { request_id: '', remote_ip: req.socket.remoteAddress ?? '' }
  }

  /** Remembers for the access log who sent a request. */
  identified(req: IncomingMessage, who: Principal): void {
    const open = this.#open.get(req)
    if (open) open.principalId = who.id
  }

  /** The sender's own id if it is harmless in a log, else a new one. */
  #idOf(req: IncomingMessage): string {
    const given = req.headers['x-request-id']
    return typeof given === 'string' && WELL_FORMED.test(given) ? given : this.#options.newId()
  }
}

const WELL_FORMED = /^[A-Za-z0-9._-]{1,64}$/

/** The address of the client as the trusted proxies tell it, IPv4 in its own form. */
function addressOf(req: Request): string {
  return (req.ip ?? '').replace(/^::ffff:(?=[\d.]+$)/, '')
}

function isStream(res: Response): boolean {
  return String(res.getHeader('content-type') ?? '').startsWith('text/event-stream')
}

function routeOf({ route, baseUrl }: Request): string {
  if (route === undefined) return '(none)'
  const path: unknown = Array.isArray(route.path) ? route.path[0] : route.path
  return `${baseUrl}${path}`
}
