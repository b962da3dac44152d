import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { bodyOf, configOf, type Json, newNetwork, newOffice, newPeer, peerPath } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

test('a jump peer keeps a port to listen on when it is asked to give it up', async () => {
  const { network, jump } = await newOffice(admin)
  const changed = bodyOf(await admin.put(peerPath(network, jump), { listen_port: 0 }), 200)
  expect(changed).toMatchObject({ listen_port: 51820 })
  expect(await configOf(admin, network, jump)).toContain('\nListenPort = 51820\n')
})

test.each([
  ['203.0.113.5:4500', '203.0.113.5:4500'],
  ['203.0.113.5', '203.0.113.5:51820'],
  ['vpn.example.com:4500', 'vpn.example.com:4500'],
  ['vpn.example.com', 'vpn.example.com:51820'],
  ['[2001:db8::5]:4500', '[2001:db8::5]:4500'],
  ['2001:db8::5', '[2001:db8::5]:51820'],
])('a jump peer with the endpoint %s is reached at %s', async (endpoint, reached) => {
  const network = await newNetwork(admin)
  await newPeer(admin, network, { name: 'jump', is_jump: true, endpoint })
  const laptop = await newPeer(admin, network)
  expect(await configOf(admin, network, laptop)).toContain(`\nEndpoint = ${reached}\n`)
})

test('the configuration of a peer names its jump peers and nothing else', async () => {
  const { network, jump, laptop } = await newOffice(admin, { cidr: '172.16.3.0/24' })
  const config = await configOf(admin, network, laptop)
  expect(config.replace(/= [A-Za-z0-9+/]{43}=$/gm, '= (key)')).toBe(
    `[Interface]
# Name: laptop
PrivateKey = (key)
Address = 172.16.3.2
DNS = 172.16.3.1

[Peer]
# Name: jump
PublicKey = (key)
PresharedKey = (key)
AllowedIPs = 172.16.3.1/32
Endpoint = vpn.example.com:51820
PersistentKeepalive = 25

`,
  )
  expect(config).toContain(`PublicKey = ${jump.public_key}\n`)
  expect(await configOf(admin, network, laptop)).toBe(config)
})

test('the configuration of a jump peer lists every other peer with the prefixes it carries', async () => {
  const network = await newNetwork(admin, { cidr: '172.16.4.0/24' })
  const jump = await newPeer(admin, network, { name: 'jump', is_jump: true, additional_allowed_ips: ['10.99.0.0/16'] })
  const site = await newPeer(admin, network, { name: 'site', additional_allowed_ips: ['192.168.1.0/24'] })
  await newPeer(admin, network, { name: 'phone' })
  const config = await configOf(admin, network, jump)
  expect(config.replace(/= [A-Za-z0-9+/]{43}=$/gm, '= (key)')).toBe(
    `[Interface]
# Name: jump
PrivateKey = (key)
Address = 172.16.4.1
ListenPort = 51820

[Peer]
# Name: site
PublicKey = (key)
PresharedKey = (key)
AllowedIPs = 172.16.4.2/32, 192.168.1.0/24
PersistentKeepalive = 25

[Peer]
# Name: phone
PublicKey = (key)
PresharedKey = (key)
AllowedIPs = 172.16.4.3/32
PersistentKeepalive = 25

`,
  )
  expect(await configOf(admin, network, site)).toContain('AllowedIPs = 172.16.4.1/32, 10.99.0.0/16\n')
})

test('both ends of a tunnel have the same preshared key, and each pair another one', async () => {
  const { network, jump, laptop, server } = await newOffice(admin)
  const keysOf = async (peer: Json) =>
    [...(await configOf(admin, network, peer)).matchAll(/^PresharedKey = (.+)$/gm)].map((match) => match[1])
  const [jumps, laptops, servers] = [await keysOf(jump), await keysOf(laptop), await keysOf(server)]
  expect(jumps).toEqual([...laptops, ...servers])
  expect(new Set(jumps).size).toBe(2)
})

test('nothing but the configuration text shows a private key', async () => {
  const { network, laptop } = await newOffice(admin)
  const key = /^PrivateKey = (.+)$/m.exec(await configOf(admin, network, laptop))?.[1] ?? 'none'
  const paths = ['', '/session', '/reachability'].map((path) => `${peerPath(network, laptop)}${path}`)
  for (const path of [...paths, `/networks/${network.id}/peers`, `/networks/${network.id}`, '/ipam']) {
    expect((await admin.get(path)).text).not.toContain(key)
  }
})
