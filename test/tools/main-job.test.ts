import { expect, test } from 'vitest'
import { startTestApp, type Transport } from '../harness.ts'
import { raiseIncident } from '../topologies.ts'

test.each<Transport>(['sse', 'streamable', 'stateless', 'stdio'])(
  'an assistant over %s builds a network, asks who reaches whom and resolves an incident, and REST shows the same',
  async (transport) => {
    await using app = await startTestApp()
    await using mcp = await app.mcp(app.adminToken, transport)
    const rest = app.as(app.adminToken)
    expect(await mcp.call('list_networks')).toEqual({ data: [], total: 0, page: 1, page_size: 20 })

    const { cidrs } = await mcp.call('suggest_cidrs', { max_peers: 50 })
    expect(cidrs).toEqual(['10.0.0.0/26'])
    const network = await mcp.call('create_network', { name: 'office', cidr: cidrs[0] })
    const hub = await mcp.call('create_peer', { network_id: network.id, name: 'hub', is_jump: true })
    const laptop = await mcp.call('create_peer', { network_id: 'office', name: 'laptop' })
    const server = await mcp.call('create_peer', { network_id: 'OFFICE', name: 'server' })
    expect([hub, laptop, server].map((peer) => peer.address)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    expect((await mcp.call('suggest_cidrs', { max_peers: 50 })).cidrs).toEqual(['10.0.0.64/26'])

    const reach = async () => {
      const { peer_access } = await mcp.call('compute_reachability', { network_id: 'office', peer_id: 'laptop' })
      return peer_access.map((access: { peer_name: string; reason: string }) => [access.peer_name, access.reason])
    }
    const free = [
      ['hub', 'acl_disabled'],
      ['server', 'acl_disabled'],
    ]
    expect(await reach()).toEqual(free)
    const incident = await raiseIncident(app, network.id, laptop, true)
    expect((await mcp.call('list_incidents', { resolved: false })).data).toMatchObject([{ id: incident }])
    expect(await reach()).toEqual([
      ['hub', 'blocked'],
      ['server', 'blocked'],
    ])
    expect(await mcp.call('resolve_incident', { incident_id: incident })).toEqual({
      message: 'Incident resolved successfully',
    })
    expect(await reach()).toEqual(free)

    const seen = await rest.get(`/security/incidents/${incident}`)
    expect(seen.body).toMatchObject({ resolved: true, resolved_by: 'admin@wirety.local', peer_name: 'laptop' })
    const { data } = (await rest.get(`/networks/${network.id}/peers`)).body
    const withoutToken = data.map(({ token: _, ...peer }: { token: string }) => peer)
    expect(withoutToken).toEqual([hub, laptop, server])
  },
)
