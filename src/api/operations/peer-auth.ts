import { z } from 'zod'
import * as captivePortal from '../../storage/captive-portal.ts'
import * as peers from '../../storage/peers.ts'
import { NetworkId, PeerId } from '../fields.ts'
import { defineOperation } from '../operation.ts'

/** Makes a peer sign in again at the captive portal. Not in the registry: its route answers 204 to a POST. */
export const revokePeerAuth = defineOperation({
  name: 'revoke_peer_auth',
  title: 'Revoke peer sign-in',
  description: 'No jump peer lets the peer through until its owner signs in again at the captive portal.',
  http: 'POST /networks/{network_id}/peers/{peer_id}/revoke-auth',
  permission: 'peers:write',
  effect: 'update',
  mcp: false,
  input: z.strictObject({ network_id: NetworkId, peer_id: PeerId }),
  output: z.null(),
  async run({ tx, who, vault }, input) {
    const peer = await peers.get(tx, vault, who, input.network_id, input.peer_id)
    await captivePortal.revoke(tx, peer.id)
    return null
  },
})
