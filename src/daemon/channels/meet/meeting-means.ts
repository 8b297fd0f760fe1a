/** Both sides of a handshake need these means of the daemon. */
import { hpkeOpenFrom, hpkeSealTo } from '../../../channel/hpke/hpke-seals.ts'
import type { Self } from '../../../channel/handshake/guest.ts'
import type { HandshakeContext, Peer } from '../../../channel/handshake/peer.ts'
import type { OpenFrom } from '../../../channel/handshake/seals.ts'
import type { Step } from '../../../channel/exchange/channel.ts'
import { formatHex } from '../../../core/encoding/bytes.ts'
import { importBoxKeyPair } from '../../../seal/key-pair.ts'
import type { OwnPlace } from '../../../channel/carriers/carrier.ts'
import type { EndState } from '../ends/end-state.ts'
import type { Means } from '../ends/means.ts'
import type { ChannelRecord } from '../records/channel-record.ts'
import type { Shows } from '../records/stored-meeting.ts'

export function contextOf({ keeper, cards, nowMs }: Means): HandshakeContext {
  return { engine: keeper.engine, sealTo: hpkeSealTo, judgeCard: cards.judge, nowMs }
}

export async function openerOf({ secret }: OwnPlace): Promise<OpenFrom> {
  return hpkeOpenFrom(await importBoxKeyPair('x25519', secret))
}

/** This end as it shows itself to one peer. */
export async function selfOf(app: string, place: OwnPlace, { as, persona }: Shows, { cards }: Means): Promise<Self> {
  const identity = !persona ? null : await cards.identity(app)
  return { address: place.address, identity, ...(as === null ? {} : { name: as }) }
}

/** The first state of an end. @param greeting the place of the invite, at the host */
export function firstState(
  start: Step,
  place: OwnPlace,
  {
    greeting,
    showsPersona,
    isDirect,
  }: { readonly greeting: OwnPlace | null; readonly showsPersona: boolean; readonly isDirect: boolean },
  means: Means,
): EndState {
  const { isHeld } = start.channel
  return {
    store: means.store,
    places: { greeting, current: place, next: null },
    left: [],
    cursors: new Map(),
    ackedIn: 0,
    lastReceivedSec: null,
    lastDeliveredSec: null,
    heldBecause: isHeld ? 'candidate' : null,
    heldSinceSec: isHeld ? Math.floor(means.nowMs / 1000) : null,
    isGone: false,
    showsPersona,
    isDirect,
    sentKeys: new Map(),
    channel: start.channel,
    uploads: new Map(),
  }
}

/** A message of the handshake tells this about its sender. */
export function peerFields({ persona, name }: Peer): Pick<ChannelRecord, 'peer' | 'peerKey' | 'peerName'> {
  const peer = persona === null ? null : formatHex(persona.personaId)
  const peerKey = persona === null ? null : formatHex(persona.deviceKey)
  return { peer, peerKey, peerName: name }
}
