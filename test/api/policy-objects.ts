import { expect } from 'vitest'
import type { Rest, TestApp } from '../harness.ts'
import { bodyOf, type Json, peerPath, read } from './topologies.ts'

/** Any text, and any moment, for comparisons of whole objects. */
export const TEXT = expect.stringMatching(/./)
export const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)

/** What a refusal looks like that the caller has to put right. */
export const INVALID = { status: 400, body: { code: 'invalid', error: TEXT } }
export const NOT_FOUND = { status: 404, body: { code: 'not_found', error: TEXT } }
export const CONFLICT = { status: 409, body: { code: 'conflict', error: TEXT } }

/** The refusal of a name that something else has, which it tells. */
export const taken = (name: string) => ({
  status: 409,
  body: { code: 'conflict', error: expect.stringContaining(JSON.stringify(name)) },
})

/** An attachment or a removal that worked. */
export const ATTACHED = { status: 200, text: '' }
export const GONE = { status: 204, text: '' }

/** The rule of the API reference. */
export const LAN_RULE = {
  direction: 'output',
  action: 'allow',
  target: '192.168.1.0/24',
  target_type: 'cidr',
  description: 'Office LAN',
}

/** Names that no group, policy or route may have. */
export const NO_NAMES: readonly Json[] = [
  'a\nb',
  'a\r',
  'a\tb',
  '\u0000',
  '\u001b[31m',
  'a\u007f',
  'a\u0085',
  'a\u2028b',
  7,
  true,
  ['a'],
  {},
]

/** A group. */
export async function newGroup(rest: Rest, network: Json, fields: object = {}): Promise<Json> {
  return bodyOf(await rest.post(`/networks/${network.id}/groups`, { name: 'team', ...fields }), 201)
}

/** A policy, without rules unless `fields` have some. */
export async function newPolicy(rest: Rest, network: Json, fields: object = {}): Promise<Json> {
  return bodyOf(await rest.post(`/networks/${network.id}/policies`, { name: 'lan-only', ...fields }), 201)
}

/** A route through `jump`, to an IPv4 prefix unless `fields` say otherwise. */
export async function newRoute(rest: Rest, network: Json, jump: Json, fields: object = {}): Promise<Json> {
  const body = { name: 'lan', destination_cidr: '192.168.1.0/24', jump_peer_id: jump.id, ...fields }
  return bodyOf(await rest.post(`/networks/${network.id}/routes`, body), 201)
}

/** A name behind a route. */
export async function newMapping(rest: Rest, route: Json, fields: object = {}): Promise<Json> {
  const body = { name: 'server1', ip_address: '192.168.1.10', ...fields }
  return bodyOf(await rest.post(`${routePath(route)}/dns`, body), 201)
}

/** Path of a group. */
export const groupPath = (group: Json) => `/networks/${group.network_id}/groups/${group.id}`

/** Path of a policy. */
export const policyPath = (policy: Json) => `/networks/${policy.network_id}/policies/${policy.id}`

/** Path of a route. */
export const routePath = (route: Json) => `/networks/${route.network_id}/routes/${route.id}`

/** What can be put into a group. */
export type Kind = 'peers' | 'policies' | 'routes'

/** Puts things into a group, one after the other. */
export async function join(rest: Rest, group: Json, kind: Kind, ...things: readonly Json[]): Promise<void> {
  for (const { id } of things) bodyOf(await rest.post(`${groupPath(group)}/${kind}/${id}`), 200)
}

/** All that REST shows of a network: what a refused change must leave as it was. */
export async function everythingOf(rest: Rest, network: Json): Promise<Json> {
  const at = (tail: string) => read(rest, `/networks/${network.id}${tail}`)
  const { data: peers } = await at('/peers?page_size=500')
  const groups = await at('/groups')
  const routes = await at('/routes')
  const each = async (items: Json[], path: (item: Json) => string) => {
    return Promise.all(items.map((item) => read(rest, path(item))))
  }
  return {
    network: await at(''),
    peers,
    groups,
    routes,
    policies: await at('/policies'),
    group_policies: await each(groups, (group) => `${groupPath(group)}/policies`),
    group_routes: await each(groups, (group) => `${groupPath(group)}/routes`),
    mappings: await each(routes, (route) => `${routePath(route)}/dns`),
    records: await at('/dns'),
    acl: await at('/acl'),
    security: await at('/security/config'),
    sessions: await at('/sessions'),
    reachability: await each(peers, (peer) => `${peerPath(network, peer)}/reachability`),
    configs: await each(peers, (peer) => `${peerPath(network, peer)}/config`),
  }
}

interface Column {
  readonly table_name: string
  readonly column_name: string
}

/** Where the database still speaks of `id`, as `table.column`. The audit log is a history and does not count. */
export async function tracesOf(app: TestApp, id: string): Promise<string[]> {
  return app.app.env.database.read(async (tx) => {
    const columns = await tx.all<Column>(
      `SELECT t.name AS table_name, c.name AS column_name FROM sqlite_master t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name <> 'audit_log' ORDER BY t.name, c.name`,
    )
    const found: string[] = []
    for (const { table_name, column_name } of columns) {
      const sql = `SELECT 1 AS one FROM "${table_name}" WHERE instr("${column_name}", ?) > 0`
      if (await tx.find(sql, id)) found.push(`${table_name}.${column_name}`)
    }
    return found
  })
}

/** Rows that refer to what does not exist. */
export function brokenReferences(app: TestApp): Promise<Json[]> {
  return app.app.env.database.read((tx) => tx.all('PRAGMA foreign_key_check'))
}
