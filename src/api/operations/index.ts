import type { Operation } from '../operation.ts'
import { getAcl, replaceAcl } from './acl.ts'
import { getPeerSession } from './agent-sessions.ts'
import { createApiToken, deleteApiToken, listApiTokens } from './api-tokens.ts'
import { getIncident, listIncidents, listNetworkIncidents, resolveIncident } from './incidents.ts'
import { listAllocations, listNetworkAllocations, suggestCidrs } from './ipam.ts'
import { createNetwork, deleteNetwork, getNetwork, listNetworks, updateNetwork } from './networks.ts'
import { createPeer, deletePeer, getPeer, getPeerConfig, listPeers, updatePeer } from './peers.ts'
import { computeReachability } from './reachability.ts'
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
  computeReachability,
  getAcl,
  replaceAcl,
  listIncidents,
  listNetworkIncidents,
  getIncident,
  resolveIncident,
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
]
