/**
 * A thief of the current key may sign anything before the last epoch: no friend follows a successor of theirs, and the
 * owner can still make the true one.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBlob } from '../../../src/core/blob.ts'
import { DOCUMENT_DICTIONARY } from '../../../src/core/encoding/dictionary.ts'
import { formatDocument, PREDECESSOR } from '../../../src/core/document.ts'
import { concatBytes, formatBase64url, formatHex, parseBase64url, parseHex } from '../../../src/core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../../src/core/limits.ts'
import { readStatement, successorMessage } from '../../../src/core/succession/statement.ts'
import { composeStatus } from '../../../src/core/token.ts'
import { decodeVerified } from '../../../src/core/verify.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { positionOf } from '../../../src/daemon/own/own-records.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../support/keeper.ts'
import { makePersona, type MadePersona } from '../../support/made-persona.ts'
import { deviceKey, engine } from '../../support/person.ts'
import { quickEngine } from '../../support/quick-engine.ts'
import { rotates, withWords } from '../../support/rotation.ts'
import { forge, forgery } from '../../support/thief.ts'

const RUNS = Number(process.env['THIEVES'] ?? 20)

/** Locked memory is scarce, and many keepers open here. */
const plainMemory = { ...quickEngine, secret: (bytes: number) => new Uint8Array(bytes), wipe: () => {} }

const thief = makePersona(9)
const THIEF = { personaId: thief.positions[0]!.personaId, root: thief.positions[0]!.next }

/** A statement of a thief, drawn: each part is true, the thief's own, or noise. */
interface Lie {
  readonly lastKey: 'own' | 'current' | 'noise'
  readonly signer: 'own' | 'current' | 'copied'
  readonly links: 'true' | 'own' | 'noise'
  readonly cut: number
  readonly successor: 'own' | 'owner'
  readonly noise: Uint8Array
  readonly flip: number | null
}

const lie: fc.Arbitrary<Lie> = fc.record({
  lastKey: fc.constantFrom('own', 'current', 'noise'),
  signer: fc.constantFrom('own', 'current', 'copied'),
  links: fc.constantFrom('true', 'own', 'noise'),
  cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(15) }),
  successor: fc.constantFrom('own', 'own', 'own', 'owner'),
  noise: fc.uint8Array({ minLength: 240, maxLength: 240 }),
  flip: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(128 * 8 - 1) }),
})

/** Signs a table of the thief's own persona, or of the owner's, that carries the lie. The thief has the current key of this daemon. */
function lieOf(keeper: TestKeeper, drawn: Lie, truth: Uint8Array | null): string | null {
  const own = keeper.records.own.get('own')!
  const { root } = keeper.records.personas.get(own.personaId)!
  const position = positionOf(own)
  const signer = keeper.custody.signer(own.epoch)
  const old = { personaId: position.personaId, root: parseHex(root)! }
  const lastKeys = {
    own: thief.positions[MAX_EPOCH]!.signingKey,
    current: position.signingKey,
    noise: drawn.noise.subarray(0, 32),
  }
  const message = successorMessage(old, THIEF)
  const signatures = {
    own: thief.sign(MAX_EPOCH, message),
    current: signer(message),
    copied: truth?.subarray(64, 128) ?? drawn.noise.subarray(0, 64),
  }
  const known = concatBytes(position.links, drawn.noise).subarray(0, 240)
  const links = { true: truth?.subarray(128) ?? known, own: thief.positions[MAX_EPOCH]!.links, noise: drawn.noise }
  const lastKey = drawn.signer === 'copied' && truth !== null ? truth.subarray(32, 64) : lastKeys[drawn.lastKey]
  const statement = concatBytes(
    old.personaId,
    lastKey,
    signatures[drawn.signer],
    links[drawn.links].subarray(16 * drawn.cut),
  )
  if (drawn.flip !== null) statement[drawn.flip >> 3]! ^= 1 << (drawn.flip & 7)
  return tableOf(drawn.successor === 'owner' ? null : thief, keeper, formatBase64url(statement))
}

/** @param by null signs a table of the owner's persona, as its next one */
function tableOf(by: MadePersona | null, keeper: TestKeeper, statement: string): string | null {
  const own = keeper.records.own.get('own')!
  const { seq } = keeper.records.personas.get(own.personaId)!
  const draft = {
    chain: by === null ? positionOf(own) : by.positions[0]!,
    seq: by === null ? seq + 1 : 1,
    timeSec: keeper.nowSec,
    prev: new Uint8Array(16),
    deviceKeys: [OWN_PHONE, OWN_LAPTOP].map((key) => parseHex(key)!),
    deflated: compress(formatDocument([[PREDECESSOR, statement]]), DOCUMENT_DICTIONARY),
  }
  const blob = encodeBlob(draft, by === null ? keeper.custody.signer(own.epoch) : (message) => by.sign(0, message))
  const { text, bytesOver } = composeStatus('', blob)
  return bytesOver > 0 ? null : text
}

describe('before the last epoch, a thief of the current key', () => {
  it('makes no friend follow a persona of theirs, and keeps no owner from a successor', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1, 14, 15),
        fc.array(lie, { minLength: 1, maxLength: 4 }),
        fc.array(forgery, { maxLength: 3 }),
        async (epoch, lies, tables) => {
          const { laptop, words } = await withWords({ engine: plainMemory })
          await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
          if (epoch > 0) await rotates(laptop, words, { epoch })
          const friend = await TestKeeper.open({ engine: plainMemory })
          await friend.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Alice' })
          const { personaId } = await laptop.call('device.list')
          const shows = async (text: string | null): Promise<void> => {
            if (text === null) return
            ran++
            for (const test of [laptop, friend]) await test.later(100).sees(OWN_PHONE, text)
            expect((await friend.call('contact.show', { contact: 'Alice' })).personaId).toBe(personaId)
            expect((await friend.call('pending.list')).pending.filter(({ kind }) => kind === 'successor')).toEqual([])
            expect(laptop.records.own.get('own')?.succeededBy ?? null).toBeNull()
          }
          for (const table of tables) await shows(forge(laptop, table))
          for (const drawn of lies) await shows(lieOf(laptop, drawn, null))
          const { devices } = await laptop.call('device.list')
          const wishes = devices.some(({ key }) => key === OWN_PHONE) ? { without: [OWN_PHONE] } : {}
          const { plan } = await laptop.call('succession.plan', wishes)
          const { table } = await laptop.call('succession.apply', { ...wishes, plan, words })
          const text = await ownText(laptop)
          await friend.later(1000).sees(deviceKey('a stranger'), text)
          expect((await friend.call('contact.show', { contact: 'Alice' })).personaId).toBe(table.personaId)
          expect(formatHex(decodeOwn(laptop).personaId)).toBe(table.personaId)
        },
      ),
      { numRuns: RUNS },
    )
    expect(ran).toBeGreaterThan(RUNS)
  }, 180_000)

  it('makes nothing of the true statement either, once it is public', async () => {
    let ran = 0
    const { laptop, words } = await withWords({ engine: plainMemory })
    await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
    const [text, before] = [await ownText(laptop), await laptop.copied(OWN_PHONE)]
    const { plan } = await laptop.call('succession.plan')
    const { table } = await laptop.call('succession.apply', { plan, words })
    const { content } = decodeOwn(laptop)
    const truth = content.ok ? readStatement(content.document)!.bytes : null
    await fc.assert(
      fc.asyncProperty(fc.array(lie, { minLength: 1, maxLength: 4 }), async (lies) => {
        const friend = await TestKeeper.open({ engine: plainMemory })
        await friend.sees(OWN_LAPTOP, text, { name: 'Alice' })
        for (const drawn of lies) {
          const shown = lieOf(before, { ...drawn, successor: 'own' }, truth)
          if (shown === null) continue
          ran++
          await friend.later(100).sees(OWN_PHONE, shown)
          expect((await friend.call('pending.list')).pending.filter(({ kind }) => kind === 'successor')).toEqual([])
        }
        await friend.later(100).sees(OWN_LAPTOP, await ownText(laptop))
        expect((await friend.call('contact.show', { contact: 'Alice' })).personaId).toBe(table.personaId)
      }),
      { numRuns: RUNS },
    )
    expect(ran).toBeGreaterThan(RUNS)
  }, 120_000)
})

function decodeOwn(keeper: TestKeeper): ReturnType<typeof decodeVerified> {
  const { personaId } = keeper.records.own.get('own')!
  return decodeVerified(parseBase64url(keeper.records.personas.get(personaId)!.head!)!, engine)
}
