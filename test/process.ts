import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The program as a child process, with what it printed. */
export interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Where it listens; resolves when it says so, rejects when it ends first. */
  readonly ready: Promise<string>
  /** The exit code when the program has ended; null after a kill. */
  ended(): Promise<number | null>
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts the program with only these settings. */
export function run(settings: Record<string, string>, args: string[] = [], nodeArgs: string[] = []): Running {
  const child = spawn(process.execPath, [...nodeArgs, 'bin/wirety-mcp.mjs', ...args], {
    env: { PATH: process.env.PATH, HTTP_PORT: '0', ...settings },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const printed = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (printed.stdout += chunk))
  child.stderr.on('data', (chunk) => (printed.stderr += chunk))
  const exited = once(child, 'close')
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const url = /URL {2}(\S+)/.exec(printed.stdout)?.[1]
      if (url && printed.stdout.includes('MCP ')) resolve(url)
    })
    void exited.then(() => reject(new Error(`ended before it was ready: ${printed.stderr}`)))
  })
  ready.catch(() => undefined) // some tests expect the program to end at once
  const ended = async () => {
    await exited
    return child.exitCode
  }
  const end = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended()
  }
  return {
    child,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    ready,
    ended,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }
}

/** A folder that is gone after the test. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string; database: string }> {
  const path = await mkdtemp(join(tmpdir(), 'wirety-mcp-test-'))
  return {
    path,
    database: `file:${join(path, 'wirety.db')}`,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
