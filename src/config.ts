import { isIP } from 'node:net'
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
  /** Addresses, CIDRs or names of ranges of the proxies whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly string[]
  /** Whether each audit row is also a line on standard output. */
  readonly auditLog: boolean
  /** Whether everybody may read the metrics, or administrators only. */
  readonly publicMetrics: boolean
  readonly logLevel: string
  /** Where people sign in; undefined means by password. */
  readonly oidc: OidcConfig | undefined
}

/** The OpenID Connect provider at which people sign in. */
export interface OidcConfig {
  readonly issuerUrl: string
  readonly clientId: string
  readonly jwksCacheTtlSeconds: number
  readonly emailClaim: string
  readonly groupsClaim: string
  /** Members are administrators; empty: groups decide nothing. */
  readonly adminGroups: readonly string[]
  /** Members are users; empty: everybody is, who is no administrator. */
  readonly userGroups: readonly string[]
}

/** What must not be shown. */
export interface ConfigSecrets {
  readonly adminPassword: string | undefined
  /** What we prove ourselves with to the provider; undefined for a public client. */
  readonly oidcClientSecret: string | undefined
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

/** What the setting `trust proxy` of Express takes. */
function isProxy(text: string): boolean {
  const [address = '', length, more] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits)
  return RANGES.includes(text) || (isIP(address) !== 0 && isLength && more === undefined)
}

const RANGES = ['loopback', 'linklocal', 'uniquelocal']

const Origin = z.url({ protocol: /^https?$/ }).transform((text) => new URL(text).origin)

const Issuer = z
  .url({ protocol: /^https?$/ })
  .refine((text) => !/[?#]/.test(text), 'has neither query nor fragment')
  .optional()

const Variables = z.object({
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
    .regex(/^file:(?!:memory:)./, 'is file: and a path, such as file:data/wirety.db')
    .default('file:data/wirety.db')
    .describe('The SQLite file'),
  AUTH_PASSWORD: z
    .string()
    .min(8, 'has at least 8 characters')
    .optional()
    .describe('Password of `admin`; unset: made and printed at the first start'),
  AUTH_ENABLED: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: people sign in at an OpenID Connect provider, not by password'),
  AUTH_ISSUER_URL: Issuer.describe("The provider's issuer, as it names itself in its tokens"),
  AUTH_CLIENT_ID: z.string().max(255).optional().describe('Our name at the provider; tokens must be made for it'),
  AUTH_CLIENT_SECRET: z.string().max(1024).optional().describe('Our secret at the provider; unset for a public client'),
  AUTH_JWKS_CACHE_TTL: z
    .string()
    .regex(/^\d{1,7}$/, 'is a number of seconds')
    .default('3600')
    .transform(Number)
    .describe("Seconds for which the provider's keys are kept"),
  AUTH_EMAIL_CLAIM: z.string().max(255).default('email').describe('Claim with the e-mail address'),
  AUTH_GROUPS_CLAIM: z.string().max(255).default('groups').describe('Claim with the groups: a list, or text'),
  AUTH_ADMIN_GROUP: list.describe('Groups (comma list) of administrators; unset: groups decide nothing'),
  AUTH_USER_GROUP: list.describe('Groups (comma list) of users; unset: whoever is no administrator'),
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
  TRUSTED_PROXIES: list
    .pipe(z.array(z.string().refine(isProxy, 'is an address, a CIDR, loopback, linklocal or uniquelocal')))
    .describe('Proxies (comma list of addresses, CIDRs, `loopback`, `uniquelocal`) whose X-Forwarded-For is believed'),
  AUDIT_LOG: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true` writes each audit row as a JSON line on standard output, too'),
  METRICS: z
    .enum(['private', 'public'])
    .default('private')
    .describe('Who may read `/metrics`: `private` means administrators, by API token'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What to log, as JSON lines on standard error'),
})

type Settings = z.output<typeof Variables>

/** The settings as environment variables; the documentation's table is made from this. */
export const Environment = Variables.superRefine((settings, context) => {
  for (const [name, message] of contradictionsOf(settings)) context.addIssue({ code: 'custom', path: [name], message })
})

function contradictionsOf(settings: Settings): [name: keyof Settings, message: string][] {
  const found: [keyof Settings, string][] = []
  if (settings.AUTH_ENABLED === 'true') {
    if (!settings.AUTH_ISSUER_URL) found.push(['AUTH_ISSUER_URL', `${NEEDED}, such as https://accounts.example.com`])
    if (!settings.AUTH_CLIENT_ID) found.push(['AUTH_CLIENT_ID', `${NEEDED}; the provider gave it when you registered`])
  }
  if (settings.AUTH_USER_GROUP.length > 0 && settings.AUTH_ADMIN_GROUP.length === 0) {
    found.push(['AUTH_ADMIN_GROUP', 'is needed with AUTH_USER_GROUP: nobody could administer; name a group for that'])
  }
  return found
}

const NEEDED = 'is needed with AUTH_ENABLED=true'

function oidcOf(settings: Settings): OidcConfig | undefined {
  const { AUTH_ENABLED: enabled, AUTH_ISSUER_URL: issuerUrl, AUTH_CLIENT_ID: clientId } = settings
  if (enabled !== 'true' || !issuerUrl || !clientId) return undefined
  return Object.freeze({
    issuerUrl,
    clientId,
    jwksCacheTtlSeconds: settings.AUTH_JWKS_CACHE_TTL,
    emailClaim: settings.AUTH_EMAIL_CLAIM,
    groupsClaim: settings.AUTH_GROUPS_CLAIM,
    adminGroups: settings.AUTH_ADMIN_GROUP,
    userGroups: settings.AUTH_USER_GROUP,
  })
}

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
      trustedProxies: settings.TRUSTED_PROXIES,
      auditLog: settings.AUDIT_LOG === 'true',
      publicMetrics: settings.METRICS === 'public',
      logLevel: settings.LOG_LEVEL,
      oidc: oidcOf(settings),
    }),
    secrets: Object.freeze({
      adminPassword: settings.AUTH_PASSWORD,
      oidcClientSecret: settings.AUTH_CLIENT_SECRET,
      secretKey: settings.SECRET_KEY,
    }),
  }
}
