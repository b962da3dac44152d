import { z } from 'zod'
import type { Operation } from './operation.ts'
import { operations } from './operations/index.ts'

/** How to look at what an operation changes. */
export interface Viewer {
  /** A read whose whole input is in the path of the operation. */
  readonly operation: Operation
  /** Whether both have the same path, so that equal outputs mean the same thing. */
  readonly isSame: boolean
  /** The part of the read's output that is changed; undefined where it is not there. */
  readonly select: (view: unknown, input: Record<string, unknown>) => unknown
}

/** How to look at what `operation` changes: by the nearest GET on its path or above it; undefined when there is none. */
export function viewerOf(operation: Operation): Viewer | undefined {
  return VIEWERS.get(operation.name)
}

const VIEWERS: ReadonlyMap<string, Viewer> = new Map(
  operations.flatMap((operation) => {
    const viewer = operation.effect === 'read' ? undefined : nearest(operation)
    return viewer === undefined ? [] : [[operation.name, viewer] as const]
  }),
)

function nearest({ http }: Operation): Viewer | undefined {
  const segments = http.split(' ')[1]?.split('/') ?? []
  for (let length = segments.length; length > 1; length--) {
    const path = segments.slice(0, length).join('/')
    const read = operations.find((candidate) => candidate.http === `GET ${path}` && isWholeInPath(candidate))
    const select = read && selection(read.output, segments.slice(length))
    if (read && select) return { operation: read, isSame: length === segments.length, select }
  }
  return undefined
}

function isWholeInPath({ http, input }: Operation): boolean {
  return Object.keys(input.shape).every((key) => http.includes(`{${key}}`))
}

/**
 * What the rest of a path means in a view: words are verbs (`/resolve`), `{x}` is an element of a list, `rules/{x}` one
 * of the list `rules`. Anything else is not in the view, such as the membership of one peer in a group.
 */
function selection(view: z.ZodType, rest: readonly string[]): Viewer['select'] | undefined {
  const [first = '', second = ''] = rest
  if (rest.every((segment) => !segment.startsWith('{'))) return (value) => value
  if (rest.length === 1 && view instanceof z.ZodArray) return (value, input) => element(value, input[parameter(first)])
  const inner = rest.length === 2 && view instanceof z.ZodObject ? view.shape[first] : undefined
  if (!(inner instanceof z.ZodArray) || !(inner.element instanceof z.ZodObject)) return undefined
  return (value, input) => element((value as Record<string, unknown>)[first], input[parameter(second)]) // parsed by `view`
}

function parameter(segment: string): string {
  return segment.slice(1, -1)
}

function element(list: unknown, id: unknown): unknown {
  return Array.isArray(list) ? list.find((item) => item.id === id) : undefined
}
