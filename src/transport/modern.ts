import { type NodeMcpRequestHandler, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, isJSONRPCRequest, type McpHttpHandler } from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'
import { withIdentity } from './identity.ts'
import type { Census, LegContext } from './limits.ts'
import type { StreamSlots } from './stream-slots.ts'

/** Protocol generation 2026-07-28: every request stands alone. */
export class ModernLeg {
  readonly #handler: McpHttpHandler
  readonly #serve: NodeMcpRequestHandler
  readonly #slots: StreamSlots
  #streams = 0

  constructor({ createServer, limits, log }: LegContext, slots: StreamSlots) {
    const onerror = (error: Error) => log.warn({ err: error }, 'mcp request refused')
    this.#slots = slots
    this.#handler = createMcpHandler(() => createServer(), {
      legacy: 'reject',
      keepAliveMs: limits.keepAliveMs,
      maxRequestBodySize: limits.maxBodyBytes,
      onerror,
    })
    this.#serve = toNodeHandler(this.#handler, { onerror })
  }

  /** Serves one request; throws `too_many` for one subscription more than allowed. */
  async serve(exchange: Exchange): Promise<void> {
    const { res, who, body } = exchange
    if (isSubscription(body)) {
      const giveBack = this.#slots.take(who.id)
      this.#streams++
      res.once('close', () => {
        this.#streams--
        giveBack()
      })
    }
    await this.#serve(withIdentity(exchange), res, body)
  }

  /** What is open now. */
  get census(): Census {
    return { generation: '2026-07-28', sessions: 0, streams: this.#streams }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handler.close()
  }
}

/** Whether a message opens a stream that stays open. */
export function isSubscription(body: unknown): boolean {
  return isJSONRPCRequest(body) && body.method === 'subscriptions/listen'
}
