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

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  HTTP_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'is a port number')
    .default('8080')
    .transform(Number)
    .pipe(z.int().max(65_535)),
  DATABASE_URL: z.string().startsWith('file:', 'starts with file:').default('file:data/wirety.db'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  ALLOWED_HOSTS: list,
  ALLOWED_ORIGINS: list.pipe(z.array(Origin)),
  COOKIE_SECURE: z.enum(['true', 'false']).default('true'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  AUTH_PASSWORD: z.string().min(8, 'has at least 8 characters').optional(),
  SECRET_KEY: z.string().min(32, 'has at least 32 characters: openssl rand -hex 32').optional(),
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
