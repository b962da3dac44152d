import * as captivePortal from '../../src/storage/captive-portal.ts'
import { newSession } from '../auth/people.ts'
import { startProvider, type TestProvider } from '../auth/provider.ts'
import { restClient, startTestApp, type TestApp } from '../harness.ts'
import { JSON_TYPE, type RawAnswer, sendRaw } from './raw.ts'
import { bodyOf, type Json, newPeer } from './topologies.ts'

/** A browser: it keeps the cookies that it is given. */
export interface Browser {
  readonly cookies: Map<string, string>
  get(path: string): Promise<RawAnswer>
  post(path: string, body: unknown): Promise<RawAnswer>
}

/** A network whose jump peer asks who is behind an address: alice owns a laptop, bert a phone, nobody the printer. */
export interface PortalScene extends AsyncDisposable {
  readonly app: TestApp
  readonly provider: TestProvider
  readonly network: Json
  readonly jump: Json
  readonly laptop: Json
  readonly phone: Json
  readonly printer: Json
  /** Sessions by name; root is the administrator. */
  readonly sessions: Readonly<Record<'root' | 'alice' | 'bert', string>>
  /** Moves the clock forwards. */
  pass(ms: number): void
  /** Asks for a link as the jump peer; the answer. */
  ask(body: unknown, token?: string | undefined): Promise<RawAnswer>
  /** A link for a peer; its token. */
  link(peer: Json, fields?: object): Promise<string>
  browser(session?: string): Browser
  /** A browser that has opened `link`. */
  opened(link: string, session?: string): Promise<Browser>
  /** Ids of the peers that the jump peer lets through, now or later. */
  admitted(inMs?: number): Promise<string[]>
}

/** Builds the scene on a server with a provider. */
export async function startPortal(): Promise<PortalScene> {
  const provider = await startProvider()
  let offset = 0
  const app = await startTestApp(provider.settings, { now: () => new Date(Date.now() + offset) })
  const sessions = {
    root: await newSession(app, provider, 'root'),
    alice: await newSession(app, provider, 'alice'),
    bert: await newSession(app, provider, 'bert'),
  }
  const furnished = await furnish(app, sessions)
  const ask: PortalScene['ask'] = (body, token = furnished.jump.token) =>
    postJson(app, '/captive-portal/token', body, token === '' ? {} : { authorization: `Bearer ${token}` })
  const browser = (session?: string) => openBrowser(app, session)
  return {
    ...{ app, provider, sessions, ...furnished, ask, browser },
    pass: (ms) => {
      offset += ms
    },
    link: async (peer, fields = {}) => (await ask({ peer_ip: peer.address, ...fields })).body.token,
    async opened(link, session) {
      const opening = browser(session)
      await opening.get(`/captive-portal/start?token=${link}`)
      return opening
    },
    async admitted(inMs = 0) {
      const now = new Date(app.app.env.now().getTime() + inMs).toISOString()
      const { jump } = furnished
      const rows = await app.app.env.database.read((tx) => captivePortal.listAdmissions(tx, jump.id, now))
      return rows.map((row) => row.peer_id)
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
    },
  }
}

async function furnish(app: TestApp, sessions: PortalScene['sessions']) {
  const root = restClient(app.url, sessions.root)
  const networkFields = { name: 'office', cidr: '10.10.0.0/24', cidr_v6: 'fd00:1:2:3::/64' }
  const network = bodyOf(await root.post('/networks', networkFields), 201)
  for (const id of ['alice', 'bert']) {
    bodyOf(await root.put(`/users/${id}`, { authorized_networks: [network.id] }), 200)
  }
  return {
    network,
    jump: await newPeer(root, network, { name: 'jump', is_jump: true, endpoint: 'vpn.example.com' }),
    laptop: await newPeer(root, network, { name: 'laptop', owner_id: 'alice' }),
    phone: await newPeer(root, network, { name: 'phone', owner_id: 'bert' }),
    printer: await newPeer(root, network, { name: 'printer' }),
  }
}

function postJson(app: TestApp, path: string, body: unknown, headers: Record<string, string>): Promise<RawAnswer> {
  return sendRaw(app, { method: 'POST', path, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) })
}

function openBrowser(app: TestApp, session: string | undefined): Browser {
  const cookies = new Map(session === undefined ? [] : [['wirety_session', session]])
  const cookie = (): Record<string, string> =>
    cookies.size === 0 ? {} : { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }
  const kept = (answer: RawAnswer) => {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  return {
    cookies,
    get: async (path) => kept(await sendRaw(app, { path, headers: cookie() })),
    post: async (path, body) => kept(await postJson(app, path, body, cookie())),
  }
}
