import type { Operation } from '../operation.ts'
import { getAcl, replaceAcl } from './acl.ts'
import { getPeerSession, listSessions } from './agent-sessions.ts'
import { createApiToken, deleteApiToken, listApiTokens } from './api-tokens.ts'
import { listAuditEntries } from './audit.ts'
import { createDnsMapping, deleteDnsMapping, listDnsMappings, listDnsRecords, updateDnsMapping } from './dns.ts'
import {
  addPeerToGroup,
  attachPolicyToGroup,
  attachRouteToGroup,
  detachPolicyFromGroup,
  detachRouteFromGroup,
  listGroupPolicies,
  listGroupRoutes,
  removePeerFromGroup,
  reorderGroupPolicies,
} from './group-attachments.ts'
import { createGroup, deleteGroup, getGroup, listGroups, updateGroup } from './groups.ts'
import { getIncident, listIncidents, listNetworkIncidents, resolveIncident } from './incidents.ts'
import { listAllocations, listNetworkAllocations, suggestCidrs } from './ipam.ts'
import { createNetwork, deleteNetwork, getNetwork, listNetworks, updateNetwork } from './networks.ts'
import { getPeerConfig } from './peer-config.ts'
import { createPeer, deletePeer, getPeer, listPeers, updatePeer } from './peers.ts'
import {
  addPolicyRule,
  createPolicy,
  deletePolicy,
  getPolicy,
  listPolicies,
  removePolicyRule,
  updatePolicy,
} from './policies.ts'
import { computeReachability } from './reachability.ts'
import { createRoute, deleteRoute, getRoute, listRoutes, updateRoute } from './routes.ts'
import { getSecurityConfig, updateSecurityConfig } from './security-config.ts'
import { getAuthConfig, getHealth } from './server.ts'
import {
  createUser,
  deleteUser,
  getCurrentUser,
  getUser,
  getUserDefaults,
  listUsers,
  updateUser,
  updateUserDefaults,
} from './users.ts'

/** The registry: everything that can be asked of the server. Literal paths stand before those with parameters. */
export const operations: readonly Operation[] = [
  getHealth,
  getAuthConfig,
  listNetworks,
  getNetwork,
  createNetwork,
  updateNetwork,
  deleteNetwork,
  listPeers,
  getPeer,
  createPeer,
  updatePeer,
  deletePeer,
  getPeerConfig,
  getPeerSession,
  listSessions,
  computeReachability,
  listGroups,
  getGroup,
  createGroup,
  updateGroup,
  deleteGroup,
  addPeerToGroup,
  removePeerFromGroup,
  listGroupPolicies,
  reorderGroupPolicies,
  attachPolicyToGroup,
  detachPolicyFromGroup,
  listGroupRoutes,
  attachRouteToGroup,
  detachRouteFromGroup,
  listPolicies,
  getPolicy,
  createPolicy,
  updatePolicy,
  deletePolicy,
  addPolicyRule,
  removePolicyRule,
  listRoutes,
  getRoute,
  createRoute,
  updateRoute,
  deleteRoute,
  listDnsMappings,
  createDnsMapping,
  updateDnsMapping,
  deleteDnsMapping,
  listDnsRecords,
  getAcl,
  replaceAcl,
  listIncidents,
  listNetworkIncidents,
  getIncident,
  resolveIncident,
  getSecurityConfig,
  updateSecurityConfig,
  suggestCidrs,
  listAllocations,
  listNetworkAllocations,
  getCurrentUser,
  listApiTokens,
  createApiToken,
  deleteApiToken,
  getUserDefaults,
  updateUserDefaults,
  listUsers,
  getUser,
  createUser,
  updateUser,
  deleteUser,
  listAuditEntries,
]
