import type { Examples } from './example.ts'

const USER = {
  id: 'user-sub-from-oidc',
  email: 'alice@example.com',
  name: 'Alice',
  role: 'user',
  authorized_networks: ['net-id-1', 'net-id-2'],
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-01-10T12:00:00Z',
  last_login_at: '2024-04-10T08:00:00Z',
}

const USER_DEFAULTS = { default_role: 'user', default_authorized_networks: ['net-id-1'] }

/** Health, signing in, users and API tokens. */
export const ACCOUNT_EXAMPLES: Examples = {
  'GET /health': { response: { status: 'ok' } },
  'GET /auth/config': {
    response: {
      enabled: true,
      issuer_url: 'https://accounts.example.com',
      client_id: 'wirety-app',
      simple_auth: false,
    },
    beyond: {
      authorization_endpoint: 'https://accounts.example.com/authorize',
      end_session_endpoint: 'https://accounts.example.com/logout',
      scope: 'openid profile email',
    },
  },
  'POST /auth/token': {
    request: { code: 'authorization_code_from_oidc', redirect_uri: 'https://app.example.com/callback' },
    response: { session_hash: 'abc123...', expires_in: 3600 },
  },
  'POST /auth/login': {
    request: { username: 'admin', password: 'your-admin-password' },
    response: { session_hash: 'abc123...', expires_in: 2592000 },
  },
  'POST /auth/logout': {
    request: { session_hash: 'abc123...' },
    response: { message: 'Logged out successfully' },
  },
  'GET /users/me': { response: USER },
  'GET /users': { response: [USER] },
  'GET /users/:userId': { response: USER },
  'PUT /users/:userId': {
    request: { name: 'Alice Smith', role: 'administrator', authorized_networks: ['net-id-1'] },
    response: USER,
  },
  'DELETE /users/:userId': {},
  'GET /users/defaults': { response: USER_DEFAULTS },
  'PUT /users/defaults': { request: USER_DEFAULTS, response: USER_DEFAULTS },
  'GET /users/me/tokens': {
    response: [
      {
        id: 'token-uuid',
        name: 'ci-bot',
        created_at: '2024-01-01T00:00:00Z',
        expires_at: null,
        last_used_at: '2024-04-10T08:00:00Z',
      },
    ],
  },
  'POST /users/me/tokens': {
    request: { name: 'ci-bot', expires_at: '2025-01-01T00:00:00Z' },
    response: {
      id: 'token-uuid',
      name: 'ci-bot',
      token: 'wirety_deadbeef...',
      created_at: '2024-04-13T00:00:00Z',
      expires_at: '2025-01-01T00:00:00Z',
      last_used_at: null,
    },
  },
  'DELETE /users/me/tokens/:tokenId': {},
}
