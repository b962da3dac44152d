import { z } from 'zod'
import { Secret } from '../fields.ts'
import { CodeExchange, Credentials, Logout } from '../session-routes.ts'
import { captivePortalEndpoints } from './captive-portal.ts'
import type { Endpoint } from './endpoints.ts'

const Session = z.object({ session_hash: Secret, expires_in: z.int().describe('Seconds') })
const Nothing = z.object({})

const COOKIE = { 'Set-Cookie': 'The session, for browsers' }

/** The routes that are no operations, as the document shows them. */
export const namedEndpoints: readonly Endpoint[] = [
  {
    name: 'login',
    title: 'Sign in with a password',
    description: 'Opens a session for a user name and a password. Only without OpenID Connect.',
    http: 'POST /auth/login',
    tag: 'auth',
    input: Credentials,
    output: Session,
    status: 200,
    headers: COOKIE,
    refusals: [400, 401, 403, 405, 413, 415, 429, 500, 503],
  },
  {
    name: 'exchange_code',
    title: 'Sign in at the identity provider',
    description: 'Opens a session for the code that the provider gave the browser. Only with OpenID Connect.',
    http: 'POST /auth/token',
    tag: 'auth',
    input: CodeExchange,
    output: Session,
    status: 200,
    headers: COOKIE,
    refusals: [400, 401, 403, 405, 409, 413, 415, 429, 500, 503],
  },
  {
    name: 'logout',
    title: 'Sign out',
    description: 'Ends the session that the header, the cookie or the body names.',
    http: 'POST /auth/logout',
    tag: 'auth',
    input: Logout,
    output: z.object({ message: z.string() }),
    status: 200,
    headers: { 'Set-Cookie': 'Takes the session back' },
    refusals: [400, 403, 405, 413, 415, 429, 500, 503],
  },
  ...captivePortalEndpoints,
  {
    name: 'get_openapi',
    title: 'Get this description',
    description: 'The description of this API in OpenAPI 3.1.',
    http: 'GET /openapi.json',
    tag: 'documentation',
    input: Nothing,
    output: Nothing,
    status: 200,
    headers: { ETag: 'Changes with the description' },
    refusals: [405, 500],
  },
  {
    name: 'get_docs',
    title: 'Get documentation',
    description: 'This description as a page to browse.',
    http: 'GET /docs',
    tag: 'documentation',
    input: Nothing,
    output: z.string(),
    status: 200,
    mediaType: 'text/html',
    refusals: [405, 500],
  },
]
