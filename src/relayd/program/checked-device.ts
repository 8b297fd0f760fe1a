/** A device of a persona that nobody has, made for a check: its card lies at the relay, and it signs requests. */
import { randomBytes } from 'node:crypto'
import type { CardEntry } from '../../card/card.ts'
import { signToken, TOKEN_LIFE_SEC } from '../../card/token.ts'
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import { loadEngine } from '../../crypto/load.ts'
import { cardPath } from '../../relay/paths/card-place.ts'
import { CHECKED_APP, makeCard } from './check-card.ts'
import { Failure, type CheckedRelay } from './checked-relay.ts'
import type { Reply, Sent } from './outside.ts'

const SEED_BYTES = 32
const TAG_BYTES = 8

export interface DeviceSent extends Omit<Sent, 'headers'> {
  /** The call leaves something in an inbox: that of the own persona, since a check has no other. */
  readonly isForInbox?: boolean
}

export interface CheckedDevice {
  /** PersonaID in upper-case hex. */
  readonly persona: string
  /** Calls the relay with a device token. @throws as {@link Outside.call} */
  readonly call: (sent: DeviceSent) => Promise<Reply>
}

/**
 * Makes a persona with one device, and puts its card: with the token of the check, or as a guest.
 * @returns null where the relay takes no card of a guest
 * @throws {Failure} if the relay does not keep the card @throws as {@link Outside.call}
 */
export async function putDevice({ url, outside, token, nowMs }: CheckedRelay): Promise<CheckedDevice | null> {
  const engine = await loadEngine()
  const { publicKey, secretKey } = engine.signKeyPair(randomBytes(SEED_BYTES))
  const device: CardEntry = {
    tag: new Uint8Array(randomBytes(TAG_BYTES)),
    sig: publicKey,
    enc: engine.boxPublicKey(randomBytes(SEED_BYTES)),
  }
  const { personaId, card, at } = await makeCard(Math.floor(nowMs() / 1000), [device])
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` }
  const put = await outside.call({ method: 'PUT', path: `/${cardPath({ at })}`, body: card, headers })
  if (put.status === 401 && token === null) return null
  expectStatus(put, 200, 'the card of a device')
  const { origin, pathname } = new URL(url)
  return {
    persona: formatHex(personaId),
    call: async ({ isForInbox = false, ...sent }) => {
      const issuedAtSec = Math.floor(nowMs() / 1000)
      const bearer = signToken(
        {
          personaId,
          app: CHECKED_APP,
          deviceKey: publicKey,
          origin,
          to: isForInbox ? personaId : null,
          issuedAtSec,
          expiresAtSec: issuedAtSec + TOKEN_LIFE_SEC,
          method: sent.method,
          path: pathname.replace(/\/$/, '') + sent.path,
          bodyHash: engine.sha256(encodeUtf8(sent.body ?? '')),
        },
        (message) => engine.sign(message, secretKey),
      )
      return await outside.call({ ...sent, headers: { Authorization: `Bearer ${bearer}` } })
    },
  }
}

/** @param what was sent, as the subject of a sentence @throws {Failure} for any other status */
export function expectStatus({ status, text }: Reply, wanted: number, what: string): void {
  if (status !== wanted) throw new Failure(`${what} was answered ${status} ${text.trim()}`)
}
