import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { guardSlowReaders } from '../../src/transport/slow-readers.ts'
import { beginSession, call, initialize, PATH, post, startEndpoint, until } from './harness.ts'

const MEGABYTE = 1024 * 1024

/** Sends a request by hand on a connection that reads nothing unless told. */
function rawRequest(port: number, head: string, body = ''): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`${head}\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  onTestFinished(() => void socket.destroy())
  return socket.pause()
}

async function connections(server: Server): Promise<number> {
  return await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
}

test('a connection that stopped reading is destroyed, a slow one that goes on is not', async () => {
  const server = createServer((_, res) => res.end(Buffer.alloc(48 * MEGABYTE)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  using _guard = guardSlowReaders(server, { stallMs: 600, scanMs: 50 })
  const { port } = server.address() as AddressInfo
  rawRequest(port, 'GET / HTTP/1.1')
  const slow = rawRequest(port, 'GET / HTTP/1.1')
  let received = 0
  let isClosed = false
  slow.on('close', () => {
    isClosed = true
  })
  await until(async () => (await connections(server)) === 2)
  for (let i = 0; i < 300 && !isClosed; i++) {
    received += (slow.read() as Buffer | null)?.length ?? 0
    await sleep(5)
  }
  expect(await connections(server)).toBe(1)
  expect([isClosed, received > 0]).toEqual([false, true])
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test('a client that does not read its answer is disconnected while another client goes on', async () => {
  await using app = await startEndpoint()
  using _guard = guardSlowReaders(app.http, { stallMs: 300 })
  const session = await beginSession(app.url, 'ada')
  const head = [
    `POST ${PATH} HTTP/1.1`,
    'Authorization: Bearer ada',
    `Mcp-Session-Id: ${session}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
  ].join('\r\n')
  const stalled = new Promise<Socket>((resolve) => app.http.once('connection', resolve))
  rawRequest(Number(app.url.port), head, JSON.stringify(call('big', { bytes: 48 * MEGABYTE })))
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  ;(await stalled).once('close', () => resolve())
  for (let i = 0; i < 3; i++) {
    const other = await post(app.url, 'ada', call('whoami', {}, `other-${i}`), { 'Mcp-Session-Id': session })
    expect(other.status).toBe(200)
  }
  await closed
})

test('an event stream with too many unread bytes is disconnected at the next event', async () => {
  await using app = await startEndpoint({ limits: { maxBufferedBytes: MEGABYTE } })
  const socket = rawRequest(
    Number(app.url.port),
    `GET ${PATH} HTTP/1.1\r\nAuthorization: Bearer ada\r\nAccept: text/event-stream`,
  )
  await new Promise((resolve) => socket.once('readable', resolve))
  const endpoint = new URL(/data: (\S+)/.exec(String(socket.read()))![1]!, app.url)
  await post(endpoint, 'ada', initialize('2024-11-05'))
  await post(endpoint, 'ada', call('big', { bytes: 48 * MEGABYTE }))
  await until(async () => (await post(endpoint, 'ada', call('whoami'))).status === 404)
  expect((await post(app.url, 'ada', initialize('2025-11-25'))).status).toBe(200)
})

test('one large event to a client that reads is no reason to disconnect it', async () => {
  await using app = await startEndpoint({ limits: { maxBufferedBytes: MEGABYTE } })
  const response = await fetch(app.url, { headers: { Authorization: 'Bearer ada', Accept: 'text/event-stream' } })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const endpoint = new URL(/data: (\S+)/.exec((await reader.read()).value!)![1]!, app.url)
  await post(endpoint, 'ada', initialize('2024-11-05'))
  for (let round = 0; round < 2; round++) {
    await post(endpoint, 'ada', call('big', { bytes: 8 * MEGABYTE }))
    let received = 0
    while (received < 8 * MEGABYTE) received += (await reader.read()).value!.length
  }
  await reader.cancel()
})
