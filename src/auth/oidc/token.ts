import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { AppError } from '../../errors.ts'

/** What a token, or the provider's userinfo, says about a person. */
export type Claims = Readonly<Record<string, unknown>>

/** A token whose signature and claims hold. */
export type VerifiedClaims = Claims & { readonly sub: string; readonly exp: number }

/** What a token must say to hold here. */
export interface Expectation {
  readonly issuer: string
  readonly clientId: string
  readonly now: Date
  /** Checked when given. */
  readonly nonce?: string | undefined
}

/** Signatures by a key pair only: with a shared secret or none, whoever can read a token could write one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** How far the provider's clock may be off. */
export const CLOCK_TOLERANCE_SECONDS = 30
const SUBJECT = /^[^\p{C}]{1,255}$/u

/**
 * The claims of a token that the provider made for us: signature, `iss`, `aud`, `exp`, `nbf`, `azp`, `nonce`. Throws
 * `unauthenticated`. Source: OpenID Connect Core 1.0, section 3.1.3.7.
 */
export async function verifyToken(jwt: string, keys: JWTVerifyGetKey, wanted: Expectation): Promise<VerifiedClaims> {
  const { payload } = await jwtVerify(jwt, keys, {
    algorithms: ALGORITHMS,
    issuer: wanted.issuer,
    audience: wanted.clientId,
    currentDate: wanted.now,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['sub', 'exp'],
  }).catch((error: unknown) => {
    throw error instanceof errors.JOSEError ? untrusted(reasonOf(error), error) : error
  })
  checkParties(payload, wanted)
  if (typeof payload.sub !== 'string' || !SUBJECT.test(payload.sub)) throw untrusted('it names nobody')
  return { ...payload, sub: payload.sub, exp: payload.exp ?? 0 }
}

function checkParties(payload: JWTPayload, { clientId, nonce }: Expectation): void {
  const hasManyAudiences = Array.isArray(payload.aud) && payload.aud.length > 1
  if ((payload.azp !== undefined || hasManyAudiences) && payload.azp !== clientId) {
    throw untrusted('it was made for another client')
  }
  if (nonce !== undefined && payload.nonce !== nonce) throw untrusted('its nonce is not the one of this sign-in')
  // A back-channel logout token is signed by the same key for the same audience.
  if (payload.events !== undefined) throw untrusted('it is not a token of a person')
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `its ${error.claim} is not as it must be`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not allowed'
  return "it is not signed with one of the provider's keys"
}

function untrusted(reason: string, cause?: unknown): AppError {
  return new AppError('unauthenticated', `the identity provider's token does not hold: ${reason}`, { cause })
}
