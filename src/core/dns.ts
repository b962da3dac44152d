import { tunnelAddress } from './address.ts'
import type { Topology } from './topology.ts'

/** A name behind a route and its addresses. */
export interface DnsMapping {
  readonly id: string
  readonly route_id: string
  readonly name: string
  readonly ip_address: string | null
  readonly ip_address_v6: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** One name that a network's resolver answers. */
export interface DnsRecord {
  readonly name: string
  readonly ip_address?: string
  readonly ip_address_v6?: string
  readonly fqdn: string
  readonly type: 'peer' | 'route'
}

/** All names of a network: its peers `<peer>.<network>.<suffix>`, then mappings `<name>.<route>.<route suffix>`. */
export function dnsRecords(topology: Topology, mappings: readonly DnsMapping[]): DnsRecord[] {
  const { network, routes } = topology
  const peers = topology.peers
    .filter((peer) => tunnelAddress(peer) !== '')
    .map((peer) => ({
      ...addresses(peer.address, peer.address_v6),
      name: peer.name,
      fqdn: `${peer.name}.${network.name}.${network.domain_suffix}`,
      type: 'peer' as const,
    }))
  const routeOf = new Map(routes.map((route) => [route.id, route]))
  const mapped = mappings.flatMap((mapping) => {
    const route = routeOf.get(mapping.route_id)
    if (!route) return []
    const fqdn = `${mapping.name}.${label(route.name)}.${route.domain_suffix}`
    return [
      { ...addresses(mapping.ip_address, mapping.ip_address_v6), name: mapping.name, fqdn, type: 'route' as const },
    ]
  })
  return [...peers, ...mapped]
}

/** A route's name is free text; in a domain name whatever no label may have becomes a hyphen. */
function label(name: string): string {
  return name.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 63)
}

function addresses(v4: string | null, v6: string | null): Pick<DnsRecord, 'ip_address' | 'ip_address_v6'> {
  return { ...(v4 === null ? {} : { ip_address: v4 }), ...(v6 === null ? {} : { ip_address_v6: v6 }) }
}
