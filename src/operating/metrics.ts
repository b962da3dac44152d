import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DatabaseObserver } from '../storage/db.ts'
import type { Census } from '../transport/mcp.ts'
import { VERSION } from '../version.ts'
import type { Served } from './requests.ts'

/** What is looked at when somebody asks, instead of being counted as it happens. */
export interface Gauges {
  readonly census: () => readonly Census[]
  /** Open sockets. */
  readonly connections: () => Promise<number>
}

const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const WAIT_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/**
 * The numbers of a running server for Prometheus. Labels come from closed sets (methods, route patterns, status codes,
 * tools, error codes, generations), never from what somebody sent. Source: Prometheus, "Metric and label naming".
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = this.#counter('wirety_http_requests_total', 'HTTP requests', ['method', 'route', 'status'])
  readonly #toolCalls = this.#counter('wirety_tool_calls_total', 'MCP tool calls by outcome', ['tool', 'outcome'])
  readonly #statements = this.#counter('wirety_database_statements_total', 'SQL statements run', [])
  readonly #duration = new Histogram({
    name: 'wirety_http_request_duration_seconds',
    help: 'Time from the request to the end of the answer, without event streams',
    labelNames: ['method', 'route'],
    buckets: REQUEST_SECONDS,
    registers: [this.#registry],
  })
  readonly #wait = new Histogram({
    name: 'wirety_database_wait_seconds',
    help: 'Time that database work waited for its turn',
    buckets: WAIT_SECONDS,
    registers: [this.#registry],
  })

  /** Counts the work of a database. */
  readonly database: Required<Pick<DatabaseObserver, 'waited' | 'ran'>> = {
    waited: (seconds) => this.#wait.observe(seconds),
    ran: () => this.#statements.inc(),
  }

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
    this.#gauge('wirety_build_info', 'Always 1', ['version'], (gauge) => gauge.set({ version: VERSION }, 1))
  }

  /** Adds what is looked at when somebody asks. */
  watch({ census, connections }: Gauges): void {
    for (const what of ['sessions', 'streams'] as const) {
      this.#gauge(`wirety_mcp_${what}`, `Open MCP ${what} by generation of the protocol`, ['generation'], (gauge) => {
        for (const row of census()) gauge.set({ generation: row.generation }, row[what])
      })
    }
    this.#gauge('wirety_connections', 'Open sockets', [], async (gauge) => gauge.set(await connections()))
  }

  /** Counts a request. */
  served({ method, route, status, ms, is_stream }: Served): void {
    const known = METHODS.has(method) ? method : 'other'
    this.#requests.inc({ method: known, route, status: String(status) })
    if (!is_stream) this.#duration.observe({ method: known, route }, ms / 1000)
  }

  /** Counts a tool call; `tool` is one that exists. */
  toolCalled(tool: string, outcome: string): void {
    this.#toolCalls.inc({ tool, outcome })
  }

  /** Everything, in Prometheus' text format. */
  async text(): Promise<{ type: string; body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    set: (gauge: Gauge<Label>) => void | Promise<void>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: async function () {
        await set(this)
      },
    })
  }
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
