import { z } from 'zod'
import { AppError } from '../../errors.ts'
import * as audit from '../../storage/audit.ts'
import { Line, NetworkId, PageOf, pageFields, Timestamp } from '../fields.ts'
import { defineOperation } from '../operation.ts'
import { pageRequest } from '../page-request.ts'

const MAX_PAGE_SIZE = 100

/** What was sent, or what an object looked like, without secrets; the meta data keep the schema small. */
const View = z.unknown().meta({ type: 'object' })

const EntryView = z.object({
  id: z.string(),
  at: Timestamp,
  actor_id: z.string(),
  actor_email: z.string(),
  credential: z.string(),
  credential_id: z.string().optional(),
  surface: z.string(),
  action: z.string(),
  outcome: z.string(),
  network_id: z.string().optional(),
  object_id: z.string().optional(),
  request_id: z.string(),
  remote_ip: z.string(),
  input: View,
  before: View.optional(),
  after: View.optional(),
})

const Moment = z.iso.datetime({ offset: true }).optional()

/** Lists what was done and refused. */
export const listAuditEntries = defineOperation({
  name: 'list_audit_entries',
  title: 'List audit log',
  description: 'Lists writes, refusals and sign-ins, newest first.',
  http: 'GET /audit',
  permission: 'audit:read',
  effect: 'read',
  input: z.strictObject({
    ...pageFields(MAX_PAGE_SIZE),
    actor: z.string().max(255).describe('User').meta({ ref: 'user' }).optional(),
    action: Line(255).optional().describe('Operation, login, logout, rejected'),
    network_id: NetworkId.optional(),
    outcome: Line(40).optional().describe('ok or error'),
    since: Moment.describe('From'),
    until: Moment.describe('To'),
  }),
  output: PageOf(EntryView),
  async run({ tx }, { actor, since, until, page, page_size, ...rest }) {
    const filter = { ...rest, actor_id: actor, since: utc(since), until: utc(until) }
    const found = await audit.list(tx, filter, pageRequest({ page, page_size }, MAX_PAGE_SIZE))
    return { ...found, data: found.data.map(entryView) }
  },
})

/** The time as rows have it. */
function utc(time: string | undefined): string | undefined {
  if (time === undefined) return undefined
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) throw new AppError('invalid', `"${time}" is no time that exists`)
  return date.toISOString()
}

/** What is null in a row is left out of its view. */
type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] }

function entryView(entry: audit.AuditEntry): z.input<typeof EntryView> {
  const { input, before, after, ...rest } = entry
  const views = { ...(before && { before: JSON.parse(before) }), ...(after && { after: JSON.parse(after) }) }
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  return {
    ...(known as Present<typeof rest>), // no other field can be null
    input: JSON.parse(input),
    ...views,
  }
}
