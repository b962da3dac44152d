import type { IncomingMessage } from 'node:http'
import { isJsonContentType } from '@modelcontextprotocol/server'
import { AppError, quoted } from '../errors.ts'
import { UnreadableJson } from './answers.ts'

/** The JSON value in the body of `req`; throws `too_large`, `unsupported_media_type` or `UnreadableJson`. */
export async function readJson(req: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = req.headers['content-type'] ?? ''
  if (!isJsonContentType(type)) {
    throw new AppError('unsupported_media_type', `content type ${quoted(type)}: send application/json`)
  }
  const encoding = req.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new AppError('unsupported_media_type', `content encoding ${quoted(encoding)}: send the body as it is`)
  }
  const bytes = await readBytes(req, maxBytes)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new UnreadableJson(cause)
  }
}

/** @NOTE Leaving a `for await` over the request would destroy the socket before the refusal is written. */
function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const tooLarge = () => reject(new AppError('too_large', `the body is larger than ${maxBytes} bytes: send less`))
  if (Number(req.headers['content-length']) > maxBytes) tooLarge()
  const chunks: Buffer[] = []
  let received = 0
  req.on('data', (chunk: Buffer) => {
    received += chunk.length
    if (received <= maxBytes) chunks.push(chunk)
    else tooLarge()
  })
  req.once('end', () => resolve(Buffer.concat(chunks)))
  req.once('error', reject)
  req.once('close', () => reject(new AppError('invalid', 'the body ended early: send it again')))
  return promise
}
