/** docs/channel.md against the code: its numbers and codes; and docs/channel_model.py against the vectors. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MAX_EXT_BYTES, MAX_INTAKES, MAX_URL_BYTES } from '../../src/channel/invite/address.ts'
import { INVITE_LIFE_SEC, K_BYTES } from '../../src/channel/invite/invite.ts'
import { INVITE_SCHEME, MAX_INVITE_CHARS } from '../../src/channel/invite/invite-text.ts'
import { MAX_CONTENT_BYTES, MAX_CONTROL_BYTES } from '../../src/channel/ratchet/body.ts'
import { MAX_MESSAGE_BYTES } from '../../src/channel/ratchet/box-data.ts'
import { FRAME_BYTES, MAX_BODY_BYTES } from '../../src/channel/ratchet/frame.ts'
import { CONTENT_COST_BYTES, MAX_OUTBOX_BYTES, MAX_UNREAD_BYTES, WINDOW } from '../../src/channel/exchange/channel.ts'
import { MAX_SDP_CHARS } from '../../src/channel/rtc/connection.ts'
import { MAX_OFFERS, OFFER_LIFE_SEC, TRY_ID_BYTES } from '../../src/channel/direct/signal.ts'
import { CONNECT_MS, FIRST_RETRY_MS, HEARD_MS, IDLE_MS, MAX_RETRY_MS, SILENT_MS } from '../../src/channel/direct/way.ts'
import { REPEAT_MS } from '../../src/channel/exchange/repeat.ts'
import { MAX_CANDIDATES } from '../../src/channel/handshake/host.ts'
import {
  MAX_FILE_BYTES,
  MAX_FOLDER_NAMES,
  MAX_SUBDIRECTORY_NAMES,
} from '../../src/daemon/channels/carriers/folder-files.ts'
import { LOOK_MS } from '../../src/daemon/channels/carriers/folder-watch.ts'
import { MESSAGE_RATE } from '../../src/channel/carriers/relay-carrier.ts'
import { MAX_THINGS } from '../../src/daemon/channels/carriers/seen-cursor.ts'
import { MEETING_SLOTS } from '../../src/channel/carriers/records/meeting.ts'
import { MAX_ACKS, RECORD_SLOTS, RING_SLOTS } from '../../src/channel/carriers/records/ring-header.ts'
import { RELAY_LIMITS } from '../../src/relay/limits.ts'
import { VECTORS_DIR } from '../generate/vectors.ts'
import { flowingSectionOf } from '../support/doc-section.ts'
import { codesOf } from '../support/error-codes.ts'
import { hasLibsodium } from '../support/python.ts'

const DOC = readFileSync(new URL('../../docs/channel.md', import.meta.url), 'utf8')

const section = (number: number): string => flowingSectionOf(DOC, number)

describe('docs/channel.md', () => {
  it('has the numbers of the code in its text', () => {
    const sentences: readonly (readonly [number, string])[] = [
      [2, `1 to ${MAX_INTAKES} intakes`],
      [2, `at most ${MAX_URL_BYTES} bytes`],
      [2, `\`ext\` of 1 to ${MAX_EXT_BYTES} bytes`],
      [2, `base64url of ${K_BYTES} random bytes`],
      [2, `${INVITE_LIFE_SEC / 86_400} days after it was made`],
      [2, `\`${INVITE_SCHEME}\``],
      [2, `at most ${MAX_INVITE_CHARS} characters`],
      [3, `at most ${MAX_MESSAGE_BYTES} bytes`],
      [5, `There are at most ${MAX_CANDIDATES}`],
      [5, `every ${REPEAT_MS / 60_000} minutes`],
      [6, `${FRAME_BYTES.slice(0, 3).join(', ')} or ${FRAME_BYTES[3]}`],
      [6, `118, 742, 3958 or ${MAX_BODY_BYTES}`],
      [7, `at most ${MAX_CONTENT_BYTES / 2 ** 20} MiB`],
      [7, `at most ${MAX_CONTROL_BYTES} bytes`],
      [8, `At most ${WINDOW} frames are in flight`],
      [8, `more than ${MAX_UNREAD_BYTES / 2 ** 20} MiB`],
      [8, `at most ${MAX_OUTBOX_BYTES / 2 ** 20} MiB`],
      [8, `counts ${CONTENT_COST_BYTES} bytes more`],
      [13, `record of ${RECORD_SLOTS} slots`],
      [13, `slot 1 + n mod ${RING_SLOTS}`],
      [13, `at most ${MAX_ACKS} rings of others`],
      [13, `a record of ${MEETING_SLOTS} slots`],
      [14, `base64url of ${TRY_ID_BYTES} random bytes`],
      [14, `at most ${MAX_SDP_CHARS} characters`],
      [14, `more than ${OFFER_LIFE_SEC} s`],
      [14, `at most ${MAX_OFFERS} offers in ${OFFER_LIFE_SEC} s`],
      [14, `within the last ${HEARD_MS / 1000} s`],
      [14, `${IDLE_MS / 1000} s without a frame`],
      [14, `${SILENT_MS / 1000} s after`],
      [14, `${FIRST_RETRY_MS / 1000} s, and twice as long after each failure, up to ${MAX_RETRY_MS / 60_000} minutes`],
      [14, `within ${CONNECT_MS / 1000} s`],
    ]
    for (const [number, text] of sentences) expect(section(number), text).toContain(text)
    expect(sentences.length).toBe(31)
  })

  it('has the numbers of the carriers in its text', () => {
    const sentences = [
      `at most ${MAX_FILE_BYTES} bytes`,
      `at most ${MAX_SUBDIRECTORY_NAMES} names of a subdirectory, ${MAX_FOLDER_NAMES} of a folder, and ${MAX_THINGS} files`,
      `every ${LOOK_MS / 1000} seconds`,
      `up to ${RELAY_LIMITS.wait.maxBoxes} boxes`,
      `at most ${MESSAGE_RATE.burst} messages at once, and then ${MESSAGE_RATE.perSec} a second`,
    ]
    for (const text of sentences) expect(section(13), text).toContain(text)
  })

  it('lists every code', () => {
    const listed = [...section(11).matchAll(/\| `([A-Z_]+)`/g)].map(([, code]) => code)
    expect(listed).toEqual([
      ...codesOf('InviteErrorCode', 'channel/invite/errors.ts'),
      ...codesOf('ChannelErrorCode', 'channel/exchange/errors.ts'),
      ...codesOf('HandshakeErrorCode', 'channel/handshake/errors.ts'),
    ])
    const ofCarriers = [...section(13).matchAll(/\| `([A-Z_]+)`/g)].map(([, code]) => code)
    expect(ofCarriers).toEqual(codesOf('CarrierErrorCode', 'channel/carriers/errors.ts'))
    const reasons = [...section(10).matchAll(/\| `([A-Z_]+)`/g)].map(([, code]) => code)
    expect(reasons).toEqual(codesOf('BrokenReason', 'channel/exchange/channel.ts'))
  })
})

const MODEL = new URL('../../docs/channel_model.py', import.meta.url).pathname

describe('docs/channel_model.py', () => {
  it.skipIf(!hasLibsodium(MODEL))(
    'agrees with every vector of handshakes, frames and direct ways (needs python3 and libsodium)',
    () => {
      const files = readdirSync(VECTORS_DIR).filter((file) => /^(meeting|channel|direct)-/.test(file))
      const lines = execFileSync('python3', [MODEL, ...files.map((file) => VECTORS_DIR + file)], { encoding: 'utf8' })
      const results = lines
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly result: unknown }).result)
      const vectors = files.map(
        (file) => JSON.parse(readFileSync(VECTORS_DIR + file, 'utf8')) as { readonly expect: unknown },
      )
      for (const [i, { expect: end }] of vectors.entries()) expect(results[i], files[i]).toEqual(end)
      expect(vectors.length).toBe(17)
    },
  )

  it('has less than 200 lines', () => {
    expect(readFileSync(MODEL, 'utf8').split('\n').length).toBeLessThan(200)
  })
})
