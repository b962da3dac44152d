import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ASSETS, BUNDLED, installedDirectory, NOTICES } from '../src/api/openapi/page.ts'

/** Puts the files of the documentation page into the build, so that the published package needs nothing else for it. */
export async function bundlePage(build: string): Promise<void> {
  const from = installedDirectory()
  if (from === undefined) throw new Error('swagger-ui-dist is not installed: run npm ci')
  const to = join(build, 'api', 'openapi', BUNDLED)
  await mkdir(to, { recursive: true })
  for (const file of [...ASSETS, ...NOTICES]) await cp(join(from, file), join(to, file))
}

if (import.meta.main) await bundlePage('dist')
