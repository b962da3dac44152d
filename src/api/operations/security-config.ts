import { z } from 'zod'
import * as networks from '../../storage/networks.ts'
import * as configs from '../../storage/security-configs.ts'
import { NetworkId, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const ConfigView = z.object({
  id: z.string(),
  network_id: z.string(),
  enabled: z.boolean(),
  session_conflict_threshold_minutes: z.int(),
  endpoint_change_threshold_minutes: z.int(),
  max_endpoint_changes_per_day: z.int(),
  port_change_threshold_minutes: z.int(),
  max_port_changes_per_window: z.int(),
  created_at: Timestamp,
  updated_at: Timestamp,
})

/** What holds until somebody changes it. */
const DEFAULTS = {
  enabled: true,
  session_conflict_threshold_minutes: 5,
  endpoint_change_threshold_minutes: 5,
  max_endpoint_changes_per_day: 10,
  port_change_threshold_minutes: 5,
  max_port_changes_per_window: 5,
}

const MAX_COUNT = 1000
/** One year: longer windows say nothing that a year does not. */
const MAX_MINUTES = 525_600
const Minutes = z.int().min(1).max(MAX_MINUTES).optional()
const Count = z.int().min(1).max(MAX_COUNT).optional()

/** Gets the thresholds of a network's incident detection. */
export const getSecurityConfig = defineOperation({
  name: 'get_security_config',
  title: 'Get security config',
  description: 'Shows when a network reports security incidents.',
  http: 'GET /networks/{network_id}/security/config',
  permission: 'security:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId }),
  output: ConfigView,
  async run({ tx, who }, input) {
    const network = await networks.get(tx, who, input.network_id)
    return (await configs.find(tx, network.id)) ?? initial(network)
  },
})

/** Changes the thresholds of a network's incident detection. */
export const updateSecurityConfig = defineOperation({
  name: 'update_security_config',
  title: 'Update security config',
  description: 'Changes the given thresholds of incident detection.',
  http: 'PUT /networks/{network_id}/security/config',
  permission: 'security:write',
  effect: 'update',
  input: z.strictObject({
    network_id: NetworkId,
    enabled: z.boolean().optional().describe('Whether incidents are detected'),
    session_conflict_threshold_minutes: Minutes.describe('Two agents within this conflict'),
    endpoint_change_threshold_minutes: Minutes.describe('Two addresses within this: shared config'),
    max_endpoint_changes_per_day: Count.describe('This many address changes are suspicious'),
    port_change_threshold_minutes: Minutes.describe('Window of port changes'),
    max_port_changes_per_window: Count.describe('More are suspicious'),
  }),
  output: ConfigView,
  async run({ tx, who, now }, { network_id, ...given }) {
    const network = await networks.get(tx, who, network_id)
    const before = (await configs.find(tx, network.id)) ?? initial(network)
    const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const after = { ...before, ...changes, updated_at: now }
    await configs.put(tx, after)
    return after
  },
})

function initial(network: networks.NetworkRecord): configs.SecurityConfig {
  const { id, created_at } = network
  return { id, network_id: id, ...DEFAULTS, created_at, updated_at: created_at }
}
