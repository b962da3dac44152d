import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, type LocalJWKSet } from 'jose'
import { AppError } from '../../errors.ts'
import { Cached, type CacheOptions } from './cached.ts'

/**
 * Finds the provider's key for a token. A key that the cached set lacks makes us ask for the set again, but no more
 * often than the pause allows: tokens with invented key ids come from anybody.
 */
export function createKeySet(load: () => Promise<Response>, options: CacheOptions): JWTVerifyGetKey {
  const keys = new Cached(async () => parse(await load()), options)
  return async (header, token) => {
    try {
      return await (await keys.get())(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      return (await keys.renew())(header, token)
    }
  }
}

async function parse(response: Response): Promise<LocalJWKSet> {
  try {
    if (response.status !== 200) throw new Error(`status ${response.status}`)
    return createLocalJWKSet((await response.json()) as JSONWebKeySet) // which checks that it is one
  } catch (cause) {
    throw new AppError('unavailable', "the identity provider's keys cannot be read", { cause })
  }
}
