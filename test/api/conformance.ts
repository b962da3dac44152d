import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApiDocument } from '../../src/api/openapi/document.ts'
import type { OperationObject } from '../../src/api/openapi/operation-object.ts'
import type { Json } from './topologies.ts'

/** One method of one path of the document. */
export interface Described {
  /** `GET /networks/{network_id}`. */
  readonly route: string
  readonly method: string
  readonly path: string
  readonly operation: OperationObject & Json
}

/** An answer as far as the document speaks of it. */
export interface SomeAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Checks values and answers against a document, with a validator that shares no code with ours. */
export interface Conformance {
  readonly endpoints: readonly Described[]
  /** The success that the document promises. */
  successOf(route: string): { status: number; schema?: Json; example?: Json }
  /** What is wrong with `value`, seen by the schema at a JSON pointer of the document; undefined when nothing is. */
  complaint(pointer: readonly string[], value: unknown): string | undefined
  /** What is wrong with an answer to `route`; undefined when it is as documented. */
  deviation(route: string, answer: SomeAnswer): string | undefined
}

/** Reads `document` once. */
export function conformanceOf(document: OpenApiDocument): Conformance {
  const validatorOf = validators(document)
  const endpoints = describedIn(document)
  const find = (route: string) => endpoints.find((endpoint) => endpoint.route === route)!

  const complaint = (pointer: readonly string[], value: unknown) => {
    const validate = validatorOf(pointer)
    return validate(value) ? undefined : JSON.stringify(validate.errors)
  }

  const responseAt = (route: string, status: string): { response: Json; pointer: string[] } | undefined => {
    const { path, method, operation } = find(route)
    const response = operation.responses[status] as Json
    if (!response) return undefined
    if (!response.$ref) return { response, pointer: ['paths', path, method.toLowerCase(), 'responses', status] }
    const pointer = response.$ref.slice(2).split('/')
    return { response: pointer.reduce((at: Json, key: string) => at[key], document), pointer }
  }

  return {
    endpoints,
    complaint,
    successOf(route) {
      const status = Object.keys(find(route).operation.responses).find((key) => key.startsWith('2'))!
      return { status: Number(status), ...responseAt(route, status)?.response.content?.['application/json'] }
    },
    deviation(route, answer) {
      const found = responseAt(route, String(answer.status))
      if (!found) return `${answer.status} is not documented: ${answer.text}`
      const { response, pointer } = found
      const missing = Object.entries<Json>(response.headers ?? {}).find(
        ([name, { required }]) => required && answer.headers.get(name) === null,
      )
      if (missing) return `${answer.status} has no header ${missing[0]}`
      const [mediaType] = Object.keys(response.content ?? {})
      if (mediaType === undefined) return answer.text === '' ? undefined : `${answer.status} has a body: ${answer.text}`
      if (!answer.headers.get('content-type')?.startsWith(mediaType)) return `${answer.status} is not ${mediaType}`
      const body = mediaType === 'application/json' ? JSON.parse(answer.text) : answer.text
      return complaint([...pointer, 'content', mediaType, 'schema'], body)
    },
  }
}

function describedIn(document: OpenApiDocument): Described[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([name, operation]) => {
      const method = name.toUpperCase()
      return { route: `${method} ${path}`, method, path, operation }
    }),
  )
}

/** Validators of the schemas at JSON pointers of `document`, each compiled once. */
function validators(document: OpenApiDocument): (pointer: readonly string[]) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateSchema: false })
  // its types describe the CommonJS module, which Node hands out as it is
  ;(addFormats as unknown as typeof addFormats.default)(ajv)
  ajv.addFormat('cidr', true)
  ajv.addSchema(document as unknown as AnySchemaObject, 'api')
  const compiled = new Map<string, ValidateFunction>()
  return (pointer) => {
    const $ref = `api#/${pointer.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const validate = compiled.get($ref) ?? ajv.compile({ $ref })
    compiled.set($ref, validate)
    return validate
  }
}
