import type { OidcConfig } from '../../config.ts'
import type { Principal } from '../../core/principal.ts'
import type { Trace } from '../../core/trace.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Random } from '../../random.ts'
import type { CredentialHolder } from '../../storage/credentials.ts'
import type { Database } from '../../storage/db.ts'
import type { Vault } from '../../storage/vault.ts'
import type { CodeGrant, Door, IdentityProvider, SignInDescription } from '../identity.ts'
import { type IssuedSession, startSession } from '../login.ts'
import { recordRefusal } from '../outcomes.ts'
import { admit } from './admission.ts'
import { BearerTokens } from './bearer.ts'
import { isIncomplete, type Person, readPerson, usesGroups } from './claims.ts'
import { createOutbound, type Outbound } from './outbound.ts'
import { Provider, type ProviderTokens } from './provider.ts'
import { keepTokens, ProviderSessions } from './sessions.ts'
import type { Claims } from './token.ts'

const SCOPE = 'openid profile email'

/** What signing in at a provider needs. */
export interface OidcOptions {
  readonly config: OidcConfig
  readonly clientSecret: string | undefined
  readonly database: Database
  readonly vault: Vault
  readonly random: Random
  readonly now: () => Date
  readonly log: Pick<Logger, 'warn'>
}

/** Sign-in at an OpenID Connect provider; it is asked for its metadata at once, without anybody waiting. */
export function createOidcSignIn(options: OidcOptions): IdentityProvider {
  const signIn = new OidcSignIn(options)
  void signIn.prepare()
  return signIn
}

class OidcSignIn implements IdentityProvider {
  readonly isEnabled = true
  readonly #options: OidcOptions
  readonly #issuer: string
  readonly #outbound: Outbound
  readonly #provider: Provider
  readonly #sessions: ProviderSessions
  readonly #bearers: BearerTokens

  constructor(options: OidcOptions) {
    const { config, clientSecret, now } = options
    this.#options = options
    this.#issuer = config.issuerUrl.replace(/\/$/, '')
    this.#outbound = createOutbound()
    this.#provider = new Provider({ config, clientSecret, now, outbound: this.#outbound })
    this.#sessions = new ProviderSessions({
      ...options,
      refresh: (token) => this.#provider.refresh(token),
      personOf: async (tokens, subject) => (usesGroups(config) ? this.#describe(tokens, subject) : undefined),
    })
    this.#bearers = new BearerTokens({ ...options, issuer: this.#issuer, readToken: (jwt) => this.#readToken(jwt) })
  }

  describe(): SignInDescription {
    const { issuerUrl, clientId, groupsClaim } = this.#options.config
    const known = this.#provider.peekMetadata()
    if (known === undefined) void this.prepare()
    const hasGroupScope = usesGroups(this.#options.config) && known?.scopes_supported?.includes(groupsClaim)
    return {
      enabled: true,
      issuer_url: issuerUrl,
      client_id: clientId,
      simple_auth: false,
      authorization_endpoint: known?.authorization_endpoint ?? '',
      end_session_endpoint: known?.end_session_endpoint ?? '',
      scope: known === undefined ? '' : hasGroupScope ? `${SCOPE} ${groupsClaim}` : SCOPE,
    }
  }

  async prepare(): Promise<void> {
    if (this.#provider.peekMetadata() === undefined)
      await this.#logged(this.#provider.metadata()).catch(() => undefined)
  }

  async exchange(grant: CodeGrant, trace: Trace): Promise<IssuedSession> {
    let email: string | undefined
    try {
      const tokens = await this.#logged(this.#provider.exchange(grant))
      const person = await this.#logged(this.#describe(tokens, tokens.claims.sub))
      email = person.email
      return await this.#open(person, tokens, trace)
    } catch (thrown) {
      if (thrown instanceof AppError) {
        const detail = { ...(email === undefined ? {} : { username: email }), reason: thrown.message }
        await recordRefusal(this.#options, { action: 'login', surface: 'rest', trace, detail })
      }
      throw thrown
    }
  }

  revalidate(session: CredentialHolder, door: Door): Promise<boolean> {
    return this.#logged(this.#sessions.revalidate(session, door))
  }

  identify(jwt: string, door: Door): Promise<Principal> {
    return this.#bearers.identify(jwt, door)
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#outbound[Symbol.asyncDispose]()
  }

  #open(person: Person, tokens: ProviderTokens, trace: Trace): Promise<IssuedSession> {
    const { database, vault, now } = this.#options
    return database.write(async (tx) => {
      const user = await admit(tx, { ...this.#options, issuer: this.#issuer }, person)
      const { id, secret } = await startSession(this.#options, tx, user, { trace, detail: { username: user.email } })
      await keepTokens(tx, vault, id, tokens)
      const expires_in = Math.max(0, Math.round((tokens.expiresAt.getTime() - now().getTime()) / 1000))
      return { session_hash: secret, expires_in }
    })
  }

  async #readToken(jwt: string): Promise<{ person: Person; exp: number }> {
    const claims = await this.#provider.verify(jwt)
    const { config } = this.#options
    // An ID token opens no userinfo; then what it says itself has to do.
    const more = isIncomplete(config, claims) ? await this.#provider.userInfo(jwt, claims.sub) : undefined
    return { person: readPerson(config, claims.sub, { ...more, ...claims }), exp: claims.exp }
  }

  /** Who the tokens are for; userinfo is asked only for what the ID token leaves out. */
  async #describe(tokens: ProviderTokens, subject: string): Promise<Person> {
    const { config } = this.#options
    const claims: Claims = tokens.claims ?? {}
    if (!isIncomplete(config, claims)) return readPerson(config, subject, claims)
    const more = await this.#provider.userInfo(tokens.accessToken, subject)
    if (more === undefined) throw new AppError('unavailable', 'the identity provider refuses to tell its userinfo')
    return readPerson(config, subject, { ...more, ...claims })
  }

  /** Tells the operator what people are told, with the cause that they are not told. */
  async #logged<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.cause !== undefined) {
        this.#options.log.warn({ problem: thrown.message, cause: causeOf(thrown) }, 'the identity provider failed')
      }
      throw thrown
    }
  }
}

/** The innermost cause by its code or name: its text may carry what the provider sent. */
function causeOf(thrown: Error): string {
  const { cause } = thrown
  if (!(cause instanceof Error)) return thrown.name
  if (cause.cause instanceof AppError || cause instanceof AppError) return causeOf(cause)
  return 'code' in cause ? String(cause.code) : cause.name
}
