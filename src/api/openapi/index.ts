import { operations } from '../operations/index.ts'
import { type OpenApiDocument, openApiDocument } from './document.ts'
import { namedEndpoints } from './named.ts'

/** The description of this server's API. */
export function describeApi(): OpenApiDocument {
  return openApiDocument(operations, namedEndpoints)
}
