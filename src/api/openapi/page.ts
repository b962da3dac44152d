import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the documentation page takes of swagger-ui-dist. */
export const ASSETS: readonly string[] = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']

/** Files that have to go wherever those go. */
export const NOTICES: readonly string[] = ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt']

/** Name of the folder beside this file in which the published package has them. */
export const BUNDLED = 'swagger-ui'

/** The folder with the assets: their copy in the published package, the development dependency in a clone. */
export function assetsDirectory(): string | undefined {
  const bundled = fileURLToPath(new URL(BUNDLED, import.meta.url))
  return existsSync(bundled) ? bundled : installedDirectory()
}

/** Where npm put swagger-ui-dist; undefined without development dependencies. */
export function installedDirectory(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  } catch {
    return undefined
  }
}

/** The page loads its own files and calls this API, and does nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const FILES = '/api/v1/docs'

/** The page. All that it does is in the scripts it loads. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wirety-mcp API</title>
<link rel="icon" type="image/png" href="${FILES}/favicon-32x32.png">
<link rel="stylesheet" href="${FILES}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. The description itself is at <a href="/api/v1/openapi.json">openapi.json</a>.</noscript>
<script src="${FILES}/swagger-ui-bundle.js"></script>
<script src="${FILES}/start.js"></script>
</body>
</html>
`

const SETTINGS = {
  url: '/api/v1/openapi.json',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  showExtensions: true,
  validatorUrl: null,
}

/** Fills the page. */
export const START_SCRIPT = `SwaggerUIBundle(${JSON.stringify(SETTINGS)})\n`
