#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const OLDEST = 24
const running = Number(process.versions.node.split('.')[0])
if (running < OLDEST) {
  process.stderr.write(
    `wirety-mcp needs Node ${OLDEST} or newer, and this is ${process.version}; "npm ci && npm start" in a clone brings its own.\n`,
  )
  process.exit(1)
}
// The second start need not compile again; the cache lies where only who installs the program may write.
module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/wirety-mcp', import.meta.url)))
// A clone runs from source, the published package from what was built of it.
const source = new URL('../src/main.ts', import.meta.url)
const entry = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)
const { main } = await import(entry.href)
process.exitCode = await main(process.argv.slice(2))
