import { MCP_PATH, startApp } from './app.ts'
import { readConfig } from './config.ts'
import { toAppError } from './errors.ts'
import { createLog } from './log.ts'
import { backup, restore } from './operating/backup.ts'

const USAGE = `wirety-mcp                          serve the REST API and MCP (settings: see README)
wirety-mcp stdio                    bridge a desktop assistant to a running server (WIRETY_URL, WIRETY_TOKEN)
wirety-mcp backup FILE [--force]    copy the database to FILE, and its key file to FILE.key; the server may run
wirety-mcp restore FILE [--force]   put a backup in the place of the database; the server must not run
`

/** Runs the program; the answer is its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = args
  try {
    if (command === 'serve' && rest.length === 0) return await serve()
    if (command === 'stdio' && rest.length === 0) return await stdio()
    const copying = copyingOf(command, rest)
    if (copying) return say(await copying())
    const wantsHelp = command === 'help' || command === '--help' || command === '-h'
    process[wantsHelp ? 'stdout' : 'stderr'].write(USAGE)
    return wantsHelp ? 0 : 2
  } catch (thrown) {
    const error = toAppError(thrown)
    const detail = error.code === 'internal' && error.cause instanceof Error ? error.cause.message : error.message
    process.stderr.write(`wirety-mcp: ${detail}\n`)
    return 1
  }
}

/** The wanted copy of the database, if that is what the words ask for. */
function copyingOf(command: string, rest: readonly string[]): (() => Promise<string>) | undefined {
  const [file, ...more] = rest.filter((word) => word !== '--force')
  const isKnown = command === 'backup' || command === 'restore'
  if (!isKnown || file === undefined || file.startsWith('-') || more.length > 0) return undefined
  return () => ({ backup, restore })[command]({ environment: process.env, file, force: rest.includes('--force') })
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

async function serve(): Promise<number> {
  const { config, secrets } = readConfig(process.env)
  const log = createLog(config.logLevel)
  const stopped = signalled()
  await using app = await startApp({ config, secrets, log })
  process.stdout.write(greeting(config.publicUrl ?? app.url, app.generatedPassword))
  log.info({ signal: await stopped }, 'stopping')
  return 0
}

/** What a person needs at the start. The password goes to the terminal and nowhere else. */
function greeting(url: string, password: string | undefined): string {
  const lines = [`wirety-mcp is ready`, `  URL  ${url}`, `  MCP  ${url}${MCP_PATH}`]
  if (password !== undefined) lines.push('', `  user admin, password ${password}`, '  (shown this once; keep it)')
  return `${lines.join('\n')}\n`
}

async function stdio(): Promise<number> {
  const { WIRETY_URL: url, WIRETY_TOKEN: token } = process.env
  if (!url || !token) {
    process.stderr.write('wirety-mcp: set WIRETY_URL (such as http://127.0.0.1:8080) and WIRETY_TOKEN (an API token)\n')
    return 2
  }
  const { bridgeStdio } = await import('./transport/stdio.ts') // the client's side of the SDK, which a server does not need
  const { stdin, stdout, stderr } = process
  await bridgeStdio({ url: `${url.replace(/\/+$/, '')}${MCP_PATH}`, token, stdin, stdout, stderr })
  return 0
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}
