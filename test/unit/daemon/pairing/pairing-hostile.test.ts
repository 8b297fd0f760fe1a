import { readdirSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { encodeUtf8, formatBase64url, parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { OWN } from '../../../../src/daemon/state/own-record.ts'
import { derivePsk, formatCodeWords, parseCode } from '../../../../src/pairing/code.ts'
import { makeOffer, receiveOffer } from '../../../../src/pairing/handshake.ts'
import { encodeKeyMessage, encodeMessage, MAX_PIECE_BYTES } from '../../../../src/pairing/messages.ts'
import type { Session } from '../../../../src/pairing/session.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { offerOfVersion1 } from '../../../support/noise-oracle.ts'
import { engine, seedOf } from '../../../support/person.ts'
import { snapshotOf } from '../../../support/snapshot.ts'

const CODE = seedOf('a code').slice(0, 16)
let owner: TestKeeper
/** The greeting of an honest device. */
let honest: { personaId: string; epoch: number; name: string }
beforeEach(async () => {
  owner = await TestKeeper.withPersona()
  honest = { personaId: owner.records.own.get(OWN)!.personaId, epoch: 0, name: 'laptop' }
})

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'nothing',
    (error: unknown) => (error as { code: string }).code,
  )
}

/** A joining device, and a hostile one that has the code. */
async function hostileOffer(greeting: unknown): Promise<{ joining: TestKeeper; meets: Promise<Session> }> {
  const joining = await TestKeeper.open()
  await joining.call('pairing.join', { code: formatCodeWords(CODE).join(' '), carrier: 'connection' })
  const offer = makeOffer(derivePsk(CODE, engine), 'connection', encodeUtf8(JSON.stringify(greeting)))
  const meets = joining
    .call('pairing.carry', { message: formatBase64url(offer.message) })
    .then(({ send }) => offer.receiveAnswer(parseBase64url(send!)!).session)
  meets.catch(() => {})
  return { joining, meets }
}

/** Sends messages to the joining device, whose owner has confirmed. @returns its last answer */
async function says(
  greeting: unknown,
  plain: (session: Session) => Uint8Array[] | Promise<Uint8Array[]>,
): Promise<[string, TestKeeper]> {
  const { joining, meets } = await hostileOffer(greeting)
  const session = await meets
  await joining.call('pairing.confirm')
  let last = 'nothing'
  for (const message of await plain(session)) {
    last = await codeOf(joining.call('pairing.carry', { message: formatBase64url(session.seal(message)) }))
  }
  return [last, joining]
}

describe('a device that has the code and is hostile', () => {
  it.each<[string, () => unknown]>([
    ['a number', () => 7],
    ['no PersonaID', () => ({ epoch: 0, name: 'x' })],
    ['an epoch above 16', () => ({ ...honest, epoch: 17 })],
    ['no name', () => ({ ...honest, name: '' })],
    ['a name of 65 characters', () => ({ ...honest, name: 'x'.repeat(65) })],
    ['an unknown field', () => ({ ...honest, more: 1 })],
  ])('is refused when it greets with %s', async (_, greeting) => {
    expect(await codeOf((await hostileOffer(greeting())).meets)).toBe('PAIRING_VERSION')
  })

  it('is refused before anybody is asked if it asks to add a malformed device', async () => {
    for (const device of [7, { name: 'x' }, { name: 'x', key: 'y' }, { name: 'x', key: 'A'.repeat(64), more: 1 }]) {
      const old = await TestKeeper.withPersona()
      const { words } = await old.call('pairing.offer', { carrier: 'files' })
      const psk = derivePsk(parseCode(words.join(' ')).code, engine)
      const { send } = await old.call('pairing.carry')
      const { message } = receiveOffer(psk, 'files', parseBase64url(send!)!).answer(
        encodeUtf8(JSON.stringify({ device })),
      )
      expect(await codeOf(old.call('pairing.carry', { message: formatBase64url(message) }))).toBe('PAIRING_VERSION')
      expect(await codeOf(old.call('pairing.confirm'))).toBe('PAIRING_NONE')
    }
  })

  it('for a device that pairs in the older way, whose words an attacker could choose', async () => {
    const joining = await TestKeeper.open()
    await joining.call('pairing.join', { code: formatCodeWords(CODE).join(' '), carrier: 'connection' })
    const { message } = offerOfVersion1(CODE, 1, encodeUtf8(JSON.stringify(honest)))
    const carried = joining.call('pairing.carry', { message: formatBase64url(message) })
    expect(await codeOf(carried)).toBe('PAIRING_VERSION')
    expect(await codeOf(joining.call('pairing.confirm'))).toBe('PAIRING_NONE')
  })

  const foreignKey = (): Uint8Array => encodeKeyMessage({ epoch: 0, seed: seedOf('foreign') }, engine)
  const stateOf = async (keeper: TestKeeper): Promise<Uint8Array> =>
    encodeMessage('state', await snapshotOf(keeper, 'sibling'))

  it.each<[string, string, () => Uint8Array[] | Promise<Uint8Array[]>]>([
    ['an empty message', 'PAIRING_MESSAGE', () => [new Uint8Array(0)]],
    ['a message of no known kind', 'PAIRING_MESSAGE', () => [Uint8Array.of(9, 9)]],
    ['a confirmation of its own', 'PAIRING_MESSAGE', () => [encodeMessage('confirmed')]],
    ['an empty piece', 'PAIRING_MESSAGE', () => [encodeMessage('state')]],
    ['a piece that is not a snapshot', 'SNAPSHOT_DAMAGED', () => [encodeMessage('state', encodeUtf8('nonsense\n'))]],
    [
      'an endless line',
      'SNAPSHOT_DAMAGED',
      () => Array.from({ length: 5 }, () => encodeMessage('state', new Uint8Array(MAX_PIECE_BYTES))),
    ],
    ['the key alone', 'SNAPSHOT_CUT', () => [foreignKey()]],
    ['a truncated key', 'PAIRING_MESSAGE', () => [foreignKey().slice(1)]],
    ['a key that does not belong to the table', 'SECRETS_FOREIGN', async () => [await stateOf(owner), foreignKey()]],
    [
      'the key of another epoch',
      'SECRETS_FOREIGN',
      async () => {
        const [held] = owner.custody.signingSeeds()
        return [await stateOf(owner), encodeKeyMessage({ epoch: 1, seed: held!.seed }, engine)]
      },
    ],
    [
      'a state without a persona',
      'SECRETS_FOREIGN',
      async () => [await stateOf(await TestKeeper.open()), foreignKey()],
    ],
  ])('leaves nothing behind if it sends %s', async (_, expected, messages) => {
    const [said, joining] = await says(honest, messages)
    expect(said === 'PAIRING_NONE' ? 'SNAPSHOT_DAMAGED' : said).toBe(expected)
    expect(await codeOf(joining.call('pairing.carry', { message: 'AAAA' }))).toBe('PAIRING_NONE')
    expect(joining.records.own.get(OWN)).toBeUndefined()
    expect(readdirSync(joining.stateDir)).toEqual([])
    expect((await joining.records.arrivals.iterate().next()).done).toBe(true)
  })

  it('cannot send another persona than it announced, even with the right key', async () => {
    const whole = async (): Promise<Uint8Array[]> => {
      const [held] = owner.custody.signingSeeds()
      return [await stateOf(owner), encodeKeyMessage(held!, engine)]
    }
    expect((await says({ ...honest, personaId: 'A'.repeat(64) }, whole))[0]).toBe('SECRETS_FOREIGN')
    expect((await says(honest, whole))[0]).toBe('nothing')
  })

  it('is refused if another persona was created here meanwhile, whose secrets stay', async () => {
    const { joining, meets } = await hostileOffer(honest)
    const session = await meets
    await joining.call('pairing.confirm')
    const carry = (plain: Uint8Array): Promise<string> =>
      codeOf(joining.call('pairing.carry', { message: formatBase64url(session.seal(plain)) }))
    expect(await carry(await stateOf(owner))).toBe('nothing')
    const [held] = owner.custody.signingSeeds()
    const [init, said] = await Promise.all([joining.call('persona.init', {}), carry(encodeKeyMessage(held!, engine))])
    expect(said).toBe('SNAPSHOT_FOREIGN')
    expect(joining.custody.hasSecrets).toBe(true)
    expect((await joining.reopened()).keeper.table()).toStrictEqual(init.table)
  })
})
