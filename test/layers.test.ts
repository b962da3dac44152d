import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** From the innermost to the outermost; a file imports from its own layer and those before it. */
const LAYERS = ['core', 'storage', 'auth', 'api', 'tools', 'transport', 'operating', 'listener.ts', 'app.ts', 'main.ts']
/** What every layer may import: they import nothing of ours but each other. */
const GROUND = ['errors.ts', 'random.ts', 'version.ts', 'log.ts', 'config.ts']

/** The only homes of the libraries that must not spread. */
const HOMES: Record<string, string[]> = {
  'node:sqlite': ['storage'],
  express: ['app.ts', 'api', 'operating'],
  'prom-client': ['operating'],
  helmet: ['app.ts'],
  pino: ['log.ts'],
  zod: ['config.ts', 'api', 'tools'],
  '@modelcontextprotocol/server': ['tools', 'transport'],
  '@modelcontextprotocol/node': ['transport'],
  '@modelcontextprotocol/client': ['transport'],
  '@node-rs/argon2': ['auth'],
  jose: ['auth'],
  oauth4webapi: ['auth'],
  undici: ['auth'],
  'ipaddr.js': ['core'],
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

const imports = files.flatMap((file) => {
  const source = readFileSync(join('src', file), 'utf8')
  const found = [...source.matchAll(/(?:from|import) '([^']+)'|import\('([^']+)'\)/g)]
  return found.map((match) => ({ file, wanted: match[1] ?? match[2] ?? '' }))
})

const placeOf = (file: string) => file.split('/')[0] ?? ''

test('imports between the layers go one way', () => {
  const wrong = imports.filter(({ file, wanted }) => {
    if (!wanted.startsWith('.')) return false
    const target = placeOf(normalize(join(dirname(file), wanted)))
    if (GROUND.includes(target)) return false
    if (GROUND.includes(placeOf(file))) return true
    return LAYERS.indexOf(target) > LAYERS.indexOf(placeOf(file)) || !LAYERS.includes(target)
  })
  expect(wrong).toEqual([])
})

test('each file of the source tree belongs to a layer', () => {
  expect(files.filter((file) => ![...LAYERS, ...GROUND].includes(placeOf(file)))).toEqual([])
})

test('each library has one home', () => {
  const wrong = imports.filter(({ file, wanted }) => {
    const library = Object.keys(HOMES).find((name) => wanted === name || wanted.startsWith(`${name}/`))
    return library !== undefined && !HOMES[library]?.includes(placeOf(file))
  })
  expect(wrong).toEqual([])
})

test('the core does no input or output and knows no clock and no randomness', () => {
  const impure =
    /node:(fs|net|http|https|child_process|timers|dns)|Date\.now|new Date\(\)|Math\.random|randomBytes|randomUUID|process\./
  const allowed = /import \{ isIPv4, isIPv6 \} from 'node:net'|import \{ isIP\w*(, isIP\w*)* \} from 'node:net'/
  const guilty = files
    .filter((file) => placeOf(file) === 'core')
    .filter((file) => {
      const source = readFileSync(join('src', file), 'utf8').replace(allowed, '')
      return impure.test(source)
    })
  expect(guilty).toEqual([])
})

test('no folder is a dumping ground', () => {
  const names = files.flatMap((file) => file.split('/').slice(0, -1))
  expect(names.filter((name) => /^(utils?|helpers?|common|services?|types|middleware|lib|misc)$/.test(name))).toEqual(
    [],
  )
})
