import { z } from 'zod'
import { AppError } from './errors.ts'

/** How the server runs. Everything here may be shown. */
export interface Config {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Where the SQLite file lies. */
  readonly databasePath: string
  /** What people reach the server as, without a slash at the end; undefined means `http://host:port`. */
  readonly publicUrl: string | undefined
  /** Host names, besides loopback and IP literals, under which assistants may reach the server. */
  readonly allowedHosts: readonly string[]
  /** Web origins, besides the server's own, whose pages may call it. */
  readonly allowedOrigins: readonly string[]
  readonly cookieSecure: boolean
  readonly logLevel: string
}

/** What must not be shown. */
export interface ConfigSecrets {
  readonly adminPassword: string | undefined
  /** Seals the database; undefined means a generated file next to it. */
  readonly secretKey: string | undefined
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )

const Origin = z.url({ protocol: /^https?$/ }).transform((text) => new URL(text).origin)

/** The settings as environment variables; the documentation's table is made from this. */
export const Environment = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  HTTP_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'is a port number')
    .default('8080')
    .transform(Number)
    .pipe(z.int().max(65_535))
    .describe('TCP port; 0 takes a free one'),
  DATABASE_URL: z
    .string()
    .startsWith('file:', 'starts with file:')
    .default('file:data/wirety.db')
    .describe('The SQLite file'),
  AUTH_PASSWORD: z
    .string()
    .min(8, 'has at least 8 characters')
    .optional()
    .describe('Password of `admin`; unset: made and printed at the first start'),
  SECRET_KEY: z
    .string()
    .min(32, 'has at least 32 characters: openssl rand -hex 32')
    .optional()
    .describe('Seals keys and tokens in the database; unset: made and kept beside it in `<database>.key`'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((text) => text.replace(/\/+$/, ''))
    .optional()
    .describe('What people reach the server as, when a proxy stands in front'),
  ALLOWED_HOSTS: list.describe(
    'More host names (comma list) under which assistants reach the server; IP addresses and localhost always work',
  ),
  ALLOWED_ORIGINS: list.pipe(z.array(Origin)).describe('More web origins (comma list) whose pages may call the server'),
  COOKIE_SECURE: z
    .enum(['true', 'false'])
    .default('true')
    .describe('`false` lets browsers send the session cookie over plain HTTP'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What to log, as JSON lines on standard error'),
})

/** Reads the settings. Empty variables count as unset; a bad one fails with its name and what is wrong. */
export function readConfig(environment: Record<string, string | undefined>): {
  config: Config
  secrets: ConfigSecrets
} {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new AppError('invalid', `settings: ${problems.join('; ')}`)
  }
  const settings = parsed.data
  const publicHost = settings.PUBLIC_URL ? [new URL(settings.PUBLIC_URL).hostname] : []
  const publicOrigin = settings.PUBLIC_URL ? [new URL(settings.PUBLIC_URL).origin] : []
  return {
    config: Object.freeze({
      host: settings.HOST,
      port: settings.HTTP_PORT,
      databasePath: settings.DATABASE_URL.slice('file:'.length),
      publicUrl: settings.PUBLIC_URL,
      allowedHosts: [...settings.ALLOWED_HOSTS, ...publicHost],
      allowedOrigins: [...settings.ALLOWED_ORIGINS, ...publicOrigin],
      cookieSecure: settings.COOKIE_SECURE === 'true',
      logLevel: settings.LOG_LEVEL,
    }),
    secrets: Object.freeze({ adminPassword: settings.AUTH_PASSWORD, secretKey: settings.SECRET_KEY }),
  }
}
