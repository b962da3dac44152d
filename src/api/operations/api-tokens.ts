import { z } from 'zod'
import { mintApiToken } from '../../auth/secrets.ts'
import { AppError, quoted } from '../../errors.ts'
import * as credentials from '../../storage/credentials.ts'
import { Line, Secret, Timestamp, TokenId } from '../fields.ts'
import { defineOperation } from '../operation.ts'

const TokenView = z.object({
  id: z.string(),
  name: z.string(),
  created_at: Timestamp,
  expires_at: Timestamp.nullable(),
  last_used_at: Timestamp.nullable(),
})

/** Lists the caller's API tokens. */
export const listApiTokens = defineOperation({
  name: 'list_api_tokens',
  title: 'List API tokens',
  description: 'Lists your API tokens, without their values.',
  http: 'GET /users/me/tokens',
  permission: 'self',
  effect: 'read',
  input: z.strictObject({}),
  output: z.array(TokenView),
  async run({ tx, who }) {
    return credentials.list(tx, who.id, 'api_token')
  },
})

/** Creates an API token; its value is in the answer and nowhere else. */
export const createApiToken = defineOperation({
  name: 'create_api_token',
  title: 'Create API token',
  description: 'Creates an API token of the caller. The token is shown once.',
  http: 'POST /users/me/tokens',
  permission: 'self',
  effect: 'create',
  input: z.strictObject({
    name: Line(255).min(1).describe('What the token is for'),
    expires_at: z.iso.datetime({ offset: true }).nullish().describe('When it ends; never unless given'),
  }),
  output: TokenView.extend({ token: Secret }),
  mcp: false,
  async run({ tx, who, now, random }, input) {
    const expires_at = input.expires_at ? new Date(input.expires_at).toISOString() : null
    if (expires_at !== null && expires_at <= now) throw new AppError('invalid', 'expires_at: is in the past')
    const token = mintApiToken(random)
    const row = {
      id: random.newId(),
      user_id: who.id,
      name: input.name,
      created_at: now,
      expires_at,
      last_used_at: null,
    }
    await credentials.insert(tx, { ...row, kind: 'api_token' }, token)
    return { ...row, token }
  },
})

/** Ends an API token at once. */
export const deleteApiToken = defineOperation({
  name: 'delete_api_token',
  title: 'Delete API token',
  description: 'Ends one of your API tokens at once.',
  http: 'DELETE /users/me/tokens/{token_id}',
  permission: 'self',
  effect: 'delete',
  input: z.strictObject({ token_id: TokenId }),
  output: z.null(),
  async run({ tx, who }, input) {
    if (await credentials.remove(tx, who.id, 'api_token', input.token_id)) return null
    throw new AppError('not_found', `you have no API token ${quoted(input.token_id)}`)
  },
})
