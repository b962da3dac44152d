import { z } from 'zod'
import { ADMIN } from '../../auth/administrator.ts'
import { hashPassword } from '../../auth/passwords.ts'
import { AppError, quoted } from '../../errors.ts'
import * as credentials from '../../storage/credentials.ts'
import type { Db } from '../../storage/db.ts'
import * as identities from '../../storage/identities.ts'
import * as users from '../../storage/users.ts'
import { Line, Timestamp, UserId } from '../fields.ts'
import { type Context, defineOperation } from '../operation.ts'

const Role = z.enum(['administrator', 'user'])
const MIN_PASSWORD = 8
const MAX_PASSWORD = 1024

const UserView = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role: Role,
  authorized_networks: z.array(z.string()),
  created_at: Timestamp,
  updated_at: Timestamp,
  last_login_at: Timestamp.nullable(),
})

const DefaultsView = z.object({ default_role: Role, default_authorized_networks: z.array(z.string()) })

const USERS_COME =
  'users cannot be created here when OIDC is enabled: they come from the identity provider at their first sign-in'

const Name = Line(255).min(1).describe('Full name')
const Networks = z
  .array(z.string().max(255).meta({ ref: 'network' }))
  .max(10_000)
  .describe('Ids of the networks the user may use')
/** A password on the way in, its hash in the operation's body. */
const Password = z
  .string()
  .min(MIN_PASSWORD, `password must be at least ${MIN_PASSWORD} characters`)
  .max(MAX_PASSWORD)
  .transform(hashPassword)
  .meta({ secret: true })
  .optional()
  .describe('Password for signing in')

/** The caller. */
export const getCurrentUser = defineOperation({
  name: 'get_current_user',
  title: 'Get current user',
  description: 'Shows who you are: role and authorised networks.',
  http: 'GET /users/me',
  permission: 'self',
  effect: 'read',
  input: z.strictObject({}),
  output: UserView,
  async run({ tx, who }) {
    return userView(await users.get(tx, who.id))
  },
})

/** Lists all users. */
export const listUsers = defineOperation({
  name: 'list_users',
  title: 'List users',
  description: 'Lists all users.',
  http: 'GET /users',
  permission: 'users:read',
  effect: 'read',
  input: z.strictObject({}),
  output: z.array(UserView),
  async run({ tx }) {
    return (await users.list(tx)).map(userView)
  },
})

/** Gets one user. */
export const getUser = defineOperation({
  name: 'get_user',
  title: 'Get user',
  description: 'Shows one user.',
  http: 'GET /users/{user_id}',
  permission: 'users:read',
  effect: 'read',
  input: z.strictObject({ user_id: UserId }),
  output: UserView,
  async run({ tx }, input) {
    return userView(await users.get(tx, input.user_id))
  },
})

/** Creates a user who signs in with e-mail address and password. */
export const createUser = defineOperation({
  name: 'create_user',
  title: 'Create user',
  description:
    'Creates a user. Role and networks are the defaults unless given; a person sets the password through REST.',
  http: 'POST /users',
  permission: 'users:write',
  effect: 'create',
  input: z.strictObject({
    email: z.email().max(254).describe('E-mail address, unique'),
    name: Name,
    role: Role.optional().describe('administrator or user'),
    password: Password,
    authorized_networks: Networks.optional(),
  }),
  output: UserView,
  async run({ tx, now, random, identity }, input) {
    if (identity.isEnabled) throw new AppError('forbidden', USERS_COME)
    const defaults = await users.getDefaults(tx)
    const email = input.email.toLowerCase()
    if (email === ADMIN.email || (await users.findLogin(tx, email)))
      throw new AppError('conflict', 'a user with this email already exists')
    const user: users.User = {
      id: random.newId(),
      email,
      name: input.name,
      role: input.role ?? defaults.default_role,
      authorized_networks: input.authorized_networks ?? defaults.default_authorized_networks,
      created_at: now,
      updated_at: now,
      last_login_at: null,
    }
    await refuseUnknownNetworks(tx, user.authorized_networks)
    await users.insert(tx, user, input.password ?? null)
    return userView(await users.get(tx, user.id))
  },
})

/** Changes a user. */
export const updateUser = defineOperation({
  name: 'update_user',
  title: 'Update user',
  description: 'Changes the given fields of a user. The last administrator keeps the role.',
  http: 'PUT /users/{user_id}',
  permission: 'users:write',
  effect: 'update',
  input: z.strictObject({
    user_id: UserId,
    name: Line(255).optional().describe('Full name'),
    role: Role.optional().describe('administrator or user'),
    password: Password,
    authorized_networks: Networks.optional(),
  }),
  output: UserView,
  async run({ tx, now, identity }, input) {
    const user = await users.get(tx, input.user_id)
    if (input.role === 'user') await keepAnAdministrator(tx, user, identity)
    const granted = input.authorized_networks
    if (granted) await refuseUnknownNetworks(tx, granted)
    await users.update(tx, {
      ...user,
      name: input.name || user.name,
      role: input.role ?? user.role,
      authorized_networks: granted ?? user.authorized_networks,
      updated_at: now,
    })
    if (input.password !== undefined) {
      await users.setPassword(tx, user.id, input.password)
      await credentials.removeSessions(tx, user.id)
    }
    return userView(await users.get(tx, user.id))
  },
})

/** Deletes a user; the user's peers stay without an owner. */
export const deleteUser = defineOperation({
  name: 'delete_user',
  title: 'Delete user',
  description: "Deletes a user and ends the user's sessions and tokens. Peers stay, without an owner.",
  http: 'DELETE /users/{user_id}',
  permission: 'users:write',
  effect: 'delete',
  input: z.strictObject({ user_id: UserId }),
  output: z.null(),
  async run({ tx, identity }, input) {
    const user = await users.get(tx, input.user_id)
    if (user.id === ADMIN.id)
      throw new AppError('conflict', 'the built-in administrator cannot be deleted; make it a user instead')
    await keepAnAdministrator(tx, user, identity)
    await users.remove(tx, user.id)
    return null
  },
})

/** What new users get. */
export const getUserDefaults = defineOperation({
  name: 'get_user_defaults',
  title: 'Get user defaults',
  description: 'Shows the role and networks that new users get.',
  http: 'GET /users/defaults',
  permission: 'users:read',
  effect: 'read',
  input: z.strictObject({}),
  output: DefaultsView,
  async run({ tx }) {
    return defaultsView(await users.getDefaults(tx))
  },
})

/** Sets what new users get. */
export const updateUserDefaults = defineOperation({
  name: 'update_user_defaults',
  title: 'Update user defaults',
  description: 'Sets the role and networks that new users get.',
  http: 'PUT /users/defaults',
  permission: 'users:write',
  effect: 'update',
  input: z.strictObject({
    default_role: Role.optional().describe('administrator or user'),
    default_authorized_networks: Networks.optional(),
  }),
  output: DefaultsView,
  async run({ tx }, input) {
    const before = await users.getDefaults(tx)
    const after = {
      default_role: input.default_role ?? before.default_role,
      default_authorized_networks: input.default_authorized_networks ?? before.default_authorized_networks,
    }
    await refuseUnknownNetworks(tx, after.default_authorized_networks)
    await users.putDefaults(tx, after)
    return defaultsView(after)
  },
})

function userView(user: users.User): z.input<typeof UserView> {
  return { ...user, authorized_networks: [...user.authorized_networks] }
}

function defaultsView(defaults: users.UserDefaults): z.input<typeof DefaultsView> {
  return { ...defaults, default_authorized_networks: [...defaults.default_authorized_networks] }
}

async function refuseUnknownNetworks(tx: Db, ids: readonly string[]): Promise<void> {
  const [missing] = await users.missingNetworks(tx, ids)
  if (missing !== undefined) throw new AppError('invalid', `authorized_networks: no network ${quoted(missing)}`)
}

/** Only who can sign in counts. */
async function keepAnAdministrator(tx: Db, user: users.User, identity: Context['identity']): Promise<void> {
  const { hasOtherAdministrator } = identity.isEnabled ? identities : users
  if (user.role === 'administrator' && !(await hasOtherAdministrator(tx, user.id))) {
    throw new AppError('conflict', `"${user.email}" is the last administrator; make somebody else one first`)
  }
}
