import type { Migration } from './migration.ts'

/** Who a user is at the identity provider, and the provider's tokens behind a session. */
export const oidc: Migration = {
  name: 'oidc',
  statements: [
    `CREATE TABLE identities (
      issuer TEXT NOT NULL, subject TEXT NOT NULL,
      user_id TEXT NOT NULL UNIQUE REFERENCES users(id) ON DELETE CASCADE, PRIMARY KEY (issuer, subject))`,
    'CREATE INDEX identities_by_subject ON identities (subject, issuer)',

    // Both tokens are sealed.
    `CREATE TABLE provider_sessions (
      credential_id TEXT PRIMARY KEY REFERENCES credentials(id) ON DELETE CASCADE,
      access_token TEXT NOT NULL, refresh_token TEXT, access_expires_at TEXT NOT NULL)`,
  ],
}
