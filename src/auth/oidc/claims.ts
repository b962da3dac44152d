import type { OidcConfig } from '../../config.ts'
import type { Role } from '../../core/principal.ts'
import { AppError } from '../../errors.ts'
import type { Claims } from './token.ts'

/** Somebody as the provider describes them. */
export interface Person {
  readonly subject: string
  /** Lower case; undefined when the provider tells none. */
  readonly email: string | undefined
  readonly name: string | undefined
  /** By the groups; undefined when groups decide nothing here. */
  readonly role: Role | undefined
}

const EMAIL = /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u
const MAX_EMAIL = 254
const MAX_NAME = 255

/** Whether groups decide who may sign in and as what. */
export function usesGroups(config: OidcConfig): boolean {
  return config.adminGroups.length > 0
}

/** Whether `claims` lack something that the provider's userinfo may have. */
export function isIncomplete(config: OidcConfig, claims: Claims): boolean {
  return emailOf(config, claims) === undefined || (usesGroups(config) && claims[config.groupsClaim] === undefined)
}

/** Reads the claims of `subject`. Throws `forbidden` for somebody in none of the groups that may sign in. */
export function readPerson(config: OidcConfig, subject: string, claims: Claims): Person {
  const name = [claims.name, claims.preferred_username].find((text) => typeof text === 'string' && text.trim() !== '')
  return {
    subject,
    email: emailOf(config, claims),
    name: typeof name === 'string' ? plainLine(name).slice(0, MAX_NAME) : undefined,
    role: usesGroups(config) ? roleOf(config, groupsOf(claims[config.groupsClaim])) : undefined,
  }
}

function emailOf(config: OidcConfig, claims: Claims): string | undefined {
  const candidates = [claims[config.emailClaim], claims.email, claims.upn]
  const email = candidates.find((text) => typeof text === 'string' && text.length <= MAX_EMAIL && EMAIL.test(text))
  return typeof email === 'string' ? email.toLowerCase() : undefined
}

/** Group names from a list, or from a text separated by commas or spaces. */
export function groupsOf(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((item) => typeof item === 'string')
  if (typeof claim !== 'string') return []
  const parts = claim.includes(',') ? claim.split(',') : claim.split(/\s+/)
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

function roleOf({ adminGroups, userGroups }: OidcConfig, groups: readonly string[]): Role {
  if (adminGroups.some((group) => groups.includes(group))) return 'administrator'
  if (userGroups.length === 0 || userGroups.some((group) => groups.includes(group))) return 'user'
  throw new AppError('forbidden', 'You are not authorized: you are in none of the groups that may sign in here')
}

/** Names are shown on one line everywhere. */
function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
