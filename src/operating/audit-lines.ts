import type { AuditEntry } from '../storage/audit.ts'

/** Names that the rule would not give. The reference's consumers know them. */
const EVENTS: Readonly<Record<string, string>> = {
  login: 'auth.login',
  logout: 'auth.logout',
  rejected: 'auth.rejected',
  replace_acl: 'acl.update',
  add_peer_to_group: 'group.peer.add',
  remove_peer_from_group: 'group.peer.remove',
  revoke_peer_auth: 'peer.revoke_auth',
  reorder_group_policies: 'policy.group.reorder',
}

/**
 * The event name of an audited action. An operation's verb goes last and its words are set apart by dots:
 * `create_peer` is `peer.create`, `attach_policy_to_group` is `policy.group.attach`.
 */
export function eventOf(action: string): string {
  const [verb, ...nouns] = action.split('_').filter((word) => word !== 'to' && word !== 'from')
  return EVENTS[action] ?? [...nouns, verb].join('.')
}

/** An audit row as one line of JSON, without the object before and after: those are in the database. */
export function auditLine(entry: AuditEntry): string {
  const { actor_id, actor_email, remote_ip, action, outcome, surface, credential, credential_id, request_id } = entry
  const line = {
    level: outcome === 'ok' ? 'info' : 'warn',
    log_type: 'audit',
    time: Math.floor(Date.parse(entry.at) / 1000),
    ...{ actor_id, actor_email, remote_ip, action: eventOf(action), outcome },
    ...{ surface, credential, credential_id, request_id },
    ...idsOf(entry),
    message: 'audit',
  }
  return `${JSON.stringify(line)}\n`
}

/** What was acted on: the ids of the input, and that of a new object under the name of its noun. */
function idsOf({ input, action, network_id, object_id }: AuditEntry): Record<string, string> {
  const given = Object.entries(JSON.parse(input) as Record<string, unknown>).filter(
    (field): field is [string, string] => field[0].endsWith('_id') && typeof field[1] === 'string',
  )
  const noun = /^create_(\w+)$/.exec(action)?.[1]
  return {
    ...Object.fromEntries(given),
    ...(network_id === null ? {} : { network_id }),
    ...(object_id === null || noun === undefined ? {} : { [`${noun}_id`]: object_id }),
  }
}
