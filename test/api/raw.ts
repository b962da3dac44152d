import { type IncomingHttpHeaders, request } from 'node:http'
import type { TestApp } from '../harness.ts'
import type { Json } from './topologies.ts'

/** An HTTP request as it goes over the wire: nothing in the path, the headers or the body is put right. */
export interface RawRequest {
  readonly method?: string
  /** Below `/api/v1`, sent as it is. */
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  /** Sends the body without announcing its length. */
  readonly chunked?: boolean
}

/** The answer to a raw request. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The text as JSON; undefined when it is none. */
  readonly body: Json
}

/** Header of a body in JSON. */
export const JSON_TYPE = { 'content-type': 'application/json' }

/** Sends a request of the administrator. */
export function sendAsAdmin(app: TestApp, wanted: RawRequest): Promise<RawAnswer> {
  return sendRaw(app, { ...wanted, headers: { authorization: `Bearer ${app.adminToken}`, ...wanted.headers } })
}

/** Sends a request on a connection of its own. */
export function sendRaw(app: TestApp, wanted: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(app.url)
  const { method = 'GET', headers = {}, body, chunked = false } = wanted
  const length: Record<string, string> =
    body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const req = request(
      { hostname, port, method, path: `/api/v1${wanted.path}`, headers: { ...length, ...headers }, agent: false },
      (res) => {
        const parts: Buffer[] = []
        res.on('data', (part: Buffer) => parts.push(part))
        res.on('end', () => {
          const text = Buffer.concat(parts).toString()
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, body: jsonOf(text) })
        })
      },
    )
    req.on('error', reject)
    if (chunked) req.flushHeaders()
    req.end(body)
  })
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
