import type { Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { AppError } from '../errors.ts'
import type { CredentialHolder } from '../storage/credentials.ts'
import type { IssuedSession } from './login.ts'
import type { Outcome } from './outcomes.ts'

/** How to sign in, as it is told to everybody. What does not apply or is not known is empty. */
export interface SignInDescription {
  /** Whether OpenID Connect is used. */
  readonly enabled: boolean
  readonly issuer_url: string
  readonly client_id: string
  /** Whether a user name and a password are used. */
  readonly simple_auth: boolean
  readonly authorization_endpoint: string
  readonly end_session_endpoint: string
  /** What to ask the provider for. */
  readonly scope: string
}

/** What a browser brings back from the identity provider. */
export interface CodeGrant {
  readonly code: string
  readonly redirectUri: string
  /** Of PKCE (RFC 7636), when the browser used it. */
  readonly codeVerifier?: string | undefined
  readonly nonce?: string | undefined
}

/** Through which door a credential came, for the audit row. */
export type Door = Pick<Outcome, 'surface' | 'trace'>

/** Where people prove who they are: an OpenID Connect provider, or this server by password. */
export interface IdentityProvider extends AsyncDisposable {
  readonly isEnabled: boolean
  /** From what is known now: asks nobody. */
  describe(): SignInDescription
  /** Asks the provider for what `describe` tells, if that is not known; never rejects. */
  prepare(): Promise<void>
  /** Opens a session for whoever the provider made the code for. */
  exchange(grant: CodeGrant, trace: Trace): Promise<IssuedSession>
  /** Whether the holder may have changed. Throws `unauthenticated` when the provider no longer stands by the session. */
  revalidate(session: CredentialHolder, door: Door): Promise<boolean>
  /** The person whom the provider's own token names; a new one becomes a user. */
  identify(jwt: string, door: Door): Promise<Principal>
}

/** Sign-in by password: no identity provider at all. */
export const passwordSignIn: IdentityProvider = Object.freeze({
  isEnabled: false,
  describe: () => ({
    enabled: false,
    issuer_url: '',
    client_id: '',
    simple_auth: true,
    authorization_endpoint: '',
    end_session_endpoint: '',
    scope: '',
  }),
  prepare: async () => {},
  exchange: async () => {
    throw new AppError('invalid', 'Authentication is not enabled')
  },
  revalidate: async () => false,
  identify: async () => {
    throw new AppError('unauthenticated', 'invalid API token')
  },
  [Symbol.asyncDispose]: async () => {},
})
