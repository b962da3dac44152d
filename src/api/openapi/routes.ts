import { createHash } from 'node:crypto'
import { type IRouter, Router } from 'express'
import { AppError } from '../../errors.ts'
import { ASSETS, assetsDirectory, PAGE, PAGE_POLICY, START_SCRIPT } from './page.ts'

/** Paths of the routes below, with the method each answers: public, and no operations since they answer no data. */
export const DOCUMENTATION_ROUTES = ['GET /openapi.json', 'GET /docs', 'GET /docs/:asset'] as const

const HOUR = 'public, max-age=3600'

/** The description of the API for programs, and as a page to browse. `describe` is called once, when it is needed. */
export function documentationRouter(describe: () => object): IRouter {
  const router = Router()
  let described: { text: string; etag: string } | undefined
  router.get('/openapi.json', (req, res) => {
    described ??= serialised(describe())
    res.setHeader('Cache-Control', 'public, no-cache').setHeader('ETag', described.etag)
    if (req.fresh) res.status(304).end()
    else res.type('json').send(described.text)
  })
  router.get('/docs', (_req, res) => {
    res.setHeader('Cache-Control', HOUR).setHeader('Content-Security-Policy', PAGE_POLICY)
    res.type('html').send(PAGE)
  })
  router.get('/docs/:asset', (req, res, next) => {
    const { asset } = req.params
    res.setHeader('Cache-Control', HOUR)
    if (asset === 'start.js') return void res.type('js').send(START_SCRIPT)
    const root = ASSETS.includes(asset) ? assetsDirectory() : undefined
    if (root === undefined) throw new AppError('not_found', 'no such file of the documentation page')
    res.sendFile(asset, { root, cacheControl: false }, next)
  })
  return router
}

function serialised(document: object): { text: string; etag: string } {
  const text = JSON.stringify(document)
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url')}"` }
}
