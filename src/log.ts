import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** Fields that never reach the log, at any of the usual depths. */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'password',
  'token',
  'session_hash',
  'secret',
  'private_key',
  'privateKey',
  'preshared_key',
  'config',
]

const REDACTED = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`])

/** The root logger: JSON lines on standard error, so that standard output stays free for what a person asked for. */
export function createLog(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino({ level, base: null, redact: { paths: REDACTED, censor: '(hidden)' } }, destination)
}
