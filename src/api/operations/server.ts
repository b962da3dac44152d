import { z } from 'zod'
import { defineOperation } from '../operation.ts'

/** Says that the server runs. */
export const getHealth = defineOperation({
  name: 'get_health',
  title: 'Get health',
  description: 'Tells whether the server runs.',
  http: 'GET /health',
  permission: 'public',
  effect: 'read',
  input: z.strictObject({}),
  output: z.object({ status: z.literal('ok') }),
  async run() {
    return { status: 'ok' as const }
  },
})

/** How to sign in. */
export const getAuthConfig = defineOperation({
  name: 'get_auth_config',
  title: 'Get authentication configuration',
  description: 'Tells how people sign in to this server.',
  http: 'GET /auth/config',
  permission: 'public',
  effect: 'read',
  input: z.strictObject({}),
  output: z.object({
    enabled: z.boolean().describe('Whether OpenID Connect is used'),
    issuer_url: z.string(),
    client_id: z.string(),
    simple_auth: z.boolean().describe('Whether a user name and a password are used'),
    authorization_endpoint: z.string().describe("Where the provider's sign-in page is; empty while it is not known"),
    end_session_endpoint: z.string(),
    scope: z.string().describe('What to ask the provider for'),
  }),
  async run({ identity }) {
    return identity.describe()
  },
})
