import type { TestApp } from '../harness.ts'
import { newOffice, raiseIncident } from './topologies.ts'

/** Whom an endpoint answers. */
export type Audience = 'anyone' | 'users' | 'administrators'

/** Every path, with the methods it answers and whom it answers them. */
export const PATHS: readonly (readonly [path: string, methods: Record<string, Audience>])[] = [
  ['/health', { GET: 'anyone' }],
  ['/auth/config', { GET: 'anyone' }],
  ['/auth/login', { POST: 'anyone' }],
  ['/auth/token', { POST: 'anyone' }],
  ['/auth/logout', { POST: 'anyone' }],
  ['/users/me', { GET: 'users' }],
  ['/users/me/tokens', { GET: 'users', POST: 'users' }],
  ['/users/me/tokens/:token', { DELETE: 'users' }],
  ['/users', { GET: 'administrators', POST: 'administrators' }],
  ['/users/defaults', { GET: 'administrators', PUT: 'administrators' }],
  ['/users/:user', { GET: 'administrators', PUT: 'administrators', DELETE: 'administrators' }],
  ['/networks', { GET: 'users', POST: 'administrators' }],
  ['/networks/:network', { GET: 'users', PUT: 'administrators', DELETE: 'administrators' }],
  ['/networks/:network/peers', { GET: 'users', POST: 'users' }],
  ['/networks/:network/peers/:peer', { GET: 'users', PUT: 'users', DELETE: 'users' }],
  ['/networks/:network/peers/:peer/config', { GET: 'users' }],
  ['/networks/:network/peers/:peer/session', { GET: 'users' }],
  ['/networks/:network/peers/:peer/reachability', { GET: 'users' }],
  ['/networks/:network/acl', { GET: 'administrators', PUT: 'administrators' }],
  ['/networks/:network/security/incidents', { GET: 'users' }],
  ['/security/incidents', { GET: 'users' }],
  ['/security/incidents/:incident', { GET: 'users' }],
  ['/security/incidents/:incident/resolve', { POST: 'administrators' }],
  ['/audit', { GET: 'administrators' }],
  ['/ipam', { GET: 'users' }],
  ['/ipam/available-cidrs', { GET: 'users' }],
  ['/ipam/networks/:network', { GET: 'users' }],
]

/** Every method of every path. */
export const ENDPOINTS = PATHS.flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, audience]) => ({ method, path, audience })),
)

/** Noun in a path to the id of an object that exists. */
export type Ids = Readonly<Record<string, string>>

/** One object of each noun; `token` names none, since a token cannot be made for somebody else. */
export async function newObjects(app: TestApp): Promise<Ids> {
  const { network, laptop } = await newOffice(app.as(app.adminToken), { cidr: '172.31.0.0/24' })
  const incident = await raiseIncident(app, network, laptop)
  const { id: user } = await app.addUser('anna', [network.id])
  return { network: network.id, peer: laptop.id, incident, user, token: 'none' }
}

/** `path` with ids in the place of its nouns; a noun without an id becomes `none`. */
export function fill(path: string, ids: Ids = {}): string {
  return path.replace(/:(\w+)/g, (_all, noun: string) => ids[noun] ?? 'none')
}
