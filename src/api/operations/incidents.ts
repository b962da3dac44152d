import { z } from 'zod'
import { AppError } from '../../errors.ts'
import * as incidents from '../../storage/incidents.ts'
import * as networks from '../../storage/networks.ts'
import { IncidentId, NetworkId, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const IncidentView = z.object({
  id: z.string(),
  peer_id: z.string(),
  peer_name: z.string(),
  network_id: z.string(),
  network_name: z.string(),
  incident_type: z.enum(['shared_config', 'session_conflict', 'suspicious_activity']),
  detected_at: Timestamp,
  public_key: z.string(),
  endpoints: z.array(z.string()),
  details: z.string(),
  resolved: z.boolean(),
  resolved_at: Timestamp.nullable(),
  resolved_by: z.string().nullable(),
})

const Resolved = z.boolean().optional().describe('Only resolved or only open ones; all unless given')

/** Lists incidents of all networks. */
export const listIncidents = defineOperation({
  name: 'list_incidents',
  title: 'List incidents',
  description: 'Lists security incidents, newest first. Users see those of their own peers.',
  http: 'GET /security/incidents',
  permission: 'incidents:read',
  effect: 'read',
  input: z.strictObject({ resolved: Resolved }),
  output: z.array(IncidentView),
  async run({ tx, who }, input) {
    return (await incidents.list(tx, who, input)).map(incidentView)
  },
})

/** Lists incidents of one network. */
export const listNetworkIncidents = defineOperation({
  name: 'list_network_incidents',
  title: 'List incidents of a network',
  description: 'Lists security incidents of one network, newest first.',
  http: 'GET /networks/{network_id}/security/incidents',
  permission: 'incidents:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, resolved: Resolved }),
  output: z.array(IncidentView),
  async run({ tx, who }, input) {
    const { id } = await networks.get(tx, who, input.network_id)
    return (await incidents.list(tx, who, { network_id: id, resolved: input.resolved })).map(incidentView)
  },
})

/** Gets one incident. */
export const getIncident = defineOperation({
  name: 'get_incident',
  title: 'Get incident',
  description: 'Shows one security incident.',
  http: 'GET /security/incidents/{incident_id}',
  permission: 'incidents:read',
  effect: 'read',
  input: z.strictObject({ incident_id: IncidentId }),
  output: IncidentView,
  async run({ tx, who }, input) {
    return incidentView(await incidents.get(tx, who, input.incident_id))
  },
})

/** Closes an incident; what it blocked is free again unless another open incident blocks it. */
export const resolveIncident = defineOperation({
  name: 'resolve_incident',
  title: 'Resolve incident',
  description: 'Closes a security incident and lifts the block it put on its peer. Look at it with get_incident first.',
  http: 'POST /security/incidents/{incident_id}/resolve',
  permission: 'incidents:write',
  effect: 'update',
  input: z.strictObject({ incident_id: IncidentId }),
  output: z.object({ message: z.string() }),
  async run({ tx, who, now }, input) {
    const incident = await incidents.get(tx, who, input.incident_id)
    if (incident.resolved_at !== null) {
      throw new AppError('conflict', `incident "${incident.id}" was resolved at ${incident.resolved_at}`)
    }
    await networks.bumpRevision(tx, who, incident.network_id)
    await incidents.resolve(tx, incident.id, now, who.email)
    return { message: 'Incident resolved successfully' }
  },
})

function incidentView(incident: incidents.Incident): z.input<typeof IncidentView> {
  return { ...incident, endpoints: [...incident.endpoints], resolved: incident.resolved_at !== null }
}
