import type { Examples } from './example.ts'

const NETWORK = {
  id: 'net-uuid',
  name: 'office',
  cidr: '10.10.0.0/16',
  peer_count: 12,
  dns: ['1.1.1.1'],
  domain_suffix: 'internal',
  default_group_ids: [],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const PEER = {
  id: 'peer-uuid',
  name: 'laptop-alice',
  public_key: 'base64pubkey=',
  address: '10.10.0.2',
  endpoint: '203.0.113.5:51820',
  listen_port: 51820,
  additional_allowed_ips: ['192.168.1.0/24'],
  token: 'enroll-token-value',
  is_jump: false,
  use_agent: true,
  owner_id: 'user-sub-123',
  group_ids: ['group-uuid'],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-01T00:00:00Z',
}

const SESSION = {
  peer_id: 'peer-uuid',
  hostname: 'laptop-alice',
  system_uptime: 86400,
  wireguard_uptime: 3600,
  reported_endpoint: '203.0.113.5:51820',
  last_seen: '2024-04-13T10:00:00Z',
  first_seen: '2024-04-12T09:00:00Z',
  session_id: 'sess-uuid',
}

const REACHABILITY = {
  peer_id: 'peer-uuid',
  peer_name: 'laptop-alice',
  peer_address: '10.10.0.2',
  is_jump: false,
  peer_access: [
    {
      peer_id: 'peer-uuid-2',
      peer_name: 'server-bob',
      address: '10.10.0.3',
      is_jump: false,
      allowed: true,
      reason: 'default_allow',
    },
  ],
  rules: [
    {
      direction: 'output',
      action: 'allow',
      target_type: 'cidr',
      target: '192.168.1.0/24',
      addresses: ['192.168.1.0/24'],
      policy_name: 'allow-office',
      group_name: 'engineering',
      description: 'Allow office subnet',
    },
  ],
  routes: [
    {
      route_id: 'route-uuid',
      route_name: 'office-lan',
      destination_cidr: '192.168.1.0/24',
      jump_peer_id: 'jump-uuid',
      jump_peer_name: 'jump-server-1',
      group_name: 'engineering',
    },
  ],
}

const ALLOCATION = {
  network_id: 'net-uuid',
  network_name: 'office',
  network_cidr: '10.10.0.0/16',
  ip: '10.10.0.2',
  peer_id: 'peer-uuid',
  peer_name: 'laptop-alice',
  allocated: true,
}

const FAMILY = { family: 'ipv4' }

/** Networks, peers, agent sessions and addresses. */
export const NETWORK_EXAMPLES: Examples = {
  'GET /networks': { response: { data: [NETWORK], total: 1, page: 1, page_size: 20 } },
  'POST /networks': {
    request: { name: 'office', cidr: '10.10.0.0/16', dns: ['1.1.1.1', '8.8.8.8'], domain_suffix: 'internal' },
    response: NETWORK,
  },
  'GET /networks/:networkId': { response: NETWORK },
  'PUT /networks/:networkId': {
    request: {
      name: 'office-v2',
      cidr: '10.20.0.0/16',
      dns: ['1.1.1.1'],
      domain_suffix: 'corp',
      default_group_ids: ['group-uuid'],
    },
    response: NETWORK,
  },
  'DELETE /networks/:networkId': {},
  'GET /networks/:networkId/peers': { response: { data: [PEER], total: 1, page: 1, page_size: 20 } },
  'POST /networks/:networkId/peers': {
    request: {
      name: 'laptop-alice',
      endpoint: '203.0.113.5:51820',
      listen_port: 51820,
      is_jump: false,
      use_agent: true,
      additional_allowed_ips: ['192.168.1.0/24'],
    },
    response: PEER,
  },
  'GET /networks/:networkId/peers/:peerId': { response: PEER },
  'PUT /networks/:networkId/peers/:peerId': {
    request: {
      name: 'laptop-alice-v2',
      endpoint: '203.0.113.10:51820',
      listen_port: 51820,
      additional_allowed_ips: ['192.168.2.0/24'],
      owner_id: 'another-user-id',
    },
    response: PEER,
  },
  'DELETE /networks/:networkId/peers/:peerId': {},
  'GET /networks/:networkId/peers/:peerId/config': {
    response: { config: '[Interface]\nPrivateKey = ...\n...' },
  },
  'GET /networks/:networkId/peers/:peerId/session': {
    response: {
      peer_id: 'peer-uuid',
      has_active_agent: true,
      current_session: SESSION,
      conflicting_sessions: [],
      recent_endpoint_changes: [],
      suspicious_activity: false,
      last_checked: '2024-04-13T10:05:00Z',
    },
  },
  'GET /networks/:networkId/peers/:peerId/reachability': { response: REACHABILITY },
  'GET /networks/:networkId/sessions': { response: [SESSION] },
  'GET /ipam/available-cidrs': {
    request: { max_peers: 50, count: 2, base_cidr: '10.0.0.0/8' },
    response: {
      base_cidr: '10.0.0.0/8',
      requested_max_peers: 50,
      suggested_prefix: 26,
      usable_hosts: 62,
      cidrs: ['10.0.0.0/26', '10.0.0.64/26'],
    },
  },
  'GET /ipam': { response: { data: [ALLOCATION], total: 1, page: 1, page_size: 20 }, beyond: FAMILY },
  'GET /ipam/networks/:networkId': { response: [ALLOCATION], beyond: FAMILY },
}
