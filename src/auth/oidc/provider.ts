import type { JWTVerifyGetKey } from 'jose'
import * as oauth from 'oauth4webapi'
import type { OidcConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { CodeGrant } from '../identity.ts'
import { Cached } from './cached.ts'
import { createKeySet } from './keys.ts'
import type { Outbound } from './outbound.ts'
import { refusalOf } from './refusals.ts'
import { CLOCK_TOLERANCE_SECONDS, type Claims, type VerifiedClaims, verifyToken } from './token.ts'

/** Metadata changes rarely; the old ones work for long. */
const DISCOVERY_TTL_MS = 3_600_000
/** Metadata and keys are asked for at most this often, whoever asks. */
const PAUSE_MS = 5_000
const NO_KEYS = 'the identity provider does not say where its keys are'
/** Longest life that is taken over from the provider; a session ends before. */
const MAX_LIFE_SECONDS = 365 * 24 * 3600

/** What the provider hands out for a code or a refresh token. */
export interface ProviderTokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly expiresAt: Date
  /** Of the ID token, which a refresh may leave out. */
  readonly claims: VerifiedClaims | undefined
}

/** What talking to the provider needs. */
export interface ProviderOptions {
  readonly config: OidcConfig
  readonly clientSecret: string | undefined
  readonly outbound: Outbound
  readonly now: () => Date
}

/** An OpenID Connect provider as we use it. Every call throws AppError only, without anything that the provider sent. */
export class Provider {
  readonly #options: ProviderOptions
  readonly #metadata: Cached<oauth.AuthorizationServer>
  readonly #keys: JWTVerifyGetKey

  constructor(options: ProviderOptions) {
    const now = () => options.now().getTime()
    this.#options = options
    this.#metadata = new Cached(() => this.#discover(), { ttlMs: DISCOVERY_TTL_MS, pauseMs: PAUSE_MS, now })
    const keys = { ttlMs: options.config.jwksCacheTtlSeconds * 1000, pauseMs: PAUSE_MS, now }
    this.#keys = createKeySet(() => this.#fetchKeys(), keys)
  }

  /** What is known without asking. */
  peekMetadata(): oauth.AuthorizationServer | undefined {
    return this.#metadata.peek()
  }

  /** Where the provider's endpoints are. Source: OpenID Connect Discovery 1.0. */
  metadata(): Promise<oauth.AuthorizationServer> {
    return this.#metadata.get()
  }

  /** The tokens for a code; the ID token is among them. */
  async exchange(grant: CodeGrant): Promise<ProviderTokens & { readonly claims: VerifiedClaims }> {
    const form = {
      code: grant.code,
      redirect_uri: grant.redirectUri,
      ...(grant.codeVerifier === undefined ? {} : { code_verifier: grant.codeVerifier }),
    }
    const tokens = await this.#askForTokens('authorization_code', form, grant.nonce)
    if (tokens.claims) return { ...tokens, claims: tokens.claims }
    throw new AppError('invalid', 'the identity provider sent no ID token: ask it for the scope openid')
  }

  /** New tokens for a refresh token. */
  refresh(refreshToken: string): Promise<ProviderTokens> {
    return this.#askForTokens('refresh_token', { refresh_token: refreshToken })
  }

  /** The claims of a token that the provider made for us. */
  async verify(jwt: string, nonce?: string): Promise<VerifiedClaims> {
    const { issuer } = await this.metadata()
    const { config, now } = this.#options
    return verifyToken(jwt, this.#keys, { issuer, clientId: config.clientId, now: now(), nonce })
  }

  /** What the provider's userinfo tells of `subject`: nothing when there is none, undefined when the token opens it not. */
  async userInfo(accessToken: string, subject: string): Promise<Claims | undefined> {
    const metadata = await this.metadata()
    if (metadata.userinfo_endpoint === undefined) return {}
    return this.#translated(async () => {
      const response = await oauth.userInfoRequest(metadata, this.#client(), accessToken, this.#transport())
      if (response.status === 401 || response.status === 403) return undefined
      const isJson = response.headers.get('content-type')?.startsWith('application/json')
      if (response.ok && !isJson)
        throw new AppError('unavailable', 'the identity provider sent no JSON as its userinfo')
      return oauth.processUserInfoResponse(metadata, this.#client(), subject, response)
    })
  }

  async #askForTokens(grantType: string, form: Record<string, string>, nonce?: string): Promise<ProviderTokens> {
    const metadata = await this.metadata()
    const client = this.#client()
    const answer = await this.#translated(async () => {
      const auth = this.#clientAuthentication(metadata)
      const transport = this.#transport()
      const response = await oauth.genericTokenEndpointRequest(metadata, client, auth, grantType, form, transport)
      return oauth.processGenericTokenEndpointResponse(metadata, client, response)
    })
    const claims = answer.id_token === undefined ? undefined : await this.verify(answer.id_token, nonce)
    return {
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresAt: this.#expiryOf(answer.expires_in, claims),
      claims,
    }
  }

  #expiryOf(expiresIn: number | undefined, claims: VerifiedClaims | undefined): Date {
    const now = this.#options.now().getTime()
    const life = expiresIn ?? (claims ? claims.exp - now / 1000 : 0)
    return new Date(now + Math.min(life, MAX_LIFE_SECONDS) * 1000)
  }

  #discover(): Promise<oauth.AuthorizationServer> {
    return this.#translated(async () => {
      const issuer = new URL(this.#options.config.issuerUrl)
      const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...this.#transport() })
      return oauth.processDiscoveryResponse(await nameOf(response, issuer), response)
    })
  }

  async #fetchKeys(): Promise<Response> {
    const metadata = await this.metadata()
    return this.#translated(async () => {
      const url = metadata.jwks_uri ?? ''
      if (!(this.#isPlain ? /^https?:/ : /^https:/).test(url)) throw new AppError('unavailable', NO_KEYS)
      return this.#options.outbound.fetch(url, { method: 'GET', headers: { accept: 'application/json' } })
    })
  }

  /** Without TLS only when the operator said so in the issuer's URL. */
  get #isPlain(): boolean {
    return this.#options.config.issuerUrl.startsWith('http:')
  }

  #transport() {
    return { [oauth.customFetch]: this.#options.outbound.fetch, [oauth.allowInsecureRequests]: this.#isPlain }
  }

  #client(): oauth.Client {
    const skew = Math.round((this.#options.now().getTime() - Date.now()) / 1000)
    return {
      client_id: this.#options.config.clientId,
      [oauth.clockSkew]: skew,
      [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
    }
  }

  /** In the body, as most providers take it; in a header where the provider takes only that. */
  #clientAuthentication(metadata: oauth.AuthorizationServer): oauth.ClientAuth {
    const { clientSecret } = this.#options
    if (clientSecret === undefined) return oauth.None()
    const methods = metadata.token_endpoint_auth_methods_supported ?? []
    const isHeaderOnly = methods.includes('client_secret_basic') && !methods.includes('client_secret_post')
    return isHeaderOnly ? oauth.ClientSecretBasic(clientSecret) : oauth.ClientSecretPost(clientSecret)
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      throw refusalOf(thrown)
    }
  }
}

/** The issuer's name to expect: as configured, but for a slash at the end, which is easily added or forgotten. */
async function nameOf(response: Response, configured: URL): Promise<URL> {
  const told: unknown = await response
    .clone()
    .json()
    .catch(() => undefined)
  const issuer = typeof told === 'object' && told !== null && 'issuer' in told ? String(told.issuer) : ''
  const isSame = issuer.replace(/\/$/, '') === configured.href.replace(/\/$/, '')
  return isSame ? new URL(issuer) : configured
}
