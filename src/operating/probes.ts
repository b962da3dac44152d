import { type IRouter, type Request, Router } from 'express'
import { type OnBug, renderError } from '../api/http.ts'
import { refuseOtherMethods } from '../api/rest.ts'
import { isAdmin, type Principal } from '../core/principal.ts'
import { AppError, toAppError } from '../errors.ts'
import type { Database } from '../storage/db.ts'
import type { Metrics } from './metrics.ts'

/** What the probes look at. */
export interface ProbeOptions {
  readonly database: Pick<Database, 'check'>
  readonly metrics: Metrics
  /** Proves who asks; throws `unauthenticated`. */
  readonly authenticate: (req: Request) => Promise<Principal>
  /** Whether everybody may read the metrics. */
  readonly isPublic: boolean
  readonly onBug: OnBug
}

/** How long the database may take to prove that it works. */
const PATIENCE_MS = 2_000

/**
 * What those who run the server ask, at the root: `/livez` (the process answers), `/health` (the same, for those who
 * expect it there), `/readyz` (the database can be written) and `/metrics`.
 */
export function probeRouter(options: ProbeOptions): IRouter {
  const router = Router()
  const readiness = shared(() => within(PATIENCE_MS, options.database.check()))
  router.use(PROBES, (_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    next()
  })
  router.get('/livez', (_req, res) => void res.json({ status: 'alive' }))
  router.get('/health', (_req, res) => void res.json({ status: 'ok' }))
  router.get('/readyz', async (_req, res) => {
    const reason = await readiness().then(
      () => undefined,
      (thrown: unknown) => toAppError(thrown).message,
    )
    if (reason === undefined) res.json({ status: 'ready' })
    else res.status(503).json({ status: 'unready', reason })
  })
  router.get('/metrics', async (req, res) => {
    if (!options.isPublic) requireAdmin(await options.authenticate(req))
    const { type, body } = await options.metrics.text()
    res.setHeader('Content-Type', type).send(body)
  })
  for (const path of PROBES) refuseOtherMethods(router, path, ['GET'])
  router.use(renderError(options.onBug))
  return router
}

const PROBES = ['/livez', '/health', '/readyz', '/metrics']

function requireAdmin(who: Principal): void {
  if (isAdmin(who)) return
  if (who.role !== 'anonymous') throw new AppError('forbidden', 'administrator role required for the metrics')
  throw new AppError('unauthenticated', 'send the API token of an administrator, or set METRICS=public')
}

/** Runs `work` once for all who ask while it runs. */
function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= work().finally(() => {
      running = undefined
    })
    return running
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new AppError('unavailable', 'the database does not answer')), ms)
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
