import { z } from 'zod'
import { fieldOf, isLeftOut, readScalar, unwrap } from '../api/lenient.ts'
import { AppError, withoutTokens } from '../errors.ts'
import { closest } from './closest.ts'

/** Arguments as they were understood, with a note for every one that was not taken literally. */
export interface Understood {
  readonly input: Record<string, unknown>
  readonly notes: readonly string[]
}

/**
 * Reads a model's arguments with goodwill: numbers, booleans, lists and objects that arrive as text become what the
 * schema asks for, null counts as not given. An argument that the tool does not have is refused with the likely name.
 */
export function understand(schema: z.ZodObject, raw: unknown): Understood {
  const notes: string[] = []
  const given = readObject(raw ?? {})
  if (given === undefined) throw new AppError('invalid', 'arguments: send a JSON object')
  return { input: objectOf(schema, given, '', notes), notes }
}

function objectOf(schema: z.ZodObject, given: Record<string, unknown>, path: string, notes: string[]) {
  const entries = Object.entries(given).flatMap(([key, value]) => {
    const field = fieldOf(schema, key)
    if (field === undefined) throw unknownArgument(schema, `${path}${key}`, key)
    if (value === null && isLeftOut(field)) {
      notes.push(`${path}${key}: null was read as not given`)
      return []
    }
    return [[key, valueFor(unwrap(field), value, `${path}${key}`, notes)] as const]
  })
  return Object.fromEntries(entries)
}

function valueFor(schema: z.ZodType, value: unknown, path: string, notes: string[]): unknown {
  const read = readAs(schema, value)
  if (read !== value) notes.push(`${path}: the text was read as ${nounOf(read)}`)
  if (schema instanceof z.ZodArray && Array.isArray(read)) {
    return read.map((item, index) => valueFor(unwrap(schema.element as z.ZodType), item, `${path}.${index}`, notes)) // zod types inner schemas as core types
  }
  const record = schema instanceof z.ZodObject ? readObject(read) : undefined
  return schema instanceof z.ZodObject && record ? objectOf(schema, record, `${path}.`, notes) : read
}

function readAs(schema: z.ZodType, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (schema instanceof z.ZodArray) return readList(value)
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return readObject(value) ?? value
  return readScalar(schema, value)
}

/** A JSON list, or the one value that a list of one was meant to be. */
function readList(text: string): unknown[] {
  const parsed = parseJson(text)
  return Array.isArray(parsed) ? parsed : [text]
}

function readObject(value: unknown): Record<string, unknown> | undefined {
  const parsed = typeof value === 'string' ? parseJson(value) : value
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  return isObject ? { ...parsed } : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function nounOf(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${value}`
}

function unknownArgument(schema: z.ZodObject, path: string, key: string): AppError {
  const known = Object.keys(schema.shape)
  const likely = closest(key, known)
  const hint = likely ? `did you mean "${likely}"?` : `it takes ${known.join(', ') || 'no arguments'}`
  return new AppError('invalid', `${withoutTokens(path).slice(0, 100)}: no such argument; ${hint}`)
}
