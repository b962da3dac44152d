import type { Peer } from './topology.ts'

/** Roles of a person or program. */
export type Role = 'administrator' | 'user'

/** What an operation needs its caller to hold. `public` needs no credential, `self` any. */
export type Permission =
  | 'public'
  | 'self'
  | 'networks:read'
  | 'networks:write'
  | 'peers:read'
  | 'peers:write'
  | 'groups:read'
  | 'groups:write'
  | 'policies:read'
  | 'policies:write'
  | 'routes:read'
  | 'routes:write'
  | 'dns:read'
  | 'dns:write'
  | 'security:read'
  | 'security:write'
  | 'acl:read'
  | 'acl:write'
  | 'incidents:read'
  | 'incidents:write'
  | 'ipam:read'
  | 'users:read'
  | 'users:write'
  | 'audit:read'

/** How a principal proved who it is. */
export type CredentialKind = 'none' | 'session' | 'api_token' | 'jwt' | 'enrolment_token'

/** Who is asking. */
export interface Principal {
  /** User id; empty for nobody. */
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: Role | 'anonymous'
  readonly credential: CredentialKind
  /** Id of the session or API token that was presented. */
  readonly credential_id: string | null
}

/** Somebody without a credential. */
export const ANONYMOUS: Principal = Object.freeze({
  id: '',
  email: '',
  name: '',
  role: 'anonymous',
  credential: 'none',
  credential_id: null,
})

const USER: readonly Permission[] = [
  'self',
  'networks:read',
  'peers:read',
  'peers:write',
  'incidents:read',
  'ipam:read',
]

/** Whether `who` holds `permission`. Which rows it may then see is decided by the queries. */
export function allows(who: Principal, permission: Permission): boolean {
  if (permission === 'public') return true
  if (who.role === 'administrator') return true
  return who.role === 'user' && USER.includes(permission)
}

/** Whether `who` may know that a peer of a network that `who` may see exists: users their own and the jump peers. */
export function maySeeInNetwork(who: Principal, peer: Pick<Peer, 'owner_id' | 'is_jump'>): boolean {
  return isAdmin(who) || peer.is_jump || peer.owner_id === who.id
}

/** Whether `who` sees every network and peer. */
export function isAdmin(who: Principal): boolean {
  return who.role === 'administrator'
}
