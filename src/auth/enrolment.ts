import type { IncomingHttpHeaders } from 'node:http'
import { ANONYMOUS, type Principal } from '../core/principal.ts'
import type { Trace } from '../core/trace.ts'
import { AppError } from '../errors.ts'
import * as peers from '../storage/peers.ts'
import { type OutcomeEnv, recordRefusal } from './outcomes.ts'

const BEARER = /^Bearer +(\S{1,255})$/i

/**
 * The peer whose agent sent a request with these headers, by its enrolment token. Such a token opens nothing but what is
 * made for agents. Throws `unauthenticated`.
 */
export async function authenticateAgent(
  env: OutcomeEnv,
  headers: IncomingHttpHeaders,
  trace: Trace,
): Promise<peers.EnrolledPeer> {
  const token = BEARER.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) throw new AppError('unauthenticated', 'authorization required')
  const peer = await env.database.read((tx) => peers.findEnrolled(tx, token))
  if (peer) return peer
  await recordRefusal(env, {
    action: 'rejected',
    surface: 'rest',
    trace,
    detail: { reason: 'invalid enrolment token' },
  })
  throw new AppError('unauthenticated', 'invalid token')
}

/** A peer's agent as the one who asks, for the audit log: it holds no permission. */
export function agentPrincipal(peer: peers.EnrolledPeer): Principal {
  return { ...ANONYMOUS, id: peer.id, name: peer.name, credential: 'enrolment_token' }
}
