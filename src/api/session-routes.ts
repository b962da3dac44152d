import { type IRouter, type Request, type Response, Router } from 'express'
import { z } from 'zod'
import type { CodeGrant, IdentityProvider } from '../auth/identity.ts'
import { type IssuedSession, type LoginEnv, login, logout, SESSION_SECONDS } from '../auth/login.ts'
import { presentedSession, SESSION_COOKIE } from '../auth/resolver.ts'
import type { Trace } from '../core/trace.ts'
import { AppError } from '../errors.ts'

/** Body of signing in. */
export const Credentials = z.object({ username: z.string().min(1).max(254), password: z.string().min(1).max(1024) })
/** Body of signing in at an identity provider: what the browser brought back. A field `state` is the browser's own. */
export const CodeExchange = z.object({
  code: z.string().min(1).max(4096),
  redirect_uri: z.string().min(1).max(2048),
  code_verifier: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{43,128}$/, 'is 43 to 128 characters of RFC 7636')
    .optional(),
  nonce: z.string().min(1).max(1024).optional(),
})
/** Body of signing out. */
export const Logout = z.object({ session_hash: z.string().max(4096).optional() })

/** Signing in and out: not operations, since they make and end the credential itself and set the cookie. */
export function sessionRouter(
  env: LoginEnv & { readonly identity: IdentityProvider },
  { cookieSecure, traceOf }: { cookieSecure: boolean; traceOf: (req: Request) => Trace },
): IRouter {
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: cookieSecure } as const
  const router = Router()
  const answer = (res: Response, session: IssuedSession) => {
    res.cookie(SESSION_COOKIE, session.session_hash, { ...cookie, maxAge: SESSION_SECONDS * 1000 })
    res.setHeader('Cache-Control', 'no-store').json(session)
  }
  router.post('/auth/login', async (req, res) => {
    if (env.identity.isEnabled) throw new AppError('invalid', 'simple auth is not available when OIDC is enabled')
    const { data } = Credentials.safeParse(req.body)
    if (!data) throw new AppError('invalid', 'username and password are required')
    answer(res, await login(env, data, traceOf(req)))
  })
  router.post('/auth/token', async (req, res) => {
    if (!env.identity.isEnabled) throw new AppError('invalid', 'Authentication is not enabled')
    answer(res, await env.identity.exchange(readGrant(req.body), traceOf(req)))
  })
  // The operation of this path asks nobody while it holds the database, so the provider is asked before.
  router.get('/auth/config', async (_req, _res, next) => {
    await env.identity.prepare()
    next()
  })
  router.post('/auth/logout', async (req, res) => {
    const session = presentedSession(req.headers) ?? Logout.safeParse(req.body).data?.session_hash
    if (session !== undefined) await logout(env, session, traceOf(req))
    res.clearCookie(SESSION_COOKIE, cookie)
    res.setHeader('Cache-Control', 'no-store').json({ message: 'Logged out successfully' })
  })
  return router
}

function readGrant(body: unknown): CodeGrant {
  const { data, error } = CodeExchange.safeParse(body)
  if (data) {
    const { code, redirect_uri: redirectUri, code_verifier: codeVerifier, nonce } = data
    return { code, redirectUri, codeVerifier, nonce }
  }
  const names = [...new Set(error.issues.map((issue) => String(issue.path[0] ?? 'code and redirect_uri')))]
  throw new AppError('invalid', `code and redirect_uri are required; look at ${names.join(', ')}`)
}

/** Paths of the routes above that are no operations, with the method each answers. */
export const SESSION_ROUTES = ['POST /auth/login', 'POST /auth/token', 'POST /auth/logout'] as const
