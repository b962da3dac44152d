import type { z } from 'zod'
import type { Reference } from '../api/fields.ts'
import { fieldOf, unwrap } from '../api/lenient.ts'
import { allows, type Principal } from '../core/principal.ts'
import { AppError, quoted } from '../errors.ts'
import type { Db } from '../storage/db.ts'
import * as networks from '../storage/networks.ts'
import * as peers from '../storage/peers.ts'
import * as users from '../storage/users.ts'
import { closest } from './closest.ts'
import type { Understood } from './coerce.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Puts ids where an assistant gave names that are unambiguous among what `who` may see. The network comes first. */
export async function resolveNames(
  tx: Db,
  who: Principal,
  schema: z.ZodObject,
  understood: Understood,
): Promise<Understood> {
  const input = { ...understood.input }
  const notes = [...understood.notes]
  for (const [key, noun] of referencesOf(schema)) {
    const given = input[key]
    if (typeof given !== 'string' || given === '' || UUID.test(given)) continue
    const id = await idOf(tx, who, noun, given, input)
    if (id === undefined || id === given) continue
    input[key] = id
    notes.push(`${key}: ${quoted(given)} is the ${noun} ${id}`)
  }
  return { input, notes }
}

/** Fields that refer to an object, networks before what lies in them. */
function referencesOf(schema: z.ZodObject): [string, Reference][] {
  const found = Object.keys(schema.shape).flatMap((key): [string, Reference][] => {
    const noun = referenceOf(fieldOf(schema, key))
    return noun === undefined ? [] : [[key, noun]]
  })
  return found.sort(([, a], [, b]) => Number(b === 'network') - Number(a === 'network'))
}

function referenceOf(field: z.ZodType | undefined): Reference | undefined {
  const mark = field?.meta()?.ref ?? (field && unwrap(field).meta()?.ref)
  return mark as Reference | undefined // only fields.ts sets it
}

async function idOf(tx: Db, who: Principal, noun: Reference, name: string, input: Record<string, unknown>) {
  if (noun === 'network') {
    return only(noun, name, await networks.named(tx, who, name), () => networks.names(tx, who))
  }
  if (noun === 'peer' && typeof input.network_id === 'string') {
    const networkId = input.network_id
    return only(noun, name, await peers.named(tx, who, networkId, name), () => peers.names(tx, who, networkId))
  }
  if (noun === 'user' && allows(who, 'users:read')) return (await users.findLogin(tx, name))?.id
  return undefined
}

type Named = { id: string; name: string }

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
