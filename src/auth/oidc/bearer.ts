import { createHash } from 'node:crypto'
import type { Principal } from '../../core/principal.ts'
import type { Database } from '../../storage/db.ts'
import type { User } from '../../storage/users.ts'
import type { Door } from '../identity.ts'
import { type OutcomeEnv, record } from '../outcomes.ts'
import { type AdmissionEnv, admit, findAdmitted } from './admission.ts'
import type { Person } from './claims.ts'

/** A token that held a moment ago is not checked again. */
const TTL_MS = 60_000
const MAX_KNOWN = 1_000

/** What taking the provider's own tokens needs. */
export interface BearerEnv extends OutcomeEnv, AdmissionEnv {
  readonly database: Database
  /** Checks a token and reads who it is for; `exp` in epoch seconds. */
  readonly readToken: (jwt: string) => Promise<{ person: Person; exp: number }>
}

/** People who come with a token of the provider instead of a session. */
export class BearerTokens {
  readonly #env: BearerEnv
  /** By hash, oldest first. */
  readonly #known = new Map<string, { readonly person: Person; readonly until: number }>()

  constructor(env: BearerEnv) {
    this.#env = env
  }

  /** Whom the token names; a new person becomes a user. */
  async identify(jwt: string, door: Door): Promise<Principal> {
    const { database } = this.#env
    const person = await this.#personOf(jwt)
    const user = await database.read((tx) => findAdmitted(tx, this.#env.issuer, person))
    return user ? principalOf(user) : this.#admit(person, door)
  }

  #admit(person: Person, door: Door): Promise<Principal> {
    return this.#env.database.write(async (tx) => {
      const user = await admit(tx, this.#env, person)
      const who = principalOf(user)
      await record(this.#env, tx, { ...door, action: 'login', outcome: 'ok', who, detail: { username: user.email } })
      return who
    })
  }

  async #personOf(jwt: string): Promise<Person> {
    const key = createHash('sha256').update(jwt).digest('base64')
    const now = this.#env.now().getTime()
    const known = this.#known.get(key)
    if (known && known.until > now) return known.person
    const { person, exp } = await this.#env.readToken(jwt)
    this.#known.delete(key)
    this.#known.set(key, { person, until: Math.min(now + TTL_MS, exp * 1000) })
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '')
    return person
  }
}

function principalOf({ id, email, name, role }: User): Principal {
  return { id, email, name, role, credential: 'jwt', credential_id: null }
}
