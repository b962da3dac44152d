import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'

const GOOD = { AUTH_ENABLED: 'true', AUTH_ISSUER_URL: 'https://accounts.example.com/realm', AUTH_CLIENT_ID: 'wirety' }

test('the settings of a provider become one object; its secret is not in it', () => {
  const { config, secrets } = readConfig({
    ...GOOD,
    AUTH_CLIENT_SECRET: 'hush',
    AUTH_JWKS_CACHE_TTL: '60',
    AUTH_ADMIN_GROUP: 'ops, heads',
    AUTH_USER_GROUP: 'staff',
  })
  expect(config.oidc).toEqual({
    issuerUrl: 'https://accounts.example.com/realm',
    clientId: 'wirety',
    jwksCacheTtlSeconds: 60,
    emailClaim: 'email',
    groupsClaim: 'groups',
    adminGroups: ['ops', 'heads'],
    userGroups: ['staff'],
  })
  expect(secrets.oidcClientSecret).toBe('hush')
  expect(JSON.stringify(config)).not.toContain('hush')
})

test('there is no provider unless AUTH_ENABLED is true', () => {
  expect(readConfig({ ...GOOD, AUTH_ENABLED: 'false' }).config.oidc).toBeUndefined()
  expect(readConfig({ ...GOOD, AUTH_ENABLED: undefined }).config.oidc).toBeUndefined()
})

describe('a contradiction fails with the name of the setting and what to do', () => {
  test.each([
    [{ ...GOOD, AUTH_ISSUER_URL: '' }, /AUTH_ISSUER_URL: is needed with AUTH_ENABLED=true/],
    [{ ...GOOD, AUTH_CLIENT_ID: undefined }, /AUTH_CLIENT_ID: is needed with AUTH_ENABLED=true/],
    [{ AUTH_ENABLED: 'true' }, /AUTH_ISSUER_URL: .*; AUTH_CLIENT_ID: /],
    [{ ...GOOD, AUTH_USER_GROUP: 'staff' }, /AUTH_ADMIN_GROUP: is needed with AUTH_USER_GROUP/],
    [{ AUTH_USER_GROUP: 'staff' }, /AUTH_ADMIN_GROUP: is needed with AUTH_USER_GROUP/],
    [{ ...GOOD, AUTH_ENABLED: 'yes' }, /AUTH_ENABLED: /],
    [{ ...GOOD, AUTH_ISSUER_URL: 'accounts.example.com' }, /AUTH_ISSUER_URL: /],
    [{ ...GOOD, AUTH_ISSUER_URL: 'https://accounts.example.com/?realm=x' }, /AUTH_ISSUER_URL: has neither query/],
    [{ ...GOOD, AUTH_JWKS_CACHE_TTL: 'an hour' }, /AUTH_JWKS_CACHE_TTL: is a number of seconds/],
  ])('%j', (environment, sentence) => {
    expect(() => readConfig(environment)).toThrow(sentence)
  })
})
