/** The check of inboxes: a persona that nobody has leaves an entry for itself, reads it and acknowledges it. */
import { randomBytes } from 'node:crypto'
import type { CardEntry } from '../../card/card.ts'
import { signToken, TOKEN_LIFE_SEC } from '../../card/token.ts'
import { encodeUtf8, formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import { loadEngine } from '../../crypto/load.ts'
import { cardPath } from '../../relay/paths/card-place.ts'
import { formatInboxPath } from '../../relay/paths/inbox-path.ts'
import { CHECKED_APP, makeCard, ONLY_BY_TOKEN } from './check-card.ts'
import { Failure, type CheckedRelay } from './checked-relay.ts'
import type { Reply } from './outside.ts'

const SEED_BYTES = 32
const TAG_BYTES = 8
const ENTRY_BYTES = 115 // an id sealed to one device

type Call = (part: 'entries' | 'ack', query: string, body?: object) => Promise<Reply>

export async function checkInbox(relay: CheckedRelay): Promise<string> {
  const { outside, token, nowMs } = relay
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
  if (put.status === 401 && token === null) return ONLY_BY_TOKEN
  const call: Call = async (part, query, body) => {
    const path = `/${formatInboxPath({ persona: formatHex(personaId), part })}${query}`
    const text = body === undefined ? '' : JSON.stringify({ app: CHECKED_APP, ...body })
    const method = body === undefined ? 'GET' : 'POST'
    const issuedAtSec = Math.floor(nowMs() / 1000)
    const { origin, pathname } = new URL(relay.url)
    const bearer = signToken(
      {
        personaId,
        app: CHECKED_APP,
        deviceKey: publicKey,
        origin,
        to: part === 'entries' && body !== undefined ? personaId : null,
        issuedAtSec,
        expiresAtSec: issuedAtSec + TOKEN_LIFE_SEC,
        method,
        path: pathname.replace(/\/$/, '') + path,
        bodyHash: engine.sha256(encodeUtf8(text)),
      },
      (message) => engine.sign(message, secretKey),
    )
    const sent = { method, path, headers: { Authorization: `Bearer ${bearer}` } } as const
    return await outside.call(body === undefined ? sent : { ...sent, body: text })
  }
  return token === null ? await checkAsGuest(call) : await checkByRight(call)
}

/** A guest has no inbox. The refusal shows that the relay and each proxy on the way read the device token. */
async function checkAsGuest(call: Call): Promise<string> {
  const posted = await post(call)
  expect(posted, 404, 'an entry for a guest')
  return 'an entry for a persona without an inbox was refused; --token-file would try one'
}

async function checkByRight(call: Call): Promise<string> {
  expect(await post(call), 202, 'an entry')
  const [n, ...more] = await numbersIn(call)
  if (n === undefined || more.length > 0) throw new Failure('the list does not have the entry that was left')
  expect(await call('ack', '', { n: [n] }), 200, 'an acknowledgement')
  if ((await numbersIn(call)).length > 0) throw new Failure('the entry is listed after its acknowledgement')
  return 'an entry was left, listed and acknowledged'
}

function post(call: Call): Promise<Reply> {
  return call('entries', '', { encId: formatBase64url(randomBytes(ENTRY_BYTES)) })
}

async function numbersIn(call: Call): Promise<readonly number[]> {
  const list = await call('entries', `?app=${CHECKED_APP}`)
  expect(list, 200, 'a list')
  return (JSON.parse(list.text) as { entries: readonly { n: number }[] }).entries.map(({ n }) => n)
}

function expect({ status, text }: Reply, wanted: number, what: string): void {
  if (status !== wanted) throw new Failure(`${what} was answered ${status} ${text.trim()}`)
}
