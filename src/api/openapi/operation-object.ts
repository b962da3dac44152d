import type { Endpoint } from './endpoints.ts'
import { exampleOf, shownResponse } from './examples/index.ts'
import { refusalRefs } from './refusals.ts'
import { answerSchema, type Components, type Fields, type JsonSchema, requestSchema } from './schemas.ts'

/** One method of one path, as OpenAPI writes it. */
export interface OperationObject {
  readonly operationId: string
  readonly responses: Readonly<Record<string, object>>
  readonly [part: string]: unknown
}

/** How the document writes `endpoint`. */
export function operationObject(endpoint: Endpoint, components: Components): OperationObject {
  const { name, title, description, tag, permission, status, refusals } = endpoint
  return {
    operationId: name,
    summary: title,
    description,
    tags: [tag],
    ...(permission === undefined ? {} : { 'x-required-permission': permission }),
    ...(permission === undefined || permission === 'public' ? { security: [] } : {}),
    ...requestOf(endpoint),
    responses: { [status]: successOf(endpoint, components), ...refusalRefs(refusals) },
  }
}

/** One input, by where it travels. */
interface Field {
  readonly key: string
  readonly place: 'path' | 'query' | 'body'
  readonly required: boolean
  readonly schema: JsonSchema
}

/** Parameters and body. */
function requestOf(endpoint: Endpoint): object {
  const example = exampleOf(endpoint.http)?.request
  const fields = fieldsOf(endpoint)
  const body = fields.filter(({ place }) => place === 'body')
  const parameters = fields.filter(({ place }) => place !== 'body').map((field) => parameterOf(field, example))
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body.length > 0 ? { requestBody: bodyOf(body, example) } : {}),
  }
}

function fieldsOf({ http, input, isLenient = false }: Endpoint): Field[] {
  const rest = http.startsWith('GET ') ? 'query' : 'body'
  const schema = requestSchema(input, { nullsAreLeftOut: isLenient && rest === 'body' })
  const { properties = {}, required = [] } = schema as Fields // an input is an object
  return Object.entries(properties).map(([key, schema]) => {
    const place = http.includes(`{${key}}`) ? 'path' : rest
    return { key, place, required: required.includes(key), schema }
  })
}

function parameterOf({ key, place, required, schema }: Field, example: Record<string, unknown> = {}): object {
  const { description, ...type } = schema
  const value = place === 'query' ? example[key] : undefined
  return {
    name: key,
    in: place,
    required,
    description,
    // `?page=` is what a form sends for what was left alone
    ...(place === 'query' && !required ? { allowEmptyValue: true } : {}),
    schema: type,
    ...(value === undefined ? {} : { example: value }),
  }
}

function bodyOf(fields: readonly Field[], example: object | undefined): object {
  const required = fields.filter((field) => field.required).map(({ key }) => key)
  const properties = Object.fromEntries(fields.map(({ key, schema }) => [key, schema]))
  const schema = { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
  const content = { 'application/json': { schema, ...(example === undefined ? {} : { example }) } }
  return { required: required.length > 0, content }
}

const MEANING: Readonly<Record<number, string>> = {
  200: 'Done',
  201: 'Created',
  204: 'Done; the answer is empty',
  302: 'Go on at `Location`',
}

function successOf(
  { http, output, status, headers, mediaType = 'application/json' }: Endpoint,
  components: Components,
) {
  const schema = answerSchema(output, components)
  const example = exampleOf(http)
  const shown = example && shownResponse(example)
  const content = { [mediaType]: { schema, ...(shown === undefined ? {} : { example: shown }) } }
  return {
    description: MEANING[status] ?? '',
    ...(headers === undefined ? {} : { headers: headersOf(headers) }),
    ...(schema.type === 'null' ? {} : { content }),
  }
}

function headersOf(meanings: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(meanings).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  )
}
