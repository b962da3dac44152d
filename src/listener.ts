import { once } from 'node:events'
import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from './config.ts'
import { AppError } from './errors.ts'

/** What Node's parser refuses before there is a request, answered like every other refusal. */
function answerBrokenRequests(server: Server): void {
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    const isLarge = error.code === 'HPE_HEADER_OVERFLOW'
    const body = JSON.stringify(
      new AppError('invalid', isLarge ? 'the request head is too large' : 'malformed HTTP request').body,
    )
    const status = isLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'
    const head = [
      `HTTP/1.1 ${status}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  })
}

/** Listens where the settings say; the answer is the URL. */
export async function listen(server: Server, config: Pick<Config, 'host' | 'port'>): Promise<string> {
  answerBrokenRequests(server)
  server.listen(config.port, config.host)
  await once(server, 'listening').catch((cause) => {
    throw new AppError(
      'unavailable',
      `cannot listen at ${config.host}:${config.port} (${cause.code}): change HOST or HTTP_PORT`,
      { cause },
    )
  })
  // a TCP server's address is an object
  const { port } = server.address() as AddressInfo
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return `http://${host}:${port}`
}

/** How long running requests may take to finish. */
const GRACE_MS = 5_000
const IDLE_CHECK_MS = 50

/** Waits until a server that was closed has answered what it was asked; cuts off who takes too long. */
export async function drained(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
  server.closeIdleConnections()
  if ((await connections(server)) > 0) await once(server, 'close')
  clearInterval(idle)
  clearTimeout(cut)
}

/** Number of open connections. */
export function connections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}

/**
 * `handler` for requests whose line names the whole URL, as proxies write it: it gets path and query, as everybody else
 * sends them. Source: RFC 9112, section 3.2.
 */
export function originForm(handler: RequestListener): RequestListener {
  return (req, res) => {
    const line = req.url ?? '/'
    if (!line.startsWith('/') && line !== '*') {
      const url = URL.parse(line)
      if (!url) return refuse(res, new AppError('invalid', 'the request line names no valid URL'))
      req.url = `${url.pathname}${url.search}`
    }
    handler(req, res)
  }
}

function refuse(res: ServerResponse, error: AppError): void {
  res.writeHead(error.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(error.body))
}
