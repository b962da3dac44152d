import { AppError } from '../../errors.ts'
import type { CredentialHolder } from '../../storage/credentials.ts'
import type { Database, Db } from '../../storage/db.ts'
import * as identities from '../../storage/identities.ts'
import * as providerSessions from '../../storage/provider-sessions.ts'
import * as users from '../../storage/users.ts'
import type { Vault } from '../../storage/vault.ts'
import type { Door } from '../identity.ts'
import { type OutcomeEnv, record } from '../outcomes.ts'
import { principalOf } from '../resolver.ts'
import type { Person } from './claims.ts'
import type { ProviderTokens } from './provider.ts'
import { SharedWork } from './shared-work.ts'

/** A refresh that failed is not tried again before. */
const PAUSE_MS = 5_000

/** What keeping sessions alive needs. */
export interface SessionsEnv extends OutcomeEnv {
  readonly database: Database
  readonly vault: Vault
  /** New tokens for a refresh token. */
  readonly refresh: (refreshToken: string) => Promise<ProviderTokens>
  /** Who the tokens are for; undefined when groups decide nothing, so that nothing has to be asked. */
  readonly personOf: (tokens: ProviderTokens, subject: string) => Promise<Person | undefined>
}

/** Keeps the tokens of a new session, sealed. */
export async function keepTokens(tx: Db, vault: Vault, credentialId: string, tokens: ProviderTokens): Promise<void> {
  await providerSessions.insert(tx, sealed(vault, credentialId, tokens, undefined))
}

/** The sessions that the provider stands by: each is renewed when its access token expires. */
export class ProviderSessions {
  readonly #env: SessionsEnv
  readonly #renewals: SharedWork

  constructor(env: SessionsEnv) {
    this.#env = env
    this.#renewals = new SharedWork(PAUSE_MS, () => env.now().getTime())
  }

  /** Renews the session if it is due, once for all who ask; whether it was. Throws `unauthenticated`. */
  async revalidate(session: CredentialHolder, door: Door): Promise<boolean> {
    if (await this.#isFresh(session.id)) return false
    await this.#renewals.run(session.id, () => this.#renew(session, door))
    return true
  }

  async #isFresh(id: string): Promise<boolean> {
    const kept = await this.#env.database.read((tx) => providerSessions.find(tx, id))
    return kept !== undefined && kept.access_expires_at > this.#env.now().toISOString()
  }

  async #renew(session: CredentialHolder, door: Door): Promise<void> {
    const { database, vault } = this.#env
    const { kept, identity } = await database.read(async (tx) => ({
      kept: await providerSessions.find(tx, session.id),
      identity: await identities.findByUser(tx, session.user_id),
    }))
    if (kept && kept.access_expires_at > this.#env.now().toISOString()) return
    if (!kept?.refresh_token || !identity) return this.#end(session, door, 'session expired')
    const tokens = await this.#refresh(vault.open(kept.refresh_token, placeOf('refresh_token', session.id)), identity)
    const person = await this.#personOf(tokens, identity.subject)
    if (!(person instanceof AppError)) return this.#keep(session, tokens, { kept, person })
    if (person.code === 'forbidden') return this.#end(session, door, 'not authorized')
    const due = { ...tokens, expiresAt: this.#env.now() }
    await this.#keep(session, due, { kept, person: undefined })
    throw failure(person)
  }

  async #refresh(refreshToken: string, identity: identities.Identity): Promise<ProviderTokens> {
    const tokens = await this.#env.refresh(refreshToken).catch((error: unknown) => {
      throw error instanceof AppError ? failure(error) : error
    })
    if (tokens.claims && tokens.claims.sub !== identity.subject) throw failure(new Error('the subject changed'))
    return tokens
  }

  /** A refusal is a value here: the old refresh token may be spent, so the new one is kept although it failed. */
  async #personOf(tokens: ProviderTokens, subject: string): Promise<Person | undefined | AppError> {
    try {
      return await this.#env.personOf(tokens, subject)
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  }

  async #keep(
    session: CredentialHolder,
    tokens: ProviderTokens,
    { kept, person }: { kept: providerSessions.ProviderSession; person: Person | undefined },
  ): Promise<void> {
    const { database, vault, now } = this.#env
    await database.write(async (tx) => {
      const isAlive = await providerSessions.update(tx, sealed(vault, session.id, tokens, kept.refresh_token))
      const user = isAlive ? await users.find(tx, session.user_id) : undefined
      if (!user || person?.role === undefined || person.role === user.role) return
      await users.updateProfile(tx, { ...user, role: person.role, updated_at: now().toISOString() })
    })
  }

  async #end(session: CredentialHolder, door: Door, reason: string): Promise<never> {
    await this.#env.database.write(async (tx) => {
      await providerSessions.end(tx, session.id)
      const outcome = { action: 'logout', outcome: 'ok', detail: { reason } } as const
      await record(this.#env, tx, { ...door, ...outcome, who: principalOf(session) })
    })
    throw new AppError('unauthenticated', reason)
  }
}

function failure(cause: unknown): AppError {
  return new AppError('unauthenticated', 'failed to refresh token', { cause })
}

function sealed(
  vault: Vault,
  id: string,
  tokens: ProviderTokens,
  formerRefreshToken: string | null | undefined,
): providerSessions.ProviderSession {
  const { accessToken, refreshToken, expiresAt } = tokens
  const rotated = refreshToken && vault.seal(refreshToken, placeOf('refresh_token', id))
  return {
    credential_id: id,
    access_token: vault.seal(accessToken, placeOf('access_token', id)),
    refresh_token: rotated ?? formerRefreshToken ?? null,
    access_expires_at: expiresAt.toISOString(),
  }
}

function placeOf(column: 'access_token' | 'refresh_token', id: string): string {
  return `provider_sessions.${column}:${id}`
}
