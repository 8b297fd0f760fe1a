/** docs/relay.md against the code: its numbers, words and example. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MAX_CARD_CHARS } from '../../src/card/card.ts'
import { MAX_SEQ_STEP } from '../../src/core/limits.ts'
import { MAX_QUESTION_AHEAD_SEC, RELAY_LIMITS } from '../../src/relay/limits.ts'
import { ANSWER_BYTES, decodeQuestion, NONCE_BYTES } from '../../src/relay/question.ts'
import { EXT_BYTES } from '../../src/relay/send-right.ts'
import { BOX_ERRORS, CARD_ERRORS, OBJECT_ERRORS } from '../../src/relay/wire.ts'
import { HTTP_LIMITS } from '../../src/relayd/http/http-limits.ts'
import { costOfObject } from '../../src/relayd/store/rules.ts'
import { CIPHER_SUITES } from '../../src/seal/suite.ts'
import { RELAY_DOC, withRelayExample } from '../generate/relay-example.ts'
import { flowingSectionOf, sectionOf } from '../support/doc-section.ts'

const DOC = readFileSync(RELAY_DOC, 'utf8')

const section = (number: number): string => flowingSectionOf(DOC, number)

/** The last cell of each row, by the first one. */
function rows(number: number): Map<string, string> {
  const cells = sectionOf(DOC, number)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
  return new Map(cells.map((line) => [line.split(' | ')[0]!.slice(2), line.split(' | ').at(-1)!.replace(/ \|$/, '')]))
}

describe('docs/relay.md', () => {
  it('has its example up to date (else: node test/generate/relay-example.ts)', async () => {
    expect(await withRelayExample(DOC)).toBe(DOC)
  })

  it('has the limits of the code in its table', () => {
    const { box, card, object, wait, boxSends, address } = RELAY_LIMITS
    expect(Object.fromEntries(rows(14))).toEqual({
      'data of a message': `${RELAY_LIMITS.maxDataChars} characters`,
      'messages of a box': `${box.maxMessages}, together ${box.maxBytes} characters of data`,
      'messages of a box that nobody checked': String(box.maxUnchecked),
      'messages that come after retire': String(box.maxRetired),
      'life of a message': `${box.messageUs / 1e6} s`,
      'life of a box after its last check': `${box.boxUs / 1e6} s`,
      'life of a question': `${RELAY_LIMITS.questionSec} s`,
      'sends to a box': `${boxSends.burst} at once, then ${boxSends.perSec} a second`,
      'requests of an address': `${address.burst} at once, then ${address.perSec} a second`,
      'boxes of an address that no owner has proven': String(box.maxUncheckedBoxes),
      'boxes of a stream': String(wait.maxBoxes),
      'streams of an address': String(wait.maxStreamsOfAddress),
      streams: String(wait.maxStreams),
      'checks of the streams of an address': `${wait.checks.burst} at once, then ${wait.checks.perSec} a second`,
      'cards of an address without a right': String(card.maxGuestCards),
      'cards of a persona': String(card.maxApps),
      'life of a card': `${card.cardUs / 1e6} s`,
      'bytes of an object': String(object.maxObjectBytes),
      'bytes of the objects of a persona': String(object.maxPersonaBytes),
      'life of an object': `${object.objectUs / 1e6} s`,
      'objects that travel at one time': `${object.maxTransfers}, and ${object.maxTransfersOfAddress} of one address`,
      'bytes of the store': String(RELAY_LIMITS.maxDiskBytes),
    })
  })

  it('has the numbers of the code in its text', () => {
    const { box, card, object, wait } = RELAY_LIMITS
    const sentences: readonly (readonly [number, string])[] = [
      [5, `base64url, 1 to ${RELAY_LIMITS.maxDataChars} characters`],
      [5, `More than ${RELAY_LIMITS.maxReceive} count as ${RELAY_LIMITS.maxReceive}`],
      [6, `a box ends ${box.boxUs / 86_400e6} days after its last check`],
      [
        6,
        `A box that nobody checked holds ${box.maxUnchecked} messages, and ends ${box.messageUs / 3600e6} hour after`,
      ],
      [6, `keeps the first ${box.maxRetired} of these messages`],
      [7, `the relay gives up to ${RELAY_LIMITS.questionSec} seconds`],
      [7, `| ${NONCE_BYTES} bytes in base64url |`],
      [7, `| ${ANSWER_BYTES} bytes in base64url |`],
      [7, `later than now and at most ${MAX_QUESTION_AHEAD_SEC} seconds away`],
      [8, `the first ${EXT_BYTES} bytes of HMAC-SHA-256`],
      [9, `1 to ${wait.maxBoxes} boxes, each once`],
      [9, `A comment comes every ${wait.commentSec} seconds`],
      [9, `The relay ends a stream after ${HTTP_LIMITS.streamMs / 3600e3} hour`],
      [10, `at most ${MAX_CARD_CHARS} bytes, whatever the Content-Type`],
      [10, `the seq is over ${MAX_SEQ_STEP} above`],
      [10, `for ${card.cardUs / 86_400e6} days at most`],
      [10, `${card.maxGuestCards} of one address`],
      [10, `a persona has cards for ${card.maxApps} apps`],
      [11, `1 to ${object.maxObjectBytes} of them`],
      [11, `for ${object.objectUs / 86_400e6} days after the PUT`],
      [
        11,
        `as long as its bytes at ${HTTP_LIMITS.minBytesPerSec} bytes a second, and ${HTTP_LIMITS.requestMs / 1000} seconds`,
      ],
      [11, `ends after ${HTTP_LIMITS.requestMs / 1000} seconds without a byte`],
      [11, `count for at most ${object.maxPersonaBytes} bytes: each for its own and for ${costOfObject(0)} beside`],
      [13, `A body above ${RELAY_LIMITS.maxBodyBytes} bytes (\`/wait\`: ${wait.maxBodyBytes})`],
    ]
    for (const [number, sentence] of sentences) expect(section(number)).toContain(sentence)
  })

  it('has a row for each error, and no other', () => {
    expect([...rows(15).keys()].toSorted()).toEqual(BOX_ERRORS.map((error) => `\`${error}\``).toSorted())
  })

  it('has a row for each reason to refuse a card, and no other', () => {
    const named = [...sectionOf(DOC, 10).matchAll(/^\| \d{3} \| `([^`]+)` \|/gm)].map(([, error]) => error)
    expect(named).toHaveLength(CARD_ERRORS.length)
    expect(new Set(named)).toEqual(new Set(CARD_ERRORS))
  })

  it('has a row for each reason to refuse an object, and no other', () => {
    const named = [...sectionOf(DOC, 11).matchAll(/^\| \d{3} \| `([^`]+)` \|/gm)].map(([, error]) => error)
    expect(named).toHaveLength(OBJECT_ERRORS.length)
    expect(new Set(named)).toEqual(new Set(OBJECT_ERRORS))
  })

  it('has the suites of the code', () => {
    for (const [number, suite] of [
      [4, CIPHER_SUITES.x25519],
      [4, CIPHER_SUITES.p384],
    ] as const) {
      const aead = suite.AEAD.name.replaceAll('_', '-').toUpperCase()
      expect(section(number)).toContain(`| ${suite.KEM.name} | ${suite.KDF.name} | ${aead} | ${suite.KEM.Nenc} |`)
    }
  })

  it('shows a question with the members of the code', () => {
    const shown = /^\{"origin":"https.*\}$/m.exec(DOC)![0]
    expect(decodeQuestion(new TextEncoder().encode(shown))).not.toBeNull()
    expect([...rows(7).keys()]).toEqual(Object.keys(JSON.parse(shown) as object).map((name) => `\`${name}\``))
  })
})
