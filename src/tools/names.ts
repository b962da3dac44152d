import { z } from 'zod'
import type { Reference } from '../api/fields.ts'
import { fieldOf, unwrap } from '../api/lenient.ts'
import { allows, type Permission, type Principal } from '../core/principal.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from '../storage/db.ts'
import * as groups from '../storage/groups.ts'
import * as networks from '../storage/networks.ts'
import * as peers from '../storage/peers.ts'
import * as policies from '../storage/policies.ts'
import * as routes from '../storage/routes.ts'
import * as users from '../storage/users.ts'
import { closest } from './closest.ts'
import type { Understood } from './coerce.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Puts ids where an assistant gave names that are unambiguous among what `who` may see, at any depth. */
export async function resolveNames(
  tx: Db,
  who: Principal,
  schema: z.ZodObject,
  understood: Understood,
): Promise<Understood> {
  const notes = [...understood.notes]
  const input: Record<string, unknown> = { ...understood.input }
  const lookUp: LookUp = async (noun, given, path) => {
    if (given === '' || given === '*' || UUID.test(given)) return given
    const id = (await idOf(tx, who, noun, given, input)) ?? given
    if (id !== given) notes.push(`${path}: ${quoted(given)} is the ${noun} ${id}`)
    return id
  }
  for (const key of networkFirst(Object.keys(input))) {
    const field = fieldOf(schema, key)
    if (field) input[key] = await resolved(lookUp, field, input[key], key, input)
  }
  return { input, notes }
}

type LookUp = (noun: Reference, given: string, path: string) => Promise<string>

/** The network's id is what other names are looked up in. */
function networkFirst(keys: readonly string[]): string[] {
  return [...keys].sort((a, b) => Number(b === 'network_id') - Number(a === 'network_id'))
}

/** `siblings` are the fields beside `value`: one of them may say which noun it refers to. */
async function resolved(
  lookUp: LookUp,
  field: z.ZodType,
  value: unknown,
  path: string,
  siblings: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  const noun = referenceOf(field, siblings)
  if (noun !== undefined) return typeof value === 'string' ? lookUp(noun, value, path) : value
  const schema = unwrap(field)
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) items.push(await resolved(lookUp, schema.element as z.ZodType, item, path)) // zod types inner schemas as core types
    return items
  }
  if (!(schema instanceof z.ZodObject || schema instanceof z.ZodRecord)) return value
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = []
  for (const [key, item] of Object.entries(value)) {
    if (schema instanceof z.ZodRecord)
      entries.push([String(await resolved(lookUp, schema.keyType as z.ZodType, key, path)), item]) // as above
    else
      entries.push([key, await resolved(lookUp, fieldOf(schema, key) ?? schema, item, `${path}.${key}`, { ...value })])
  }
  return Object.fromEntries(entries)
}

function referenceOf(field: z.ZodType, siblings: Readonly<Record<string, unknown>>): Reference | undefined {
  const { ref, refBy } = { ...unwrap(field).meta(), ...field.meta() }
  const noun = typeof refBy === 'string' ? siblings[refBy] : ref
  return noun === 'cidr' ? undefined : (noun as Reference | undefined) // only fields of ours set it, and enums name it
}

async function idOf(tx: Db, who: Principal, noun: Reference, name: string, input: Record<string, unknown>) {
  if (noun === 'network') {
    return only(noun, name, await networks.named(tx, who, name), () => networks.names(tx, who))
  }
  if (noun === 'peer' && typeof input.network_id === 'string') {
    const networkId = input.network_id
    return only(noun, name, await peers.named(tx, who, networkId, name), () => peers.names(tx, who, networkId))
  }
  const list = IN_NETWORK[noun]
  if (list && allows(who, list.permission) && typeof input.network_id === 'string') {
    const all = await list.of(tx, input.network_id)
    const same = all.filter((item) => item.name.toLowerCase() === name.toLowerCase())
    return only(noun, name, same, async () => all.map((item) => item.name))
  }
  if (noun === 'user' && allows(who, 'users:read')) {
    return only(noun, name, await users.named(tx, name), () => users.emails(tx))
  }
  return undefined
}

type Named = { id: string; name: string }

/** Nouns of a network that have few objects, and who may know their names. */
const IN_NETWORK: Partial<
  Record<Reference, { permission: Permission; of(tx: Db, networkId: string): Promise<Named[]> }>
> = {
  group: { permission: 'groups:read', of: groups.list },
  policy: { permission: 'policies:read', of: policies.list },
  route: { permission: 'routes:read', of: routes.list },
}

async function only(noun: Reference, name: string, found: Named[], known: () => Promise<string[]>): Promise<string> {
  const [first, second] = found
  if (first && !second) return first.id
  if (second) {
    throw new AppError(
      'invalid',
      `${found.length} ${noun}s are called ${quoted(name)}: give one of ${found.map((f) => f.id).join(', ')}`,
    )
  }
  const likely = closest(name, await known())
  throw new AppError(
    'not_found',
    `no ${noun} ${quoted(name)} that you can see${likely ? `; did you mean "${likely}"?` : ''}`,
  )
}
