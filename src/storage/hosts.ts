import { formatPrefix, parsePrefix } from '../core/address.ts'
import { hostAddress, hostNumber, lastUsableHost } from '../core/ipam.ts'
import type { Network } from '../core/topology.ts'
import { AppError } from '../errors.ts'
import type { Db } from './db.ts'

/** A peer's tunnel addresses; null where the network lacks the family. */
export interface TunnelAddresses {
  readonly address: string | null
  readonly address_v6: string | null
}

/** Takes the lowest free address of each family that the network has. */
export async function take(tx: Db, network: Network): Promise<TunnelAddresses> {
  return {
    address: network.cidr === null ? null : await takeOne(tx, network.id, network.cidr),
    address_v6: network.cidr_v6 === null ? null : await takeOne(tx, network.id, network.cidr_v6),
  }
}

/** Gives addresses back; the lowest free one is handed out next. */
export async function release(tx: Db, network: Network, addresses: TunnelAddresses): Promise<void> {
  for (const [cidr, address] of [
    [network.cidr, addresses.address],
    [network.cidr_v6, addresses.address_v6],
  ]) {
    if (!cidr || !address) continue
    const prefix = parsePrefix(cidr)
    await tx.run('INSERT INTO free_hosts VALUES (?, ?, ?)', network.id, prefix.family, hostNumber(prefix, address))
  }
}

/** Forgets everything that was handed out in one family: the network starts anew in another prefix. */
export async function reset(tx: Db, networkId: string, family: 4 | 6): Promise<void> {
  await tx.run('DELETE FROM free_hosts WHERE network_id = ? AND family = ?', networkId, family)
  await tx.run(`UPDATE networks SET ${nextHost(family)} = 1 WHERE id = ?`, networkId)
}

async function takeOne(tx: Db, networkId: string, cidr: string): Promise<string> {
  const prefix = parsePrefix(cidr)
  const freed = await takeFreed(tx, networkId, prefix.family)
  if (freed !== null) return hostAddress(prefix, freed)
  const column = nextHost(prefix.family)
  const next = await tx.find<{ host: number }>(`SELECT ${column} AS host FROM networks WHERE id = ?`, networkId)
  if (!next || BigInt(next.host) > lastUsableHost(prefix)) {
    throw new AppError(
      'exhausted',
      `network ${formatPrefix(prefix)} has no free address; delete a peer or widen its CIDR`,
    )
  }
  await tx.run(`UPDATE networks SET ${column} = ${column} + 1 WHERE id = ?`, networkId)
  return hostAddress(prefix, next.host)
}

async function takeFreed(tx: Db, networkId: string, family: 4 | 6): Promise<number | null> {
  const lowest = await tx.find<{ host: number | null }>(
    'SELECT MIN(host) AS host FROM free_hosts WHERE network_id = ? AND family = ?',
    networkId,
    family,
  )
  const host = lowest?.host ?? null
  if (host === null) return null
  await tx.run('DELETE FROM free_hosts WHERE network_id = ? AND family = ? AND host = ?', networkId, family, host)
  return host
}

function nextHost(family: 4 | 6): string {
  return family === 4 ? 'next_host_v4' : 'next_host_v6'
}
