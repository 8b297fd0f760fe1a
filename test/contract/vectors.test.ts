/** Every vector of the format, on both engines (docs/format.md, section 16). */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { judgeCardVector, judgeTokenVector } from '../generate/card-vectors.ts'
import { judgeConsent, judgeEdit, judgeReplay } from '../generate/decision-vectors.ts'
import { judgeItemVector, makeItemsOf } from '../generate/item-vectors.ts'
import { judgeChannel } from '../generate/channel-vectors.ts'
import { judgeDirect } from '../generate/direct-vectors.ts'
import { judgeInvite } from '../generate/invite-vectors.ts'
import { judgeMeeting } from '../generate/meeting-vectors.ts'
import { judgeEntry } from '../generate/entry-vectors.ts'
import { judgeMessage } from '../generate/message-vectors.ts'
import { judgeOpening, judgeProposal, judgeWord } from '../generate/proposal-vectors.ts'
import { judgeLink } from '../generate/link-vectors.ts'
import { judgeVector } from '../generate/order-vectors.ts'
import { judgeShort } from '../generate/short-vectors.ts'
import { judgeText } from '../generate/status-vectors.ts'
import { judgeSuccessor } from '../generate/successor-vectors.ts'
import { formatVector, makeVectors, VECTORS_DIR, type Vector } from '../generate/vectors.ts'
import { codesOf } from '../support/error-codes.ts'
import { ENGINES } from '../support/made-persona.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'

const FILES = readdirSync(VECTORS_DIR).filter((file) => file.endsWith('.json'))
const VECTORS = FILES.map((file) => JSON.parse(readFileSync(VECTORS_DIR + file, 'utf8')) as Vector)

/** @returns a result, or a promise of one where seals of HPKE are opened */
function judge(vector: Vector, engine: CryptoEngine): unknown {
  switch (vector.kind) {
    case 'status':
      return judgeText(vector.text, vector.from, engine)
    case 'order':
      return judgeVector(vector, engine)
    case 'edit':
      return judgeEdit(vector)
    case 'replay':
      return judgeReplay(vector)
    case 'consent':
      return judgeConsent(vector)
    case 'link':
      return judgeLink(vector, engine)
    case 'invite':
      return judgeInvite(vector)
    case 'meeting':
      return judgeMeeting(vector, engine)
    case 'channel':
      return judgeChannel(vector, engine)
    case 'direct':
      return judgeDirect(vector, engine)
    case 'item':
      return judgeItemVector(vector, engine)
    case 'announce':
      return makeItemsOf(vector, engine)
    case 'short':
      return judgeShort(vector, engine)
    case 'card':
      return judgeCardVector(vector, engine)
    case 'token':
      return judgeTokenVector(vector, engine)
    case 'successor':
      return judgeSuccessor(vector, engine)
    case 'message':
      return judgeMessage(vector, engine)
    case 'entry':
      return judgeEntry(vector, engine)
    case 'proposal':
      return judgeProposal(vector, engine)
    case 'word':
      return judgeWord(vector)
    case 'opening':
      return judgeOpening(vector, engine)
  }
}

describe('the vectors', () => {
  for (const engine of ENGINES) {
    it(`get their expected results from the ${engine.name} engine`, async () => {
      let ran = 0
      for (const [i, vector] of VECTORS.entries()) {
        expect(await judge(vector, engine), FILES[i]).toEqual(vector.expect)
        ran++
      }
      expect(ran).toBe(584)
    })
  }

  it('equal the output of the generator, byte for byte', () => {
    const made = new Map([...makeVectors()].map(([file, vector]) => [file, formatVector(vector)]))
    const kept = new Map(FILES.map((file) => [file, readFileSync(VECTORS_DIR + file, 'utf8')]))
    expect([...kept.keys()].toSorted()).toEqual([...made.keys()].toSorted())
    for (const [file, text] of kept) expect(text, file).toBe(made.get(file))
  })

  it('cover every code of a blob', () => {
    const shown = new Set(
      VECTORS.flatMap(({ kind, expect: end }) => (kind === 'status' && 'code' in end ? [end.code] : [])),
    )
    expect([...shown].toSorted()).toEqual(codesOf('BlobErrorCode').toSorted())
    expect(shown.size).toBe(36)
  })

  it('cover every code of a link', () => {
    const shown = new Set(
      VECTORS.flatMap(({ kind, expect: end }) => (kind === 'link' && 'code' in end ? [end.code] : [])),
    )
    expect([...shown].toSorted()).toEqual(codesOf('LinkErrorCode').toSorted())
    expect(shown.size).toBe(6)
  })

  it('cover every code of an invite', () => {
    const invites = VECTORS.flatMap((vector) => (vector.kind === 'invite' ? [vector.expect] : []))
    const shown = new Set(invites.flatMap((end) => ('code' in end ? [end.code] : [])))
    expect([...shown].toSorted()).toEqual(codesOf('InviteErrorCode', 'channel/invite/errors.ts').toSorted())
    expect(invites.length).toBe(56)
  })

  it('cover every code of a text about a proposal', () => {
    const texts = VECTORS.flatMap((vector) => (vector.kind === 'proposal' ? [vector.expect] : []))
    const shown = new Set(texts.flatMap((end) => ('code' in end ? [String(end['code'])] : [])))
    expect([...shown].toSorted()).toEqual(codesOf('ProposalErrorCode', 'link/errors.ts').toSorted())
    expect(texts.length).toBe(31)
  })

  it('cover every code of an item, and each verdict with and without a proof of theft', () => {
    const items = VECTORS.flatMap((vector) => (vector.kind === 'item' ? [vector.expect] : []))
    const shown = new Set(items.flatMap((end) => (end.verdict === 'refused' ? [end.code] : [])))
    for (const code of codesOf('ItemErrorCode', 'core/announce/errors.ts')) expect(shown).toContain(code)
    const ends = new Set(items.map(({ verdict, provesTheft }) => `${verdict} ${provesTheft}`))
    expect(ends).toEqual(new Set(['blob false', 'blob true', 'refused false', 'refused true', 'otherChain false']))
  })

  it('cover every code of a card and of a token, and every verdict on a token', () => {
    const ends = VECTORS.flatMap((vector) => (vector.kind === 'card' || vector.kind === 'token' ? [vector.expect] : []))
    const shown = new Set(ends.flatMap((end) => ('code' in end ? [end.code] : [])))
    const codes = [...codesOf('CardErrorCode', 'card/errors.ts'), ...codesOf('TokenErrorCode', 'card/errors.ts')]
    expect([...shown].toSorted()).toEqual(codes.toSorted())
    const verdicts = new Set(ends.flatMap((end) => ('verdict' in end ? [end.verdict] : [])))
    expect(verdicts).toEqual(new Set(['good', 'Clock', 'Request', 'Card']))
  })

  it('cover every code of messages but the one of an object over 20 MiB', () => {
    const ends = VECTORS.flatMap((vector) =>
      vector.kind === 'message' || vector.kind === 'entry' ? [vector.expect] : [],
    )
    const shown = new Set(ends.flatMap((end) => ('code' in end ? [end.code] : [])))
    const codes = codesOf('MessageErrorCode', 'message/errors.ts').filter((code) => code !== 'TOO_LARGE')
    expect([...shown].toSorted()).toEqual(codes.toSorted())
  })

  it('cover every code of an edit, except the two that need more than a table', () => {
    const shown = new Set(
      VECTORS.flatMap(({ kind, expect: end }) => (kind === 'edit' && 'code' in end ? [end.code] : [])),
    )
    const needsState = ['DEVICE_TOMBSTONED', 'SEQ_EXHAUSTED'] // only the daemon has the tombstones and the head
    const codes = codesOf('TableErrorCode').filter((code) => !needsState.includes(code))
    expect([...shown].toSorted()).toEqual([...codes, 'NICKNAME_TWICE'].toSorted())
  })

  it('cover every verdict of the order, every outcome of an intent, every state of a pair and every verdict on a statement', () => {
    const verdicts = new Set(VECTORS.flatMap((vector) => (vector.kind === 'order' ? [vector.expect.verdict] : [])))
    expect(verdicts).toEqual(new Set(['new', 'accept', 'refresh', 'fork', 'stale', 'held', 'violation', 'refused']))
    const ends = new Set(VECTORS.flatMap((vector) => (vector.kind === 'replay' ? vector.expect.outcomes : [])))
    expect(ends).toEqual(
      new Set(['kept', 'replayed', 'superseded', 'REMOVED_BY_SIBLING', 'TABLE_FULL', 'DEVICE_GONE', 'KEY_LISTED']),
    )
    const states = new Set(VECTORS.flatMap((vector) => (vector.kind === 'consent' ? [vector.expect.state] : [])))
    expect(states).toEqual(new Set([null, 'claimed', 'confirmed', 'former', 'asserted']))
    const statements = new Set(
      VECTORS.flatMap((vector) => (vector.kind === 'successor' ? [vector.expect.verdict] : [])),
    )
    expect(statements).toEqual(new Set(['proven', 'unproven', 'behind', 'invalid', 'none']))
  })

  it('are each in a file of their name, with a comment and a section', () => {
    for (const [i, { kind, name, comment, section }] of VECTORS.entries()) {
      expect(FILES[i]).toBe(`${kind}-${name}.json`)
      expect(comment.length).toBeGreaterThan(5)
      expect(section).toBeGreaterThanOrEqual(1)
      expect(section).toBeLessThanOrEqual(14)
    }
    expect(VECTORS.length).toBe(584)
  })
})
