import { z } from 'zod'
import { presharedKey, renderConfig } from '../../core/wireguard.ts'
import * as networks from '../../storage/networks.ts'
import * as peers from '../../storage/peers.ts'
import * as topologies from '../../storage/topology.ts'
import { ConfigText, NetworkId, PeerId } from '../fields.ts'
import { defineOperation } from '../operation.ts'

/** The WireGuard configuration of a peer, private key included. */
export const getPeerConfig = defineOperation({
  name: 'get_peer_config',
  title: 'Get peer configuration',
  description: "Shows a peer's WireGuard configuration with the keys left out; a person gets them through REST.",
  http: 'GET /networks/{network_id}/peers/{peer_id}/config',
  permission: 'peers:read',
  effect: 'read',
  input: z.strictObject({ network_id: NetworkId, peer_id: PeerId }),
  output: z.object({ config: ConfigText }),
  async run({ tx, who, vault }, input) {
    const peer = await peers.get(tx, vault, who, input.network_id, input.peer_id)
    const topology = await topologies.load(tx, who, peer.network_id)
    const sealed = await networks.getPskSeed(tx, peer.network_id)
    const seed = Buffer.from(vault.open(sealed, `networks.psk_seed:${peer.network_id}`), 'base64')
    const privateKey = await peers.getPrivateKey(tx, vault, peer.id)
    return { config: renderConfig(topology, peer, { privateKey, presharedKey: (a, b) => presharedKey(seed, a, b) }) }
  },
})
