import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rest, startTestApp, type TestApp } from '../harness.ts'
import { groupPath, join, LAN_RULE, newGroup, newPolicy, newRoute, routePath } from './policy-objects.ts'
import { bodyOf, configOf, type Json, newOffice, newPeer, newUser } from './topologies.ts'

let app: TestApp
let admin: Rest

beforeAll(async () => {
  app = await startTestApp()
  admin = app.as(app.adminToken)
})

afterAll(() => app[Symbol.asyncDispose]())

/** The allowed IPs of each peer that the configuration of `peer` lists. */
async function allowedIps(network: Json, peer: Json, rest = admin): Promise<Record<string, string>> {
  const config = await configOf(rest, network, peer)
  const sections = [...config.matchAll(/\[Peer\]\n# Name: (\S+)\n(?:.+\n)*?AllowedIPs = (.*)\n/g)]
  expect(sections).toHaveLength(config.split('[Peer]').length - 1)
  return Object.fromEntries(sections.map(([, name, ips]) => [name, ips]))
}

/** An office with two jump peers, a group with the laptop, and each peer's `/32`. */
async function newRouted(fields: object = {}) {
  const { network, jump, laptop, server } = await newOffice(admin, fields)
  const second = await newPeer(admin, network, { name: 'second', is_jump: true })
  const group = await newGroup(admin, network)
  await join(admin, group, 'peers', laptop)
  return { network, jump, laptop, server, second, group, host: (peer: Json) => `${peer.address}/32` }
}

test('a route is carried by its jump peer and by no other, for the peers of its groups and for no others', async () => {
  const { network, jump, second, laptop, server, group, host } = await newRouted()
  const plain = { jump: host(jump), second: host(second) }
  expect(await allowedIps(network, laptop)).toEqual(plain)
  const route = await newRoute(admin, network, second)
  expect(await allowedIps(network, laptop)).toEqual(plain)
  await join(admin, group, 'routes', route)
  expect(await allowedIps(network, laptop)).toEqual({ jump: host(jump), second: `${host(second)}, 192.168.1.0/24` })
  expect(await allowedIps(network, server)).toEqual(plain)
  expect(await allowedIps(network, jump)).toEqual({ laptop: host(laptop), server: host(server), second: host(second) })
  expect(await allowedIps(network, second)).toEqual({ jump: host(jump), laptop: host(laptop), server: host(server) })
  bodyOf(await admin.delete(`${groupPath(group)}/routes/${route.id}`), 204)
  expect(await allowedIps(network, laptop)).toEqual(plain)
})

test('a route moves with its jump peer and its prefix, and goes with its group', async () => {
  const { network, jump, second, laptop, group, host } = await newRouted()
  const route = await newRoute(admin, network, jump)
  await join(admin, group, 'routes', route)
  expect(await allowedIps(network, laptop)).toEqual({ jump: `${host(jump)}, 192.168.1.0/24`, second: host(second) })
  bodyOf(await admin.put(routePath(route), { jump_peer_id: second.id, destination_cidr: '192.168.2.0/24' }), 200)
  expect(await allowedIps(network, laptop)).toEqual({ jump: host(jump), second: `${host(second)}, 192.168.2.0/24` })
  bodyOf(await admin.delete(groupPath(group)), 204)
  expect(await allowedIps(network, laptop)).toEqual({ jump: host(jump), second: host(second) })
})

test('a peer in two groups carries the prefix of a route that both have once', async () => {
  const { network, jump, second, laptop, group, host } = await newRouted()
  const other = await newGroup(admin, network, { name: 'other', priority: 1 })
  const lan = await newRoute(admin, network, jump)
  const same = await newRoute(admin, network, jump, { name: 'same-prefix' })
  const dual = { destination_cidr: '192.168.2.0/24', destination_cidr_v6: 'fd00:2::/64' }
  const wan = await newRoute(admin, network, jump, { name: 'wan', ...dual })
  await join(admin, other, 'peers', laptop)
  await join(admin, group, 'routes', lan, same, wan)
  await join(admin, other, 'routes', wan, lan)
  expect(await allowedIps(network, laptop)).toEqual({
    jump: `${host(jump)}, 192.168.2.0/24, fd00:2::/64, 192.168.1.0/24`,
    second: host(second),
  })
})

test('a jump peer in a group uses the routes of other jump peers', async () => {
  const { network, jump, second, laptop, server, group, host } = await newRouted()
  await join(admin, group, 'routes', await newRoute(admin, network, second))
  await join(admin, group, 'peers', jump)
  expect(await allowedIps(network, jump)).toEqual({
    laptop: host(laptop),
    server: host(server),
    second: `${host(second)}, 192.168.1.0/24`,
  })
})

test('a route to the whole network or to everything stands beside the address of its jump peer', async () => {
  const { network, jump, second, laptop, group, host } = await newRouted({
    cidr: '172.22.0.0/24',
    cidr_v6: 'fd22::/64',
  })
  const whole = { destination_cidr: network.cidr, destination_cidr_v6: network.cidr_v6 }
  await join(admin, group, 'routes', await newRoute(admin, network, jump, { name: 'office', ...whole }))
  const all = { name: 'everything', destination_cidr: '0.0.0.0/0', destination_cidr_v6: '::/0' }
  await join(admin, group, 'routes', await newRoute(admin, network, second, all))
  expect(await allowedIps(network, laptop)).toEqual({
    jump: `${host(jump)}, ${jump.address_v6}/128, 172.22.0.0/24, fd22::/64`,
    second: `${host(second)}, ${second.address_v6}/128, 0.0.0.0/0, ::/0`,
  })
})

test('a route to the address of a jump peer does not take it away from that jump peer', async () => {
  const { network, jump, second, laptop, group, host } = await newRouted()
  const route = await newRoute(admin, network, second, { name: 'jump-alone', destination_cidr: host(jump) })
  await join(admin, group, 'routes', route)
  expect(await allowedIps(network, laptop)).toEqual({ jump: host(jump), second: host(second) })
})

test('a user finds the routes of its groups in the configuration of its own peer', async () => {
  const { network, jump, second, group, host } = await newRouted()
  await join(admin, group, 'routes', await newRoute(admin, network, jump))
  const xenia = await newUser(app, 'xenia', network)
  const phone = await newPeer(xenia, network, { name: 'phone' })
  expect(await allowedIps(network, phone, xenia)).toEqual({ jump: host(jump), second: host(second) })
  await join(admin, group, 'peers', phone)
  expect(await allowedIps(network, phone, xenia)).toEqual({
    jump: `${host(jump)}, 192.168.1.0/24`,
    second: host(second),
  })
})

test('a user does not claim the prefix of a route, nor a part of it', async () => {
  const { network, jump } = await newRouted()
  await newRoute(admin, network, jump, { destination_cidr: '192.168.50.0/24' })
  const yusuf = await newUser(app, 'yusuf', network)
  for (const claimed of ['192.168.50.0/24', '192.168.50.7/32', '192.168.0.0/16']) {
    const body = { name: 'thief', additional_allowed_ips: [claimed] }
    expect(await yusuf.post(`/networks/${network.id}/peers`, body)).toMatchObject({ status: 409 })
  }
})

test('policies do not change a configuration', async () => {
  const { network, laptop, jump, group } = await newRouted()
  const before = [await configOf(admin, network, laptop), await configOf(admin, network, jump)]
  const rules = [{ ...LAN_RULE, action: 'deny', target: '0.0.0.0/0' }]
  await join(admin, group, 'policies', await newPolicy(admin, network, { rules }))
  expect([await configOf(admin, network, laptop), await configOf(admin, network, jump)]).toEqual(before)
})
