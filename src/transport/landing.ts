import type { ServerResponse } from 'node:http'

/** Tells a person who opened the endpoint in a browser what it is. */
export function landingPage(res: ServerResponse, path: string): void {
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
  res.end(
    `This is an MCP endpoint: an address for AI assistants, not a web page.\n\n` +
      `Give your assistant this server's URL with the path ${path} and an API token as bearer token.\n` +
      `It speaks protocol versions 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26 and 2024-11-05 (HTTP with SSE).\n`,
  )
}
