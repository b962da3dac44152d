import { expect, test } from 'vitest'
import { MCP_PATH } from '../../src/app.ts'
import { PASSWORD, startTestApp } from '../harness.ts'
import { buildOffice } from '../topologies.ts'

/** Every frame that the server sends to an assistant, as text, over HTTP without an SDK in between. */
async function frames(url: string, token: string, calls: object[]): Promise<string> {
  const answers = calls.map(async (params) => {
    const response = await fetch(`${url}${MCP_PATH}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': (params as { name: string }).name,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          ...params,
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    })
    return `${JSON.stringify([...response.headers])}${await response.text()}`
  })
  return (await Promise.all(answers)).join('\n')
}

test('no key, token, session or password reaches an assistant or the log, whatever tool is called', async () => {
  await using app = await startTestApp({ SECRET_KEY: 'canary-secret-key-0123456789abcdef' })
  const { office, hub, laptop, db, alice, laptopIncident } = await buildOffice(app)
  const rest = app.as(app.adminToken)
  const { data } = (await rest.get(`/networks/${office}/peers`)).body
  const configs = await Promise.all(
    [hub, laptop, db].map(async (id) => (await rest.get(`/networks/${office}/peers/${id}/config`)).body.config),
  )
  const keys = configs.flatMap((config) =>
    [...config.matchAll(/(?:PrivateKey|PresharedKey) = (\S+)/g)].map((match) => match[1]),
  )
  const tokens = data.map((peer: { token: string }) => peer.token)
  expect([keys.length > 3, tokens.length]).toEqual([true, 3])
  const canaries = [...keys, ...tokens, app.adminToken, alice.token, PASSWORD, 'canary-secret-key', 'argon2id']

  const ids = { network_id: office, peer_id: laptop }
  const sent = await frames(app.url, app.adminToken, [
    ...['list_peers', 'list_network_allocations', 'get_network', 'get_acl', 'list_network_incidents'].map((name) => ({
      name,
      arguments: { network_id: office },
    })),
    ...['get_peer', 'get_peer_config', 'get_peer_session', 'compute_reachability'].map((name) => ({
      name,
      arguments: ids,
    })),
    { name: 'get_peer_config', arguments: { network_id: 'office', peer_id: 'hub' } },
    { name: 'create_peer', arguments: { network_id: office, name: 'fresh' } },
    { name: 'update_peer', arguments: { ...ids, endpoint: '198.51.100.9:4000' } },
    { name: 'list_users', arguments: {} },
    { name: 'list_api_tokens', arguments: {} },
    { name: 'create_user', arguments: { email: 'bob@example.com', name: 'Bob', password: PASSWORD } },
    { name: 'create_user', arguments: { email: 'bob@example.com', name: 'Bob', role: 'user' } },
    { name: 'create_api_token', arguments: { name: 'mine' } },
    { name: 'get_incident', arguments: { incident_id: laptopIncident } },
    { name: 'get_peer', arguments: { network_id: office, peer_id: 'nobody' } },
  ])
  const everything = `${sent}\n${app.logged.join('\n')}`
  expect(canaries.filter((canary) => everything.includes(canary))).toEqual([])
  expect(sent).toContain('PrivateKey = (hidden)')
  expect(sent).toContain('create_api_token is not for assistants')
  expect(sent).not.toContain('enr_')
})

test('a token that is given in the place of an id or a name is neither echoed nor kept', async () => {
  await using app = await startTestApp()
  const { office } = await buildOffice(app)
  await using mcp = await app.mcp(app.adminToken)
  const token = app.adminToken
  const answers = [
    (await app.as(token).delete(`/users/me/tokens/${token}`)).text,
    (await app.as(token).put(`/users/${token}`, { name: 'x' })).text,
    (await app.as(token).delete(`/networks/${token}`)).text,
    await mcp.refusal('delete_api_token', { token_id: token }),
    await mcp.refusal('get_peer', { network_id: office, peer_id: token }),
    await mcp.refusal('list_networks', { [token]: 1 }),
    JSON.stringify(await mcp.call('list_audit_entries', {})),
    app.logged.filter((line) => !line.includes('"route"')).join('\n'),
  ]
  expect(answers.filter((answer) => answer.includes(token))).toEqual([])
})
