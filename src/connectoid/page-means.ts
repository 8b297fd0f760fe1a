/** The means that all peers of a page share: the disk, the carrier, the clock, and how this page shows itself. */
import type { DirectMeans } from '../channel/direct/direct-end.ts'
import type { Carrier } from '../channel/carriers/carrier.ts'
import { RelayCarrier } from '../channel/carriers/relay-carrier.ts'
import { hpkeSealTo } from '../channel/hpke/hpke-seals.ts'
import type { HandshakeContext } from '../channel/handshake/peer.ts'
import type { CardFacts } from '../channel/handshake/peer.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { isExpired, verifyCard } from '../card/verify.ts'
import { CardError } from '../card/errors.ts'
import { relayClients } from '../relay/clients.ts'
import type { RelayClock, RelayMeans } from '../relay/means.ts'
import { generateBoxKeyPair } from '../seal/key-pair.ts'
import type { Disk } from './disk.ts'
import { privateHosts } from './link.ts'
import type { PagePlace } from './record.ts'

export const pageClock: RelayClock = {
  nowMs: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

const RELAY_MEANS: RelayMeans = {
  fetch: async (url, request) => await fetch(url, request),
  clock: pageClock,
  random: () => Math.random(),
}

export interface PageMeans {
  readonly app: string
  /** How the user calls themselves. */
  readonly ownName: string | null
  /** URLs of relays, each with a slash at its end. */
  readonly services: readonly string[]
  readonly disk: Disk
  readonly carrier: RelayCarrier
  readonly clock: RelayClock
  /** Null if the user has not allowed the direct way. */
  readonly direct: DirectMeans | null
  /** The carrier of an intake; null for one that a page cannot use, such as a folder. */
  readonly ways: { of(url: string): Carrier | null }
}

export function relayCarrier(checkMs: number | undefined): RelayCarrier {
  return new RelayCarrier({
    client: relayClients(RELAY_MEANS, privateHosts()),
    token: () => null,
    clock: pageClock,
    ...(checkMs === undefined ? {} : { checkMs }),
  })
}

/** Makes a place where this page receives, for one peer or one link. The relays need not be there now. */
export async function newPlace({ services }: Pick<PageMeans, 'services'>): Promise<PagePlace> {
  const secret = await generateBoxKeyPair('x25519')
  return {
    address: {
      pub: secret.key.bytes,
      where: services.map((url) => ({ url, ext: null })),
    },
    secret,
  }
}

export function contextOf(): HandshakeContext {
  return {
    engine: portableBoxes,
    sealTo: hpkeSealTo,
    judgeCard,
    nowMs: pageClock.nowMs(),
  }
}

/** A page knows no older cards of a persona: what verifies, and is not over, counts. */
function judgeCard(text: string, app: string): CardFacts | null {
  try {
    const card = verifyCard(text, portableBoxes)
    if (card.app !== app || isExpired(card, Math.floor(pageClock.nowMs() / 1000))) return null
    const { chain, devices } = card
    return {
      personaId: chain.personaId,
      epoch: chain.epoch,
      deviceKeys: devices.map(({ sig }) => sig),
    }
  } catch (error) {
    if (error instanceof CardError) return null
    throw error
  }
}
