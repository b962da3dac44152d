import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { MCP_PATH } from '../src/app.ts'
import { startTestApp } from './harness.ts'

/** What the server answers to bytes as they are. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request)
  return text(socket)
}

test('a request line in absolute form, as proxies send it, is answered like any other', async () => {
  await using app = await startTestApp()
  const { host } = new URL(app.url)
  const rest = await raw(app.url, `GET ${app.url}/api/v1/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  expect(rest).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"status":"ok"\}/)

  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
  const head = [
    `POST ${app.url}${MCP_PATH}?sessionId=none HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${app.adminToken}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  expect(await raw(app.url, `${head.join('\r\n')}\r\n\r\n${body}`)).toMatch(/^HTTP\/1\.1 404 /)
  expect(await raw(app.url, `GET http://[::1/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 400 /,
  )
})

test('what is no HTTP request is refused in JSON', async () => {
  await using app = await startTestApp()
  const answer = await raw(app.url, 'FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\{"error":"malformed HTTP request","code":"invalid"\}$/)
  const long = await raw(app.url, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`)
  expect(long).toMatch(/^HTTP\/1\.1 431 /)
})
