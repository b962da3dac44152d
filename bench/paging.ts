import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type App, startApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { formatAddress, parsePrefix } from '../src/core/address.ts'
import { createLog } from '../src/log.ts'
import * as peers from '../src/storage/peers.ts'

const PASSWORD = 'only for this bench'
const ROWS = Number(process.argv[2] ?? 100_000)
const RUNS = 41

/** Fills a network with peers, without the API's cost for each. */
async function fill(app: App, networkId: string, cidr: string): Promise<void> {
  const { database, random, vault, now } = app.env
  const { base } = parsePrefix(cidr)
  const keys = random.newKeyPair()
  const at = now().toISOString()
  await database.write(async (tx) => {
    for (let host = 1; host <= ROWS; host++) {
      const peer = {
        id: random.newId(),
        network_id: networkId,
        name: `peer-${host}`,
        public_key: `${keys.publicKey}${host}`,
        address: formatAddress(4, base + BigInt(host)),
        address_v6: null,
        endpoint: '',
        listen_port: 0,
        additional_allowed_ips: [],
        is_jump: false,
        use_agent: true,
        owner_id: null,
        created_at: at,
        updated_at: at,
      }
      await peers.insert(tx, vault, peer, { privateKey: keys.privateKey, token: `enr_${host}` })
    }
  })
}

/** Median time of one GET, in milliseconds. */
async function median(url: string, token: string): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    const response = await fetch(url, { headers: { authorization: `Session ${token}` } })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0
}

async function post(url: string, body: object, token?: string): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Session ${token}` } : {}) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string> // the API's answers are JSON objects
}

const directory = await mkdtemp(join(tmpdir(), 'wirety-mcp-bench-'))
try {
  const settings = { HTTP_PORT: '0', DATABASE_URL: `file:${join(directory, 'bench.db')}`, AUTH_PASSWORD: PASSWORD }
  await using app = await startApp({ ...readConfig(settings), log: createLog('warn') })
  const api = `${app.url}/api/v1`
  const { session_hash = '' } = await post(`${api}/auth/login`, { username: 'admin', password: PASSWORD })
  const cidr = '10.0.0.0/8'
  const { id = '' } = await post(`${api}/networks`, { name: 'large', cidr }, session_hash)
  await fill(app, id, cidr)
  await sleep(500) // filling blocks the process, and connections that were kept open end meanwhile
  const pages = { first: 1, middle: Math.ceil(ROWS / 40), last: Math.ceil(ROWS / 20) }
  console.log(`GET of a page of 20 among ${ROWS} rows, median of ${RUNS}, ms`)
  for (const [name, path] of Object.entries({ peers: `/networks/${id}/peers`, allocations: '/ipam' })) {
    for (const [where, page] of Object.entries(pages)) {
      const ms = await median(`${api}${path}?page_size=20&page=${page}`, session_hash)
      console.log(`${name.padEnd(12)} ${where.padEnd(7)} ${ms.toFixed(2)}`)
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
