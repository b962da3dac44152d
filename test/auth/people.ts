import type { Answer, TestApp } from '../harness.ts'
import { REDIRECT_URI, type TestProvider, type Visit } from './provider.ts'

/** Brings a code of the provider to our server. */
export function exchange(app: TestApp, code: string, more: Record<string, unknown> = {}): Promise<Answer> {
  return app.as(undefined).post('/auth/token', { code, redirect_uri: REDIRECT_URI, ...more })
}

/** Signs in at the provider and here; the answer of our server. */
export async function signIn(app: TestApp, provider: TestProvider, visit: Visit): Promise<Answer> {
  return exchange(app, await provider.authorize(visit))
}

/** A new account at the provider, signed in here; its session. */
export async function newSession(app: TestApp, provider: TestProvider, account: string, claims = {}): Promise<string> {
  provider.accounts.set(account, { email: `${account}@example.com`, name: account, ...claims })
  const answer = await signIn(app, provider, { account })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body.session_hash
}

/** What the audit log says of attempts to sign in, oldest first. */
export function audited(
  app: TestApp,
): Promise<{ actor_email: string; action: string; outcome: string; input: string }[]> {
  const sql = 'SELECT actor_email, action, outcome, input FROM audit_log ORDER BY at, id'
  return app.app.env.database.read((tx) => tx.all(sql))
}
