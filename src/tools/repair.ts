import type { AppError, ErrorCode } from '../errors.ts'

const FIX: Partial<Record<ErrorCode, string>> = {
  invalid: 'correct the named arguments and call the tool again',
  not_found: 'look it up first',
  forbidden: 'ask an administrator, or go on without it',
  conflict: 'look at the present state, then decide again',
  exhausted: 'free something or choose a larger range',
  unavailable: 'call the tool again in a moment',
  internal: 'nothing was changed; tell the person who runs the server',
}

/** Which call shows what there is, by the argument that named it. */
const LOOK_UP: readonly (readonly [argument: string, call: string])[] = [
  ['dns_id', 'list_dns_mappings'],
  ['rule_id', 'get_policy'],
  ['peer_id', 'list_peers'],
  ['group_id', 'list_groups'],
  ['policy_id', 'list_policies'],
  ['route_id', 'list_routes'],
  ['incident_id', 'list_incidents'],
  ['user_id', 'list_users'],
  ['token_id', 'list_api_tokens'],
  ['network_id', 'list_networks'],
]

/** An error as a model can act on it: code, cause, fix and the next call to make. */
export function repairText(error: AppError, tool: string, input: Record<string, unknown>): string {
  const fix = FIX[error.code]
  const next = nextCall(error, tool, input)
  return [`${error.code}: ${error.message}`, ...(fix ? [`Fix: ${fix}.`] : []), ...(next ? [`Next: ${next}`] : [])].join(
    '\n',
  )
}

function nextCall(error: AppError, tool: string, input: Record<string, unknown>): string | undefined {
  if (error.code === 'invalid' || error.code === 'unavailable') return `${tool} with corrected arguments`
  if (error.code === 'exhausted' || (error.code === 'conflict' && tool === 'create_network')) return 'suggest_cidrs'
  if (error.code !== 'not_found' && error.code !== 'conflict') return undefined
  if (error.message.startsWith('no network')) return 'list_networks'
  return LOOK_UP.find(([argument]) => input[argument] !== undefined)?.[1]
}
