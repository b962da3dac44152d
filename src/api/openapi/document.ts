import { SESSION_COOKIE } from '../../auth/resolver.ts'
import { VERSION } from '../../version.ts'
import type { Operation } from '../operation.ts'
import { type Endpoint, endpointOf } from './endpoints.ts'
import { type OperationObject, operationObject } from './operation-object.ts'
import { errorSchema, refusalResponses } from './refusals.ts'
import { type Components, componentSchemas, sharedSchemas } from './schemas.ts'

/** A description of the API in OpenAPI 3.1, as plain data. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly [part: string]: unknown
}

const ABOUT = `Networks, peers and who may reach whom.

**Credentials.** Send \`Authorization: Bearer wirety_...\` (an API token), \`Authorization: Session ...\` (from signing in) or
the cookie that signing in sets. \`x-required-permission\` is what the caller needs: \`public\` nothing, \`self\` any credential.

**Refusals** carry \`{"error", "code"}\`. What the caller may not see is answered like what does not exist.

**Requests.** Bodies are JSON; fields that an endpoint does not know are ignored. A field marked \`x-secret\` is worth
protecting: keep it out of logs and out of an assistant's sight.

**Pages** start at 1. Numbers out of range are moved into it.

Assistants find the same operations as tools at \`/api/v1/mcp\` (Model Context Protocol).`

const TAGS: Readonly<Record<string, string>> = {
  health: 'Whether the server runs',
  auth: 'Signing in and out',
  users: 'People and programs, their role and networks',
  tokens: 'API tokens of the caller',
  networks: 'WireGuard networks',
  peers: 'Members of a network',
  groups: 'Peers that share policies and routes',
  policies: 'Rules of what a group may reach',
  routes: 'Networks behind a jump peer',
  dns: 'Names of peers and of hosts behind a route',
  acl: 'Which peer may reach which',
  incidents: 'What looks like an attack',
  security: 'When an incident is raised',
  'captive-portal': 'Signing in for a peer, in a browser behind a jump peer',
  ipam: 'Free ranges and addresses in use',
  audit: 'Who did what, and when',
  documentation: 'This description',
}

/** Describes `operations`, and `named` routes that are none. Equal registries give equal documents. */
export function openApiDocument(operations: readonly Operation[], named: readonly Endpoint[]): OpenApiDocument {
  const components = sharedSchemas(operations)
  const endpoints = [...named, ...operations.map(endpointOf)]
  return {
    openapi: '3.1.1',
    info: {
      title: 'wirety-mcp',
      version: VERSION,
      summary: 'Control plane for WireGuard networks',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1', description: 'This server' }],
    security: [{ apiToken: [] }, { session: [] }, { sessionCookie: [] }],
    tags: tagsOf(endpoints),
    paths: pathsOf(endpoints, components),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: { ...componentSchemas(components), Error: errorSchema() },
      responses: refusalResponses(),
    },
  }
}

const SECURITY_SCHEMES = {
  apiToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'wirety_ and 64 hexadecimal digits',
    description: 'An API token: made once with `create_api_token`, lives until it expires or is deleted.',
  },
  session: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'The word `Session`, a space and the `session_hash` from signing in.',
  },
  sessionCookie: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE, description: 'Set by signing in.' },
}

/** Known nouns in their order, then those that nobody described yet. */
function tagsOf(endpoints: readonly Endpoint[]): object[] {
  const used = new Set(endpoints.map(({ tag }) => tag))
  const known = Object.entries(TAGS).filter(([name]) => used.has(name))
  const others = [...used].filter((name) => !Object.hasOwn(TAGS, name)).sort()
  return [...known.map(([name, description]) => ({ name, description })), ...others.map((name) => ({ name }))]
}

function pathsOf(endpoints: readonly Endpoint[], components: Components): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, OperationObject>> = {}
  for (const endpoint of endpoints) {
    const [method = '', path = ''] = endpoint.http.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(endpoint, components) }
  }
  return paths
}
