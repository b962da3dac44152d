import { type IRouter, type Request, type RequestHandler, type Response, Router } from 'express'
import { AppError } from '../errors.ts'
import { type Caller, type Env, invoke } from './invoke.ts'
import { dropUnknown, readText } from './lenient.ts'
import type { Operation } from './operation.ts'

/** Finds out who sent a request; throws `unauthenticated`. */
export type Identify = (req: Request) => Promise<Caller>

/** HTTP status of a success, by what the operation does. */
export const STATUS = { read: 200, create: 201, update: 200, replace: 200, delete: 204 } as const

/** The operations as HTTP routes. Every path answers the methods it lacks with 405. */
export function restRouter(env: Env, operations: readonly Operation[], identify: Identify): IRouter {
  const router = Router()
  for (const operation of operations) {
    const { method, path } = routeOf(operation)
    router[method](path, handler(env, operation, identify))
  }
  return router
}

/** Method and Express path of an operation: `get`, `/networks/:network_id`. */
export function routeOf(operation: Operation): { method: 'get' | 'post' | 'put' | 'delete'; path: string } {
  const [method = '', path = ''] = operation.http.split(' ')
  return {
    method: method.toLowerCase() as 'get' | 'post' | 'put' | 'delete', // the type of `http` admits no other
    path: path.replace(/\{(\w+)\}/g, ':$1'),
  }
}

/** Answers OPTIONS on `path`. Express would add the methods of every other path that fits: `/users/me` is a `/users/:id`. */
export function tellMethods(router: IRouter, path: string, methods: readonly string[]): void {
  router.options(path, (_req, res) => {
    res.status(204).setHeader('Allow', allowOf(methods)).end()
  })
}

/** Refuses other methods than `methods` on `path`. */
export function refuseOtherMethods(router: IRouter, path: string, methods: readonly string[]): void {
  router.all(path, (req, res) => {
    res.setHeader('Allow', allowOf(methods))
    throw new AppError('method_not_allowed', `${req.method} is not possible here; use ${methods.join(' or ')}`)
  })
}

function allowOf(methods: readonly string[]): string {
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ')
}

function handler(env: Env, operation: Operation, identify: Identify): RequestHandler {
  return async (req, res) => {
    const output = await invoke(env, operation, await identify(req), inputOf(operation, req))
    send(res, STATUS[operation.effect], output)
  }
}

function send(res: Response, status: number, output: unknown): void {
  res.setHeader('Cache-Control', 'no-store')
  if (output === null) res.status(status).end()
  else res.status(status).json(output)
}

/** Query, body and path as one object; the path wins. Unknown fields are dropped, text becomes what the schema asks for. */
function inputOf(operation: Operation, req: Request): unknown {
  const { schema, body } = { schema: operation.input, body: req.body ?? {} }
  if (typeof body !== 'object' || Array.isArray(body)) throw new AppError('invalid', 'send a JSON object')
  const query = operation.effect === 'read' ? readText(schema, req.query) : {}
  return dropUnknown(schema, { ...query, ...(operation.effect === 'read' ? {} : body), ...req.params })
}
