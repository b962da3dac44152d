import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How slow is too slow. */
export interface SlowReaderOptions {
  /** A connection that accepts none of the bytes waiting for it for this long is destroyed. */
  readonly stallMs: number
  /** How often connections are looked at; a quarter of `stallMs` unless told. */
  readonly scanMs?: number
}

/** How far a socket had come at the time of a scan. */
interface Progress {
  readonly written: number
  readonly queued: number
  readonly since: number
}

/** Destroys connections whose other side stopped reading, so that what waits for them does not fill the memory. */
class SlowReaders implements Disposable {
  readonly #sockets = new Map<Socket, Progress | undefined>()
  readonly #stallMs: number
  readonly #scanner: NodeJS.Timeout

  constructor({ stallMs, scanMs = stallMs / 4 }: SlowReaderOptions) {
    this.#stallMs = stallMs
    this.#scanner = setInterval(() => this.#scan(performance.now()), scanMs).unref()
  }

  /** Watches `socket` until it closes. */
  watch(socket: Socket): void {
    if (this.#sockets.has(socket) || socket.destroyed) return
    this.#sockets.set(socket, undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#scanner)
    this.#sockets.clear()
  }

  #scan(now: number): void {
    for (const [socket, last] of this.#sockets) {
      const progress = progressOf(socket, now)
      if (progress === undefined || last === undefined || hasMoved(progress, last)) this.#sockets.set(socket, progress)
      else if (now - last.since >= this.#stallMs) socket.destroy()
    }
  }
}

/** Watches every connection of `server`. */
export function guardSlowReaders(server: Server, options: SlowReaderOptions): Disposable {
  const slowReaders = new SlowReaders(options)
  const watch = (socket: Socket) => slowReaders.watch(socket)
  server.on('connection', watch)
  return {
    [Symbol.dispose]() {
      server.off('connection', watch)
      slowReaders[Symbol.dispose]()
    },
  }
}

/** Undefined when nothing waits to be read. */
function progressOf(socket: Socket, since: number): Progress | undefined {
  if (socket.writableLength === 0) return undefined
  return { written: socket.bytesWritten - socket.writableLength, queued: queuedInKernelCall(socket), since }
}

function hasMoved(now: Progress, last: Progress): boolean {
  return now.written !== last.written || now.queued !== last.queued
}

/**
 * What is left of the write in progress. @NOTE Node has no public name for it; without it a large answer to a slow
 * but healthy reader would look like a stall, because a write counts as done only when its last byte is accepted.
 */
function queuedInKernelCall(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return 0
  const size: unknown = Reflect.get(handle, 'writeQueueSize')
  return typeof size === 'number' ? size : 0
}
