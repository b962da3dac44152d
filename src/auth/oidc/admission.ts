import { AppError, quoted } from '../../errors.ts'
import type { Random } from '../../random.ts'
import type { Db } from '../../storage/db.ts'
import * as identities from '../../storage/identities.ts'
import * as users from '../../storage/users.ts'
import { ADMIN } from '../administrator.ts'
import type { Person } from './claims.ts'

/** Whom the provider's people are to us. */
export interface AdmissionEnv {
  readonly issuer: string
  readonly random: Random
  readonly now: () => Date
}

/** Words that mean something else where a user's id stands. */
const RESERVED = [ADMIN.id, 'me', 'defaults', '.', '..']

/** The user that `person` is, if the user's profile is already what the provider says. */
export async function findAdmitted(tx: Db, issuer: string, person: Person): Promise<users.User | undefined> {
  const id = await identities.findUserId(tx, { issuer, subject: person.subject })
  const user = id === undefined ? undefined : await users.find(tx, id)
  return user && !differs(user, person) ? user : undefined
}

/** The user that `person` is, with the provider's profile; a new one when nobody is. Throws `conflict`. */
export async function admit(tx: Db, env: AdmissionEnv, person: Person): Promise<users.User> {
  const id = await findUserId(tx, env, person)
  if (id === undefined) return create(tx, env, person)
  const user = await users.get(tx, id)
  if (!differs(user, person)) return user
  const changed: users.User = {
    ...user,
    email: person.email ?? user.email,
    name: person.name ?? user.name,
    role: person.role ?? user.role,
    updated_at: env.now().toISOString(),
  }
  if (changed.email !== user.email) await refuseTakenEmail(tx, changed.email)
  await users.updateProfile(tx, changed)
  return changed
}

/** Follows a person to another issuer when subject and e-mail address stayed: then only the provider's URL changed. */
async function findUserId(tx: Db, { issuer }: AdmissionEnv, person: Person): Promise<string | undefined> {
  const identity = { issuer, subject: person.subject }
  const id = await identities.findUserId(tx, identity)
  if (id !== undefined || person.email === undefined) return id
  const moved = await identities.findElsewhere(tx, person.subject, person.email)
  if (moved) await identities.put(tx, { ...identity, user_id: moved.user_id })
  return moved?.user_id
}

async function create(tx: Db, env: AdmissionEnv, person: Person): Promise<users.User> {
  const { email, subject } = person
  if (email === undefined) {
    throw new AppError(
      'invalid',
      'Your account does not have an email address: add one at the identity provider, or set AUTH_EMAIL_CLAIM',
    )
  }
  await refuseTakenEmail(tx, email)
  const defaults = await users.getDefaults(tx)
  const now = env.now().toISOString()
  const user: users.User = {
    id: (await isFree(tx, subject)) ? subject : env.random.newId(),
    email,
    name: person.name ?? email,
    role: person.role ?? ((await isFirst(tx)) ? 'administrator' : defaults.default_role),
    authorized_networks: defaults.default_authorized_networks,
    created_at: now,
    updated_at: now,
    last_login_at: null,
  }
  await users.insert(tx, user, null)
  await identities.put(tx, { issuer: env.issuer, subject, user_id: user.id })
  return user
}

/** Nobody came before, and nobody administers but the built-in user, who cannot sign in: somebody has to begin. */
async function isFirst(tx: Db): Promise<boolean> {
  return !(await identities.exist(tx)) && !(await users.hasOtherAdministrator(tx, ADMIN.id))
}

/** A user's id is the subject, as programs expect, unless it would mean somebody or something else. */
async function isFree(tx: Db, subject: string): Promise<boolean> {
  return !RESERVED.includes(subject) && (await users.find(tx, subject)) === undefined
}

async function refuseTakenEmail(tx: Db, email: string): Promise<void> {
  if (email !== ADMIN.email && (await users.findLogin(tx, email)) === undefined) return
  throw new AppError(
    'conflict',
    `the e-mail address ${quoted(email)} belongs to another user here: an administrator has to delete that user first`,
  )
}

function differs(user: users.User, { email, name, role }: Person): boolean {
  return (
    (email !== undefined && email !== user.email) ||
    (name !== undefined && name !== user.name) ||
    (role !== undefined && role !== user.role)
  )
}
