import type { Random } from '../random.ts'

const BYTES = 32

/** A personal access token: `wirety_` and 64 hex digits. */
export function mintApiToken(random: Random): string {
  return `wirety_${random.newBytes(BYTES).toString('hex')}`
}

/** A session value, the same for header and cookie: `ses_` and 43 characters of base64url. */
export function mintSession(random: Random): string {
  return `ses_${random.newBytes(BYTES).toString('base64url')}`
}

/** A link to the captive portal: `cpt_` and 43 characters of base64url. */
export function mintCaptiveToken(random: Random): string {
  return `cpt_${random.newBytes(BYTES).toString('base64url')}`
}

/** What binds a link to the captive portal to one browser: 32 hex digits. */
export function mintBrowserState(random: Random): string {
  return random.newBytes(16).toString('hex')
}

/** The token with which a peer's agent enrols: `enr_` and 43 characters of base64url. */
export function mintEnrolmentToken(random: Random): string {
  return `enr_${random.newBytes(BYTES).toString('base64url')}`
}
