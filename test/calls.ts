import type { Operation } from '../src/api/operation.ts'
import { operations } from '../src/api/operations/index.ts'
import type { Mcp, Rest } from './harness.ts'
import type { Office } from './topologies.ts'

/** What an operation is asked. */
export type Input = Record<string, unknown>

/** One call of every operation, in an order in which each finds what it needs. */
export const CALLS: [name: string, input: (office: Office) => Input][] = [
  ['get_health', () => ({})],
  ['get_auth_config', () => ({})],
  ['get_current_user', () => ({})],
  ['list_networks', () => ({ filter: 'o', page_size: 5 })],
  ['get_network', ({ office }) => ({ network_id: office })],
  ['get_network', ({ lab }) => ({ network_id: lab })],
  ['list_peers', ({ office }) => ({ network_id: office, page: 1 })],
  ['get_peer', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['get_peer', ({ office, db }) => ({ network_id: office, peer_id: db })],
  ['get_peer_config', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['get_peer_session', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['compute_reachability', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['compute_reachability', ({ office, hub }) => ({ network_id: office, peer_id: hub })],
  ['list_sessions', ({ office }) => ({ network_id: office })],
  ['list_groups', ({ office }) => ({ network_id: office })],
  ['get_group', ({ office, team }) => ({ network_id: office, group_id: team })],
  ['list_group_policies', ({ office, team }) => ({ network_id: office, group_id: team })],
  ['list_group_routes', ({ office, team }) => ({ network_id: office, group_id: team })],
  ['list_policies', ({ office }) => ({ network_id: office })],
  ['get_policy', ({ office, policy }) => ({ network_id: office, policy_id: policy })],
  ['list_routes', ({ office }) => ({ network_id: office })],
  ['get_route', ({ office, route }) => ({ network_id: office, route_id: route })],
  ['list_dns_mappings', ({ office, route }) => ({ network_id: office, route_id: route })],
  ['list_dns_records', ({ office }) => ({ network_id: office })],
  ['get_security_config', ({ office }) => ({ network_id: office })],
  ['list_audit_entries', () => ({ action: 'create_network', page_size: 5 })],
  ['get_acl', ({ office }) => ({ network_id: office })],
  ['list_incidents', () => ({ resolved: false })],
  ['list_network_incidents', ({ office }) => ({ network_id: office })],
  ['get_incident', ({ laptopIncident }) => ({ incident_id: laptopIncident })],
  ['get_incident', ({ dbIncident }) => ({ incident_id: dbIncident })],
  ['suggest_cidrs', () => ({ max_peers: 50, count: 3 })],
  ['suggest_cidrs', () => ({ max_peers: 0 })],
  ['list_allocations', () => ({})],
  ['list_network_allocations', ({ office }) => ({ network_id: office })],
  ['list_api_tokens', () => ({})],
  ['get_user_defaults', () => ({})],
  ['list_users', () => ({})],
  ['get_user', ({ alice }) => ({ user_id: alice.id })],
  ['create_network', () => ({ name: 'branch', cidr: '10.30.0.0/24', domain_suffix: 'corp' })],
  ['create_network', () => ({ name: 'clash', cidr: '10.10.0.0/16' })],
  ['update_network', ({ office }) => ({ network_id: office, dns: ['1.1.1.1'] })],
  ['create_peer', ({ office }) => ({ network_id: office, name: 'phone', listen_port: 51820 })],
  ['create_peer', ({ office }) => ({ network_id: office, name: 'hub2', is_jump: true })],
  ['update_peer', ({ office, laptop }) => ({ network_id: office, peer_id: laptop, endpoint: '198.51.100.7:4000' })],
  ['update_peer', ({ office, db }) => ({ network_id: office, peer_id: db, name: 'database' })],
  ['create_group', ({ office }) => ({ network_id: office, name: 'guests' })],
  ['create_group', ({ office }) => ({ network_id: office, name: 'team' })],
  ['update_group', ({ office, team }) => ({ network_id: office, group_id: team, description: 'All of us' })],
  ['add_peer_to_group', ({ office, team, db }) => ({ network_id: office, group_id: team, peer_id: db })],
  ['add_peer_to_group', ({ office, team, hub }) => ({ network_id: office, group_id: team, peer_id: hub })],
  ['remove_peer_from_group', ({ office, team, db }) => ({ network_id: office, group_id: team, peer_id: db })],
  ['create_policy', ({ office }) => ({ network_id: office, name: 'nothing' })],
  ['update_policy', ({ office, policy }) => ({ network_id: office, policy_id: policy, description: 'The office LAN' })],
  ['add_policy_rule', ({ office, policy, db }) => ({ network_id: office, policy_id: policy, ...ruleFor(db) })],
  ['remove_policy_rule', ({ office, policy, rule }) => ({ network_id: office, policy_id: policy, rule_id: rule })],
  [
    'reorder_group_policies',
    ({ office, team, policy }) => ({ network_id: office, group_id: team, policy_ids: [policy] }),
  ],
  [
    'detach_policy_from_group',
    ({ office, team, policy }) => ({ network_id: office, group_id: team, policy_id: policy }),
  ],
  ['attach_policy_to_group', ({ office, team, policy }) => ({ network_id: office, group_id: team, policy_id: policy })],
  [
    'create_route',
    ({ office, hub }) => ({ network_id: office, name: 'b', destination_cidr: '10.9.0.0/16', jump_peer_id: hub }),
  ],
  ['update_route', ({ office, route }) => ({ network_id: office, route_id: route, domain_suffix: 'office.internal' })],
  ['update_route', ({ office, route }) => ({ network_id: office, route_id: route, destination_cidr: '10.8.0.0/16' })],
  [
    'create_dns_mapping',
    ({ office, route }) => ({ network_id: office, route_id: route, name: 'nas', ip_address: '192.168.1.11' }),
  ],
  ['update_dns_mapping', (o) => ({ network_id: o.office, route_id: o.route, dns_id: o.mapping, name: 'copier' })],
  ['delete_dns_mapping', (o) => ({ network_id: o.office, route_id: o.route, dns_id: o.mapping })],
  ['detach_route_from_group', ({ office, team, route }) => ({ network_id: office, group_id: team, route_id: route })],
  ['attach_route_to_group', ({ office, team, route }) => ({ network_id: office, group_id: team, route_id: route })],
  ['update_security_config', ({ office }) => ({ network_id: office, max_endpoint_changes_per_day: 20 })],
  ['replace_acl', ({ office, laptop }) => ({ network_id: office, enabled: true, blocked_peers: { [laptop]: true } })],
  ['resolve_incident', ({ laptopIncident }) => ({ incident_id: laptopIncident })],
  ['create_user', () => ({ email: 'bob@example.com', name: 'Bob', role: 'user' })],
  ['update_user', ({ alice, office }) => ({ user_id: alice.id, name: 'Alice B.', authorized_networks: [office] })],
  ['update_user_defaults', ({ office }) => ({ default_authorized_networks: [office] })],
  ['delete_api_token', () => ({ token_id: 'none' })],
  ['delete_user', () => ({ user_id: 'nobody' })],
  ['delete_route', ({ office, route }) => ({ network_id: office, route_id: route })],
  ['delete_policy', ({ office, policy }) => ({ network_id: office, policy_id: policy })],
  ['delete_group', ({ office, team }) => ({ network_id: office, group_id: team })],
  ['delete_peer', ({ office, laptop }) => ({ network_id: office, peer_id: laptop })],
  ['delete_network', ({ lab }) => ({ network_id: lab })],
]

const ruleFor = (peer: string) => ({ direction: 'input', action: 'deny', target: peer, target_type: 'peer' })

/** The operation called `name`. */
export const operationOf = (name: string): Operation => operations.find((operation) => operation.name === name)!

/** Runs an operation as a person's program would. */
export async function overRest(rest: Rest, operation: Operation, input: Input) {
  const [method = '', template = ''] = operation.http.split(' ')
  const left = { ...input }
  const path = template.replace(/\{(\w+)\}/g, (_, key) => {
    const value = String(left[key])
    delete left[key]
    return encodeURIComponent(value)
  })
  const query = new URLSearchParams(Object.entries(left).map(([key, value]) => [key, String(value)]))
  const send = { GET: rest.get, DELETE: rest.delete, POST: rest.post, PUT: rest.put }[method]!
  return method === 'GET' ? rest.get(`${path}?${query}`) : send(path, left)
}

/** Runs an operation as an assistant would. */
export async function overMcp(mcp: Mcp, name: string, input: Input): Promise<unknown> {
  const result = await mcp.client.callTool({ name, arguments: input })
  const [{ text } = { text: '' }] = result.content as { text: string }[]
  return result.isError ? { refused: text.split(':')[0] } : (result.structuredContent ?? null)
}
