import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import * as v2 from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { expect, test } from 'vitest'
import { bridgeStdio } from '../../src/transport/stdio.ts'
import { call, initialize, startEndpoint, type TestEndpoint, textOf, until } from './harness.ts'

const INFO = { name: 'test', version: '1' }

function child(app: TestEndpoint) {
  const script = fileURLToPath(new URL('stdio-child.ts', import.meta.url))
  return { command: process.execPath, args: [script, app.url.href], env: { WIRETY_TOKEN: 'ada' } }
}

function methodsOf(app: TestEndpoint): string[] {
  const methods: string[] = []
  app.http.on('request', (req) => methods.push(req.method ?? ''))
  return methods
}

/** A bridge within this process, whose ends are driven by hand. */
function startBridge(url: string, token = 'ada') {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const received: unknown[] = []
  let buffer = ''
  stdout.on('data', (chunk) => {
    const lines = `${buffer}${chunk}`.split('\n')
    buffer = lines.pop() ?? ''
    received.push(...lines.map((line) => JSON.parse(line)))
  })
  const ended = bridgeStdio({ url, token, stdin, stdout, stderr })
  const told = text(stderr)
  return {
    received,
    sendRaw: (text: string) => stdin.write(text),
    send: (message: object) => stdin.write(`${JSON.stringify(message)}\n`),
    async ask(message: object) {
      const count = received.length
      stdin.write(`${JSON.stringify(message)}\n`)
      await until(() => received.length > count)
      return received.at(-1)
    },
    /** Ends the input; resolves with everything that was written for humans. */
    async end() {
      stdin.end()
      await ended
      stderr.end()
      return await told
    },
  }
}

test('a 2025 client of a child process works, and its session is closed with its input', async () => {
  await using app = await startEndpoint()
  const methods = methodsOf(app)
  const client = new ClientV1(INFO)
  await client.connect(new StdioV1(child(app)))
  expect((await client.listTools()).tools).toHaveLength(4)
  expect(textOf(await client.callTool({ name: 'whoami' }))).toBe('ada')
  await client.close()
  await until(() => methods.includes('DELETE'))
})

test('a 2026 client of a child process works and can cancel', async () => {
  await using app = await startEndpoint()
  const client = new v2.Client(INFO, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StdioClientTransport(child(app)))
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  expect(textOf(await client.callTool({ name: 'whoami' }))).toBe('ada')
  const abort = new AbortController()
  const held = client.callTool({ name: 'hold' }, { signal: abort.signal }).catch(() => 'aborted')
  await new Promise((resolve) => setTimeout(resolve, 200))
  abort.abort()
  expect(await held).toBe('aborted')
  await until(() => app.aborted() === 1)
  await expect(client.callTool({ name: 'whoami' })).resolves.toBeDefined()
  await client.close()
})

test("the server's own error reaches the client as it is", async () => {
  await using app = await startEndpoint()
  const bridge = startBridge(app.url.href)
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  expect(await bridge.ask({ jsonrpc: '2.0', id: 7, method: 'prompts/list', params: { _meta } })).toEqual({
    jsonrpc: '2.0',
    id: 7,
    error: { code: -32601, message: 'Method not found' },
  })
  await bridge.end()
})

test('a refused token is named by its setting and never printed', async () => {
  await using app = await startEndpoint()
  const bridge = startBridge(app.url.href, 'nobody')
  expect(await bridge.ask(initialize('2025-11-25', 'first'))).toEqual({
    jsonrpc: '2.0',
    id: 'first',
    error: {
      code: -32001,
      message: `the server at ${app.url} refuses the token in WIRETY_TOKEN: make a new API token and put it there`,
    },
  })
  const told = await bridge.end()
  expect(told).toContain('WIRETY_TOKEN')
  expect(told + JSON.stringify(bridge.received)).not.toContain('nobody')
})

test('a token that cannot be sent is not printed either', async () => {
  const bridge = startBridge('http://127.0.0.1:9', 'se\u{1F600}cret')
  const answer = await bridge.ask(initialize('2025-11-25'))
  expect(answer).toMatchObject({ id: 1, error: { message: expect.stringContaining('no answer from') } })
  expect((await bridge.end()) + JSON.stringify(answer)).not.toContain('cret')
})

test('what the server says about a refusal reaches the client', async () => {
  await using app = await startEndpoint()
  const bridge = startBridge(app.url.href)
  expect(await bridge.ask(call('whoami', {}, 4))).toMatchObject({
    id: 4,
    error: { code: -32600, message: expect.stringContaining('answered HTTP 400: send an initialize request') },
  })
  await bridge.end()
})

test('a server that is not there is named by its address', async () => {
  const app = await startEndpoint()
  await app[Symbol.asyncDispose]()
  const bridge = startBridge(app.url.href)
  expect(await bridge.ask(initialize('2025-11-25'))).toMatchObject({
    id: 1,
    error: { message: `no answer from ${app.url} (ECONNREFUSED): check that the server runs there` },
  })
  expect(await bridge.end()).toContain('ECONNREFUSED')
})

test('a session that the server forgot is begun again without the client noticing', async () => {
  const first = await startEndpoint()
  const bridge = startBridge(first.url.href)
  expect(await bridge.ask(initialize('2025-06-18', 'i'))).toMatchObject({
    id: 'i',
    result: { protocolVersion: '2025-06-18' },
  })
  bridge.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  expect(await bridge.ask(call('whoami', {}, 1))).toMatchObject({ id: 1, result: {} })
  await first[Symbol.asyncDispose]()
  await using second = await startEndpoint({ port: Number(first.url.port) })
  const methods = methodsOf(second)
  const before = bridge.received.length
  bridge.send(call('whoami', {}, 2))
  bridge.send(call('whoami', {}, 3))
  await until(() => bridge.received.length === before + 2)
  const ids = bridge.received.slice(before).map((message) => (message as { id: number }).id)
  expect(ids.sort()).toEqual([2, 3])
  expect(bridge.received.slice(before)).toMatchObject([{ result: {} }, { result: {} }])
  expect(methods.filter((method) => method === 'POST')).toHaveLength(6)
  expect(await bridge.end()).toContain('the server forgot the session')
  expect(methods).toContain('DELETE')
})

test('an answer that comes after the client cancelled is dropped', async () => {
  await using app = await startEndpoint()
  const bridge = startBridge(app.url.href)
  await bridge.ask(initialize('2025-11-25'))
  bridge.send(call('hold', {}, 5))
  await new Promise((resolve) => setTimeout(resolve, 100))
  bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } })
  await until(() => app.aborted() === 1)
  expect(await bridge.ask(call('whoami', {}, 6))).toMatchObject({ id: 6 })
  expect(bridge.received).toHaveLength(2)
  await bridge.end()
})

test('a last line without its end is read', async () => {
  await using app = await startEndpoint()
  const bridge = startBridge(app.url.href)
  bridge.sendRaw(JSON.stringify(initialize('2025-06-18')))
  await bridge.end()
  expect(bridge.received).toMatchObject([{ result: { protocolVersion: '2025-06-18' } }])
})

test('a client that writes its requests and ends its input gets all answers', async () => {
  await using app = await startEndpoint()
  const bridge = startBridge(app.url.href)
  bridge.send(initialize('2025-06-18'))
  bridge.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  bridge.send(call('whoami', {}, 'last'))
  await bridge.end()
  expect(bridge.received).toMatchObject([{ result: { protocolVersion: '2025-06-18' } }, { id: 'last', result: {} }])
})
