import { z } from 'zod'
import { Authentication, Preview, Start, TokenRequest } from '../captive-portal-routes.ts'
import { Secret, Timestamp } from '../fields.ts'
import { revokePeerAuth } from '../operations/peer-auth.ts'
import { type Endpoint, endpointOf } from './endpoints.ts'

const CaptiveToken = z.object({
  token: Secret,
  network_id: z.string(),
  jump_peer_id: z.string(),
  peer_ip: z.string(),
  peer_endpoint: z.string().optional(),
  created_at: Timestamp,
  expires_at: Timestamp,
})

const CaptivePreview = z.object({
  peer_id: z.string(),
  peer_name: z.string(),
  peer_wg_ip: z.string(),
  network_id: z.string(),
  network_name: z.string(),
  peer_endpoint: z.string(),
  endpoint_ip: z.string(),
})

/** The routes of the captive portal, as the document shows them. */
export const captivePortalEndpoints: readonly Endpoint[] = [
  {
    name: 'create_captive_portal_token',
    title: 'Create captive portal token',
    description:
      'Makes a link for the peer behind a tunnel address. The credential is the enrolment token of a jump peer, sent as `Authorization: Bearer enr_...`. Only with OpenID Connect.',
    http: 'POST /captive-portal/token',
    tag: 'captive-portal',
    input: TokenRequest,
    output: CaptiveToken,
    status: 201,
    refusals: [400, 401, 403, 405, 413, 415, 500, 503],
  },
  {
    name: 'start_captive_portal',
    title: 'Open a captive portal link',
    description: 'Binds the link to the browser that opens it first, and sends that to the page for signing in.',
    http: 'GET /captive-portal/start',
    tag: 'captive-portal',
    input: Start,
    output: z.null(),
    status: 302,
    headers: { Location: 'The page for signing in', 'Set-Cookie': 'What binds the link: `wirety_cp_state`' },
    refusals: [400, 405, 500, 503],
  },
  {
    name: 'preview_captive_portal',
    title: 'Look at a captive portal link',
    description:
      'Shows the peer that a link would let through. Needs the session cookie of its owner. Only with OpenID Connect.',
    http: 'GET /captive-portal/preview',
    tag: 'captive-portal',
    input: Preview,
    output: CaptivePreview,
    status: 200,
    refusals: [400, 401, 403, 405, 500, 503],
  },
  {
    name: 'authenticate_captive_portal',
    title: 'Authenticate at the captive portal',
    description:
      'Uses a link up: its jump peer lets the peer through for a day. Needs the session cookie of its owner and the cookie from opening the link. Only with OpenID Connect.',
    http: 'POST /captive-portal/authenticate',
    tag: 'captive-portal',
    input: Authentication,
    output: z.object({ peer_ip: z.string(), network_id: z.string(), whitelisted: z.literal(true) }),
    status: 200,
    headers: { 'Set-Cookie': 'Takes the cookie from opening the link back' },
    refusals: [400, 401, 403, 405, 413, 415, 500, 503],
  },
  { ...endpointOf(revokePeerAuth), status: 204 },
]
