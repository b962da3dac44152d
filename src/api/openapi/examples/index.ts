import { ACCOUNT_EXAMPLES } from './accounts.ts'
import type { Example, Examples } from './example.ts'
import { GROUP_EXAMPLES } from './groups.ts'
import { NETWORK_EXAMPLES } from './networks.ts'
import { SECURITY_EXAMPLES } from './security.ts'

/** Every example of the API reference, word for word, by its method and path there. */
export const EXAMPLES: Examples = {
  ...ACCOUNT_EXAMPLES,
  ...NETWORK_EXAMPLES,
  ...GROUP_EXAMPLES,
  ...SECURITY_EXAMPLES,
}

const BY_ROUTE: ReadonlyMap<string, Example> = new Map(
  Object.entries(EXAMPLES).map(([route, example]) => [plain(route), example]),
)

/** The example of a route, whatever its parameters are called; undefined when the API reference has none. */
export function exampleOf(route: string): Example | undefined {
  return BY_ROUTE.get(plain(route))
}

/** The answer as ours look: with what they have beside what the API reference shows. */
export function shownResponse({ response, beyond }: Example): unknown {
  if (response === undefined || beyond === undefined) return response
  if (Array.isArray(response)) return response.map((row: object) => ({ ...row, ...beyond }))
  if (!('data' in response) || !Array.isArray(response.data)) return { ...response, ...beyond }
  return { ...response, data: response.data.map((row: object) => ({ ...row, ...beyond })) }
}

/** `GET /networks/:networkId` and `GET /networks/{network_id}` are one route. */
function plain(route: string): string {
  return route.replace(/:\w+|\{\w+\}/g, '{}')
}
