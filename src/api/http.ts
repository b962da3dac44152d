import express, { type ErrorRequestHandler, type IRouter, type Request, type RequestHandler, Router } from 'express'
import type { LoginEnv } from '../auth/login.ts'
import type { Trace } from '../core/trace.ts'
import { AppError, type ErrorCode, toAppError } from '../errors.ts'
import { CAPTIVE_PORTAL_ROUTES, captivePortalRouter, PEER_AUTH_ROUTES } from './captive-portal-routes.ts'
import type { Env } from './invoke.ts'
import { describeApi } from './openapi/index.ts'
import { DOCUMENTATION_ROUTES, documentationRouter } from './openapi/routes.ts'
import { operations } from './operations/index.ts'
import { type Identify, refuseOtherMethods, restRouter, routeOf, tellMethods } from './rest.ts'
import { SESSION_ROUTES, sessionRouter } from './session-routes.ts'

/** Largest request body. */
export const MAX_BODY_BYTES = 1024 * 1024

/** What the REST API needs beside the operations' own environment. */
export interface ApiOptions {
  readonly env: Env & LoginEnv
  readonly identify: Identify
  readonly traceOf: (req: Request) => Trace
  readonly cookieSecure: boolean
  /** Refuses a request that a foreign page may have made a browser send with its cookie. */
  readonly guard: RequestHandler
  /** Told of every error that is our own fault. */
  readonly onBug: OnBug
}

/** Takes an error and the request that met it. */
export type OnBug = (error: unknown, req: Request) => void

/** Everything below `/api/v1` that is plain HTTP: sign-in, the operations, and clear refusals of all else. */
export function apiRouter(options: ApiOptions): IRouter {
  const router = Router()
  router.use(options.guard, refuseOtherTypes, refuseStrangers(options.identify))
  router.use(express.json({ limit: MAX_BODY_BYTES }))
  for (const [path, methods] of methodsByPath()) tellMethods(router, path, methods)
  router.use(sessionRouter(options.env, options))
  router.use(captivePortalRouter(options.env, options))
  router.use(documentationRouter(describeApi))
  router.use(restRouter(options.env, operations, options.identify))
  for (const [path, methods] of methodsByPath()) refuseOtherMethods(router, path, methods)
  router.use(() => {
    throw new AppError('not_found', 'no such path; the API is described in the documentation')
  })
  router.use(renderError(options.onBug))
  return router
}

/** What answers below `/api/v1` and is no operation. */
export const NAMED_ROUTES: readonly string[] = [
  ...SESSION_ROUTES,
  ...CAPTIVE_PORTAL_ROUTES,
  ...PEER_AUTH_ROUTES,
  ...DOCUMENTATION_ROUTES,
]

/** Every path that answers, with its methods. */
export function methodsByPath(): Map<string, string[]> {
  const routes = operations.map((operation) => {
    const { method, path } = routeOf(operation)
    return { method: method.toUpperCase(), path }
  })
  const named = NAMED_ROUTES.map((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path }
  })
  const byPath = Map.groupBy([...routes, ...named], (route) => route.path)
  return new Map([...byPath].map(([path, found]) => [path, found.map((route) => route.method)]))
}

/** Answers any error with its status and `{"error", "code"}`. */
export function renderError(onBug: OnBug): ErrorRequestHandler {
  return (thrown, req, res, next) => {
    const error = fromHttp(thrown) ?? toAppError(thrown)
    if (error.code === 'internal') onBug(thrown, req)
    if (res.headersSent) return next(thrown)
    if (error.code === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer realm="wirety"')
    res.status(error.status).json(error.body)
  }
}

/** A body in another language than JSON is refused before it is read. */
const refuseOtherTypes: RequestHandler = (req, _res, next) => {
  if (hasBody(req) && req.is('application/json') === false) {
    throw new AppError('unsupported_media_type', 'send the body as JSON, with Content-Type: application/json')
  }
  next()
}

/** What takes a body from somebody without an ordinary credential. */
const OPEN_ROUTES: readonly string[] = [...SESSION_ROUTES, ...CAPTIVE_PORTAL_ROUTES]

/** Only signing in, here or at the captive portal, takes a body from a stranger; any other is not even read. */
function refuseStrangers(identify: Identify): RequestHandler {
  return async (req, _res, next) => {
    const isSignIn = OPEN_ROUTES.includes(`${req.method} ${req.path}`)
    if (hasBody(req) && !isSignIn && (await identify(req)).who.role === 'anonymous') {
      throw new AppError('unauthenticated', 'sign in, or send an API token')
    }
    next()
  }
}

function hasBody(req: Request): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

const CODE_OF_STATUS: Record<number, ErrorCode> = { 413: 'too_large', 415: 'unsupported_media_type' }

/** Errors that Express and its body parser throw about the request itself. */
function fromHttp(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return undefined
  const status = 'status' in thrown ? Number(thrown.status) : 0
  if (status < 400 || status > 499) return undefined
  if (status === 413) return new AppError('too_large', `the body is larger than ${MAX_BODY_BYTES} bytes`)
  return new AppError(CODE_OF_STATUS[status] ?? 'invalid', `malformed request: ${thrown.message}`, { cause: thrown })
}
