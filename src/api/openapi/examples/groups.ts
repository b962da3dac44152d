import type { Examples } from './example.ts'

const GROUP = {
  id: 'group-uuid',
  network_id: 'net-uuid',
  name: 'engineering',
  description: 'Engineering team',
  priority: 100,
  peer_ids: ['peer-uuid'],
  policy_ids: ['policy-uuid'],
  route_ids: ['route-uuid'],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const NEW_RULE = {
  direction: 'output',
  action: 'allow',
  target: '192.168.1.0/24',
  target_type: 'cidr',
  description: 'Office LAN',
}

const RULE = { id: 'rule-uuid', ...NEW_RULE }

const POLICY = {
  id: 'policy-uuid',
  network_id: 'net-uuid',
  name: 'allow-office',
  description: 'Allow access to office subnet',
  rules: [RULE],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const ROUTE = {
  id: 'route-uuid',
  network_id: 'net-uuid',
  name: 'office-lan',
  description: 'Office internal network',
  destination_cidr: '192.168.1.0/24',
  jump_peer_id: 'jump-uuid',
  domain_suffix: 'office.internal',
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const MAPPING = {
  id: 'dns-uuid',
  route_id: 'route-uuid',
  name: 'server1',
  ip_address: '192.168.1.10',
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

/** Groups, policies, routes and DNS. */
export const GROUP_EXAMPLES: Examples = {
  'GET /networks/:networkId/groups': { response: [GROUP] },
  'POST /networks/:networkId/groups': {
    request: { name: 'engineering', description: 'Engineering team', priority: 100 },
    response: GROUP,
  },
  'GET /networks/:networkId/groups/:groupId': { response: GROUP },
  'PUT /networks/:networkId/groups/:groupId': {
    request: { name: 'engineering-v2', description: 'Updated description', priority: 50 },
    response: GROUP,
  },
  'DELETE /networks/:networkId/groups/:groupId': {},
  'POST /networks/:networkId/groups/:groupId/peers/:peerId': {},
  'DELETE /networks/:networkId/groups/:groupId/peers/:peerId': {},
  'GET /networks/:networkId/groups/:groupId/routes': { response: [ROUTE] },
  'GET /networks/:networkId/policies': { response: [POLICY] },
  'POST /networks/:networkId/policies': {
    request: { name: 'allow-office', description: 'Allow access to office subnet', rules: [NEW_RULE] },
    response: POLICY,
  },
  'GET /networks/:networkId/policies/:policyId': { response: POLICY },
  'PUT /networks/:networkId/policies/:policyId': {
    request: { name: 'allow-office-v2', description: 'Updated description' },
    response: POLICY,
  },
  'DELETE /networks/:networkId/policies/:policyId': {},
  'POST /networks/:networkId/policies/:policyId/rules': { request: NEW_RULE, response: RULE },
  'DELETE /networks/:networkId/policies/:policyId/rules/:ruleId': {},
  'POST /networks/:networkId/groups/:groupId/policies/:policyId': {},
  'DELETE /networks/:networkId/groups/:groupId/policies/:policyId': {},
  'GET /networks/:networkId/groups/:groupId/policies': { response: [POLICY] },
  'PUT /networks/:networkId/groups/:groupId/policies/order': {
    request: { policy_ids: ['policy-uuid-1', 'policy-uuid-2'] },
    response: { message: 'Policies reordered successfully' },
  },
  'GET /networks/:networkId/routes': { response: [ROUTE] },
  'POST /networks/:networkId/routes': {
    request: {
      name: 'office-lan',
      description: 'Office internal network',
      destination_cidr: '192.168.1.0/24',
      jump_peer_id: 'jump-uuid',
      domain_suffix: 'office.internal',
    },
    response: ROUTE,
  },
  'GET /networks/:networkId/routes/:routeId': { response: ROUTE },
  'PUT /networks/:networkId/routes/:routeId': {
    request: {
      name: 'office-lan-v2',
      description: 'Updated description',
      destination_cidr: '192.168.2.0/24',
      jump_peer_id: 'jump-uuid-2',
      domain_suffix: 'corp.internal',
    },
    response: ROUTE,
  },
  'DELETE /networks/:networkId/routes/:routeId': {},
  'POST /networks/:networkId/groups/:groupId/routes/:routeId': {},
  'DELETE /networks/:networkId/groups/:groupId/routes/:routeId': {},
  'GET /networks/:networkId/routes/:routeId/dns': { response: [MAPPING] },
  'POST /networks/:networkId/routes/:routeId/dns': {
    request: { name: 'server1', ip_address: '192.168.1.10' },
    response: MAPPING,
  },
  'PUT /networks/:networkId/routes/:routeId/dns/:dnsId': {
    request: { name: 'server1-new', ip_address: '192.168.1.11' },
    response: MAPPING,
  },
  'DELETE /networks/:networkId/routes/:routeId/dns/:dnsId': {},
  'GET /networks/:networkId/dns': {
    response: [
      { name: 'laptop-alice', ip_address: '10.10.0.2', fqdn: 'laptop-alice.office.internal', type: 'peer' },
      { name: 'server1', ip_address: '192.168.1.10', fqdn: 'server1.office-lan.office.internal', type: 'route' },
    ],
  },
}
