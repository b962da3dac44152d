import { ANONYMOUS, allows, type Principal } from '../../core/principal.ts'
import type { Operation } from '../operation.ts'
import { STATUS } from '../rest.ts'
import type { RefusalStatus } from './refusals.ts'

/** One method of one path, as the document describes it: an operation, or a named route that is none. */
export interface Endpoint extends Pick<Operation, 'name' | 'title' | 'description' | 'http' | 'input' | 'output'> {
  readonly tag: string
  /** Whether a body may have null for what may be left out. */
  readonly isLenient?: boolean
  /** Status of a success. */
  readonly status: number
  readonly refusals: readonly RefusalStatus[]
  /** What a caller needs; undefined when no credential is looked at. */
  readonly permission?: Operation['permission']
  /** Media type of a success; JSON unless given. */
  readonly mediaType?: string
  /** Headers of a success that mean something, with their meaning. */
  readonly headers?: Readonly<Record<string, string>>
}

const USER: Principal = { ...ANONYMOUS, role: 'user' }

/** How the document shows an operation. */
export function endpointOf(operation: Operation): Endpoint {
  const { name, title, http, input, output, permission, effect } = operation
  const isForUsers = allows(USER, permission)
  const description = isForUsers ? operation.description : `${operation.description} Administrators only.`
  return {
    ...{ name, title, description, http, input, output, permission },
    tag: tagOf(operation),
    isLenient: true,
    status: STATUS[effect],
    refusals: refusalsOf(operation, isForUsers),
  }
}

/** Which refusals can happen, from what the operation takes and does. */
function refusalsOf({ http, input, effect }: Operation, isForUsers: boolean): RefusalStatus[] {
  const takesBody = http.startsWith('POST ') || http.startsWith('PUT ')
  const possible: [RefusalStatus, boolean][] = [
    [400, takesBody || Object.keys(input.shape).length > 0],
    [401, true], // a wrong credential is refused even where none is needed
    [403, effect !== 'read' || !isForUsers],
    [404, http.includes('{')],
    [405, true],
    [409, effect !== 'read'],
    [413, takesBody],
    [415, takesBody],
    [500, true],
    [503, true],
  ]
  return possible.flatMap(([status, isPossible]) => (isPossible ? [status] : []))
}

/** The noun an operation is about: that of its permission, or of its path where the permission names none. */
function tagOf({ permission, http }: Operation): string {
  const [noun = ''] = permission.split(':')
  const words = (http.split(' ')[1] ?? '').split('/').filter((word) => /^[a-z]/.test(word) && word !== 'me')
  if (noun === 'self') return words.at(-1) ?? noun
  return noun === 'public' ? (words[0] ?? noun) : noun
}
