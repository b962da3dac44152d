import { formatPrefix, type Prefix, parsePrefix, prefixSize } from '../core/address.ts'
import { AppError } from '../errors.ts'
import type { Db } from './db.ts'

/** Books `prefix` for a network; a conflict names the network that holds an overlapping one. */
export async function book(tx: Db, networkId: string, prefix: Prefix): Promise<void> {
  const { first, last } = bounds(prefix)
  const holder = await findHolder(tx, prefix)
  if (holder) throw new AppError('conflict', `${formatPrefix(prefix)} overlaps network "${holder}"; choose a free CIDR`)
  await tx.run('INSERT INTO prefixes VALUES (?, ?, ?, ?)', networkId, prefix.family, first, last)
}

/** Whether a network holds an address of `prefix`. */
export async function isBooked(tx: Db, prefix: Prefix): Promise<boolean> {
  return (await findHolder(tx, prefix)) !== undefined
}

/**
 * Name of a network that holds an address of `prefix`. Booked prefixes never overlap, so the one that starts last at or
 * before our end is the only candidate: two index look-ups.
 */
async function findHolder(tx: Db, prefix: Prefix): Promise<string | undefined> {
  const { first, last } = bounds(prefix)
  const holder = await tx.find<{ name: string; last_address: string }>(
    `SELECT networks.name, prefixes.last_address FROM prefixes JOIN networks ON networks.id = prefixes.network_id
      WHERE family = ? AND first_address <= ? ORDER BY first_address DESC LIMIT 1`,
    prefix.family,
    last,
  )
  return holder && holder.last_address >= first ? holder.name : undefined
}

/** Gives up the network's prefix of one family. */
export async function release(tx: Db, networkId: string, family: 4 | 6): Promise<void> {
  await tx.run('DELETE FROM prefixes WHERE network_id = ? AND family = ?', networkId, family)
}

/** Every booked IPv4 prefix, whoever may see its network: a suggestion must avoid them all. */
export async function listBooked(tx: Db): Promise<Prefix[]> {
  const rows = await tx.all<{ cidr: string }>('SELECT cidr FROM networks WHERE cidr IS NOT NULL ORDER BY id')
  return rows.map((row) => parsePrefix(row.cidr))
}

function bounds(prefix: Prefix): { first: string; last: string } {
  const hex = (value: bigint) => value.toString(16).padStart(32, '0')
  return { first: hex(prefix.base), last: hex(prefix.base + prefixSize(prefix) - 1n) }
}
