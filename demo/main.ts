import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { type App, MCP_PATH, startApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createLog } from '../src/log.ts'
import * as incidents from '../src/storage/incidents.ts'

const PASSWORD = 'only for this demo'

const say = (text: string) => console.log(text)
const heading = (text: string) => say(`\n## ${text}`)
const indented = (text: string) => text.replace(/^/gm, '      ')

/** A person signs in with a password and makes an API token for the assistant. */
async function makeToken(app: App): Promise<string> {
  const login = await post(app, '/auth/login', {}, { username: 'admin', password: PASSWORD })
  const token = await post(
    app,
    '/users/me/tokens',
    { authorization: `Session ${login.session_hash}` },
    { name: 'demo' },
  )
  return token.token ?? ''
}

async function post(
  app: App,
  path: string,
  headers: Record<string, string>,
  body: object,
): Promise<Record<string, string>> {
  const response = await fetch(`${app.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return (await response.json()) as Record<string, string> // the API's answers are JSON objects
}

/** An assistant's connection: a real MCP client over HTTP+SSE. */
async function connect(app: App, token: string): Promise<Client> {
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  const transport = new SSEClientTransport(new URL(`${app.url}${MCP_PATH}`), { requestInit })
  const client = new Client({ name: 'demo', version: '1.0.0' })
  await client.connect(transport)
  return client
}

/** Calls a tool and prints what an assistant would read. */
async function call(
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  say(`\n  -> ${name} ${JSON.stringify(args)}`)
  const result = await client.callTool({ name, arguments: args })
  const content = result.content as { text: string }[] // every result of ours is text
  say(indented(content.map((item) => item.text).join('\n')))
  return (result.structuredContent ?? {}) as Record<string, unknown> // objects, by each tool's output schema
}

/** What the detection does when two hosts use one configuration. */
async function raiseIncident(app: App, peer: Record<string, unknown>, networkId: string): Promise<string> {
  const { database, random, now } = app.env
  const id = random.newId()
  const found = {
    id,
    network_id: networkId,
    peer_id: String(peer.id),
    peer_name: String(peer.name),
    incident_type: 'shared_config' as const,
    detected_at: now().toISOString(),
    public_key: String(peer.public_key),
    endpoints: ['203.0.113.5:51820', '198.51.100.1:51820'],
    details: `Peer ${peer.name} was seen at 2 addresses within 5 minutes`,
    blocks: true,
  }
  await database.write((tx) => incidents.raise(tx, found))
  return id
}

async function scenario(app: App): Promise<void> {
  heading('A person signs in through REST and makes a token for the assistant')
  const token = await makeToken(app)
  say(`  token ${token.slice(0, 12)}... (shown once)`)

  heading('The assistant connects over HTTP+SSE and looks around')
  const client = await connect(app, token)
  say(`  ${(await client.listTools()).tools.length} tools from ${client.getServerVersion()?.name}`)
  await call(client, 'list_networks')

  heading('It plans and builds a network')
  const suggestion = await call(client, 'suggest_cidrs', { max_peers: 50 })
  const [cidr] = suggestion.cidrs as string[] // by the tool's output schema
  const network = await call(client, 'create_network', { name: 'office', cidr })
  await call(client, 'create_peer', { network_id: 'office', name: 'hub', is_jump: true, endpoint: 'vpn.example.com' })
  const laptop = await call(client, 'create_peer', { network_id: 'office', name: 'laptop-alice', use_agent: true })
  await call(client, 'create_peer', { network_id: 'office', name: 'server-bob', use_agent: true })

  heading('It asks who reaches whom')
  await call(client, 'compute_reachability', { network_id: 'office', peer_id: 'laptop-alice' })

  heading('Somebody copies the laptop’s configuration: the peer is blocked')
  const incident = await raiseIncident(app, laptop, String(network.id))
  await call(client, 'list_incidents', { resolved: false })
  await call(client, 'compute_reachability', { network_id: 'office', peer_id: 'laptop-alice' })

  heading('The assistant resolves the incident, and the laptop is back')
  await call(client, 'resolve_incident', { incident_id: incident })
  await call(client, 'compute_reachability', { network_id: 'office', peer_id: 'laptop-alice' })

  heading('A mistake is answered with its repair, and keys stay hidden')
  await call(client, 'get_peer', { network_id: 'office', peer_id: 'laptop-alise' })
  await call(client, 'get_peer_config', { network_id: 'office', peer_id: 'laptop-alice' })

  heading('A person sees the same through REST')
  const response = await fetch(`${app.url}/api/v1/networks/${network.id}/peers`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const page = (await response.json()) as { data: { name: string; address: string }[] } // by the operation's output
  say(`  GET /networks/${network.id}/peers -> ${response.status}`)
  for (const peer of page.data) say(`      ${peer.name}  ${peer.address}`)
  await client.close()
}

const directory = await mkdtemp(join(tmpdir(), 'wirety-mcp-demo-'))
try {
  const settings = { HTTP_PORT: '0', DATABASE_URL: `file:${join(directory, 'demo.db')}`, AUTH_PASSWORD: PASSWORD }
  await using app = await startApp({ ...readConfig(settings), log: createLog('warn') })
  say(`# A throw-away server at ${app.url}`)
  await scenario(app)
  say('\nDone; the server and its database are gone.')
} finally {
  await rm(directory, { recursive: true, force: true })
}
