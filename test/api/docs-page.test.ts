import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundlePage } from '../../docs/bundle.ts'
import { ASSETS, BUNDLED, NOTICES } from '../../src/api/openapi/page.ts'
import { startTestApp, type TestApp } from '../harness.ts'

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app[Symbol.asyncDispose]())

const get = (path: string) => fetch(`${app.url}${path}`)

test('the documentation page and all that it loads come from this server', async () => {
  const page = await get('/api/v1/docs')
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const html = await page.text()
  expect(html).not.toMatch(/\/\/|<script>|<style|\son\w+=|style=/)
  const loaded = [...html.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
  expect(loaded).toHaveLength(4)
  for (const path of loaded) {
    const { status, headers } = await get(path)
    const type = { js: 'text/javascript', css: 'text/css', png: 'image/png' }[path.split('.').at(-1)!]!
    expect([path, status, headers.get('content-type')?.split(';')[0]]).toEqual([path, 200, type])
  }
})

test('the page may run the scripts and styles of this server and call it, nothing else', async () => {
  const policy = (await get('/api/v1/docs')).headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
})

test('no other file can be had through the page', async () => {
  for (const name of ['package.json', '..%2Fpackage.json', '%2e%2e%2fpackage.json', 'swagger-ui.js', '__proto__']) {
    expect([name, (await get(`/api/v1/docs/${name}`)).status]).toEqual([name, 404])
  }
})

test('the published build has the files of the page and their licences', async () => {
  const build = await mkdtemp(join(tmpdir(), 'wirety-mcp-build-'))
  await bundlePage(build)
  expect((await readdir(join(build, 'api', 'openapi', BUNDLED))).sort()).toEqual([...ASSETS, ...NOTICES].sort())
  await rm(build, { recursive: true })
})
