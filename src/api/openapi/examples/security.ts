import type { Examples } from './example.ts'

const ACL = {
  id: 'acl-uuid',
  name: 'default',
  enabled: true,
  blocked_peers: { 'peer-uuid-bad': true },
  rules: [
    {
      id: 'rule-uuid',
      source_peer: '*',
      target_peer: 'peer-uuid-3',
      action: 'deny',
      description: 'Block access to server',
    },
  ],
}

const INCIDENT = {
  id: 'incident-uuid',
  peer_id: 'peer-uuid',
  peer_name: 'laptop-alice',
  network_id: 'net-uuid',
  network_name: 'office',
  incident_type: 'session_conflict',
  detected_at: '2024-04-13T08:00:00Z',
  public_key: 'base64pubkey=',
  endpoints: ['203.0.113.5:51820', '198.51.100.1:51820'],
  details: 'Multiple active agents detected for the same peer',
  resolved: false,
  resolved_at: null,
  resolved_by: null,
}

const SECURITY_CONFIG = {
  id: 'cfg-uuid',
  network_id: 'net-uuid',
  enabled: true,
  session_conflict_threshold_minutes: 5,
  endpoint_change_threshold_minutes: 5,
  max_endpoint_changes_per_day: 10,
  port_change_threshold_minutes: 5,
  max_port_changes_per_window: 5,
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-04-13T00:00:00Z',
}

/** Access lists, incidents, enrolment and the captive portal. */
export const SECURITY_EXAMPLES: Examples = {
  'GET /networks/:networkId/acl': { response: ACL },
  'PUT /networks/:networkId/acl': { request: ACL, response: ACL },
  'GET /security/incidents': { response: [INCIDENT] },
  'GET /networks/:networkId/security/incidents': { response: [INCIDENT] },
  'GET /security/incidents/:incidentId': { response: INCIDENT },
  'POST /security/incidents/:incidentId/resolve': { response: { message: 'Incident resolved successfully' } },
  'GET /networks/:networkId/security/config': { response: SECURITY_CONFIG },
  'PUT /networks/:networkId/security/config': {
    request: {
      enabled: true,
      session_conflict_threshold_minutes: 5,
      endpoint_change_threshold_minutes: 10,
      max_endpoint_changes_per_day: 20,
      port_change_threshold_minutes: 5,
      max_port_changes_per_window: 10,
    },
    response: SECURITY_CONFIG,
  },
  'GET /agent/resolve': {
    response: {
      network_id: 'net-uuid',
      peer_id: 'peer-uuid',
      peer_name: 'laptop-alice',
      config: '[Interface]\nPrivateKey = ...\n...',
    },
  },
  'POST /captive-portal/token': { request: { peer_ip: '10.10.0.5' } },
  'POST /captive-portal/authenticate': {
    request: { captive_token: 'captive-token-value' },
    response: { peer_ip: '10.10.0.5', network_id: 'net-uuid', whitelisted: true },
  },
}
