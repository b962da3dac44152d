import { type IRouter, Router } from 'express'
import { z } from 'zod'
import { type LoginEnv, login, logout, SESSION_SECONDS } from '../auth/login.ts'
import { presentedSession, SESSION_COOKIE } from '../auth/resolver.ts'
import { AppError } from '../errors.ts'

const Credentials = z.object({ username: z.string().min(1).max(254), password: z.string().min(1).max(1024) })
const Logout = z.object({ session_hash: z.string().max(4096).optional() })

/** Signing in and out: not operations, since they make and end the credential itself and set the cookie. */
export function sessionRouter(env: LoginEnv, cookieSecure: boolean): IRouter {
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: cookieSecure } as const
  const router = Router()
  router.post('/auth/login', async (req, res) => {
    const { data } = Credentials.safeParse(req.body)
    if (!data) throw new AppError('invalid', 'username and password are required')
    const session = await login(env, data.username, data.password)
    res.cookie(SESSION_COOKIE, session.session_hash, { ...cookie, maxAge: SESSION_SECONDS * 1000 })
    res.setHeader('Cache-Control', 'no-store').json(session)
  })
  router.post('/auth/logout', async (req, res) => {
    const session = presentedSession(req.headers) ?? Logout.safeParse(req.body).data?.session_hash
    if (session !== undefined) await logout(env, session)
    res.clearCookie(SESSION_COOKIE, cookie)
    res.setHeader('Cache-Control', 'no-store').json({ message: 'Logged out successfully' })
  })
  return router
}

/** Paths of the routes above, with the method each answers. */
export const SESSION_ROUTES = ['POST /auth/login', 'POST /auth/logout'] as const
