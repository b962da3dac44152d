import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { AppError, quoted } from '../errors.ts'

/** What the operator allows beside the built-in names. */
export interface AllowLists {
  /** Host names without port: the setting ALLOWED_HOSTS. */
  readonly allowedHosts: readonly string[]
  /** Full origins: the setting ALLOWED_ORIGINS. */
  readonly allowedOrigins: readonly string[]
}

/** Refuses requests that a web page of somebody else made a browser send. */
export interface Guard {
  /** Throws `forbidden` for a Host that is not allowed. */
  checkHost(headers: IncomingHttpHeaders): void
  /** Throws `forbidden` for an Origin that is neither this server nor allowed; without one there is nothing to check. */
  checkOrigin(headers: IncomingHttpHeaders): void
  /** Throws `forbidden` for a request that carries a cookie for its credential and may come from another site. */
  checkCredential(headers: IncomingHttpHeaders): void
}

/** Guards against DNS rebinding (Host) and cross-site requests (Origin, Sec-Fetch-Site). */
export function createGuard(lists: AllowLists): Guard {
  const hosts = new Set(lists.allowedHosts.map((host) => host.toLowerCase()))
  const origins = new Set(lists.allowedOrigins.map(canonicalOrigin))
  return {
    checkHost({ host = '' }) {
      if (!isHostAllowed(host, hosts)) throw refusal('Host', host, 'ALLOWED_HOSTS')
    },
    checkOrigin({ host = '', origin }) {
      if (origin !== undefined && !isOriginAllowed(origin, host, origins)) {
        throw refusal('Origin', origin, 'ALLOWED_ORIGINS')
      }
    },
    checkCredential(headers) {
      if (headers.authorization !== undefined || headers.origin !== undefined) return
      const site = headers['sec-fetch-site']
      if (site === 'same-origin') return
      throw new AppError(
        'forbidden',
        `a request with a cookie and without an Origin header needs Sec-Fetch-Site: same-origin, not ${
          site === undefined ? 'none at all' : quoted(String(site))
        }: programs send an Authorization header instead`,
      )
    },
  }
}

/** An IP address in Host cannot be the result of DNS rebinding: nothing was resolved. */
function isHostAllowed(host: string, allowed: ReadonlySet<string>): boolean {
  const name = hostName(host)
  if (name === undefined) return false
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  return name.startsWith('[') || isIP(name) !== 0 || allowed.has(name)
}

function hostName(host: string): string | undefined {
  if (host === '' || /[\s/?#@\\]/.test(host)) return undefined
  return URL.parse(`http://${host}`)?.hostname.replace(/\.$/, '')
}

function isOriginAllowed(origin: string, host: string, allowed: ReadonlySet<string>): boolean {
  const url = URL.parse(origin)
  if (url === null || url.host === '') return false
  if (allowed.has(canonicalOrigin(origin))) return true
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:'
  return isWeb && url.host === URL.parse(`${url.protocol}//${host}`)?.host
}

/** Scheme, host and port; `URL.origin` alone is "null" for the schemes of browser extensions. */
function canonicalOrigin(origin: string): string {
  const url = URL.parse(origin)
  return url === null ? origin : `${url.protocol}//${url.host}`
}

function refusal(header: string, value: string, setting: string): AppError {
  return new AppError('forbidden', `${header} ${quoted(value)} is not allowed: add it to ${setting}`)
}
