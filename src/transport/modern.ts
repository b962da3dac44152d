import { type NodeMcpRequestHandler, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, isJSONRPCRequest, type McpHttpHandler } from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'
import { withIdentity } from './identity.ts'
import type { LegContext } from './limits.ts'
import type { StreamSlots } from './stream-slots.ts'

/** Protocol generation 2026-07-28: every request stands alone. */
export class ModernLeg {
  readonly #handler: McpHttpHandler
  readonly #serve: NodeMcpRequestHandler
  readonly #slots: StreamSlots

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
  async serve({ req, res, who, body }: Exchange): Promise<void> {
    if (isJSONRPCRequest(body) && body.method === 'subscriptions/listen') res.once('close', this.#slots.take(who.id))
    await this.#serve(withIdentity(req, who), res, body)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handler.close()
  }
}
