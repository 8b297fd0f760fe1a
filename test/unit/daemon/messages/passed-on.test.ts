/** A message to Bob that others pass on to Carol, a third person: her daemon refuses it with the right word, and shows nothing of it. */
import { describe, expect, test } from 'vitest'
import { concatBytes, formatBase64url, parseBase64url, parseHex } from '../../../../src/core/encoding/bytes.ts'
import { Pieces } from '../../../../src/core/stream/pieces.ts'
import { ARRIVED_PART, SENT } from '../../../../src/daemon/messages/records/kinds.ts'
import { numbered } from '../../../../src/daemon/sealed/numbered.ts'
import { sealEntry } from '../../../../src/message/entry.ts'
import type { InboxEntry } from '../../../../src/relay/wire.ts'
import { headBytes, openHead, sealHead } from '../../../../src/message/object-head.ts'
import {
  makeContacts,
  MessageDaemon,
  NOTES,
  recordsOf,
  twoPeople,
  type TwoPeople,
} from '../../../support/message-daemon.ts'
import { answerOf, listedEntry, wholeObject, type MessageRelay } from '../../../support/message-relay.ts'
import { inPieces } from '../../../support/messages.ts'
import { engine } from '../../../support/person.ts'

const TEXT = 'The key lies under the mat.'

/** All that the relays have of Alice's message to Bob: its id, and its bytes. */
interface Passed extends TwoPeople {
  readonly carols: MessageRelay
  readonly carol: MessageDaemon
  readonly number: number
  readonly id: Uint8Array
  readonly object: Uint8Array
}

/** Alice has written to Bob, who does not look yet. Carol is a contact of both. */
async function written(): Promise<Passed> {
  const people = await twoPeople()
  const { world, alices, alice, bob } = people
  const carols = await world.relay('carol')
  const carol = await MessageDaemon.open(world, 'Carol', [carols])
  await makeContacts(carol, bob, alice)
  await carol.use()
  await bob.stopped()
  const number = await alice.send(bob, TEXT)
  await alice.untilSent(number, 'notified')
  const id = alice.sealed.records.onDisk(SENT).get(numbered(NOTES, number))!.id
  const object = await alices.answer(`/store/${alice.personaId}/${id}`)
  return {
    ...people,
    carols,
    carol,
    number,
    id: parseBase64url(id)!,
    object: new Uint8Array(await object.arrayBuffer()),
  }
}

/** An entry that says: this object is from `from`, and for Carol. No secret is needed to make it. */
async function madeFor(carol: MessageDaemon, from: MessageDaemon, id: Uint8Array, object: Uint8Array): Promise<string> {
  const route = { from: parseHex(from.personaId)!, reader: parseHex(carol.personaId)!, app: NOTES }
  const entry = { kind: 'message', id, store: 0, hash: engine.sha256(object) } as const
  return formatBase64url(await sealEntry(entry, route, encKeysOf(carol)))
}

function encKeysOf(daemon: MessageDaemon): Uint8Array[] {
  return daemon.cards.deviceNow(NOTES)!.card.devices.map(({ enc }) => enc)
}

/** The entry that Alice left for Bob, as his relay has it. */
async function bobsEntry({ world, bobs, bob }: Passed): Promise<string> {
  let entries: readonly InboxEntry[] = []
  bobs.instead = async ({ method, path, real }) => {
    if (method !== 'GET' || !path.startsWith(`/inbox/${bob.personaId}?`)) return null
    entries = ((await (await real()).json()) as { entries: InboxEntry[] }).entries
    return answerOf(503, { ok: false, error: 'Later' })
  }
  const back = await bob.restarted()
  await world.until(() => entries.length > 0)
  await back.stopped()
  bobs.instead = () => null
  return entries[0]!.encId
}

/** Bob seals the content key to Carol too. The text itself carries Alice's signature. */
async function sealedAgain({ alice, bob, carol, id, object }: Passed, from: MessageDaemon): Promise<Uint8Array> {
  const [alicesId, bobsId] = [parseHex(alice.personaId)!, parseHex(bob.personaId)!]
  const { pairs } = bob.cards.deviceNow(NOTES)!
  const toBob = { from: alicesId, reader: bobsId, app: NOTES }
  const { seal, sealCount } = await openHead(new Pieces(inPieces(object, object.length)), id, toBob, pairs, engine)
  const toCarol = { from: parseHex(from.personaId)!, reader: parseHex(carol.personaId)!, app: NOTES }
  const head = await sealHead(seal.text, id, [{ route: toCarol, keys: encKeysOf(carol) }], engine)
  return concatBytes(head, object.subarray(headBytes(sealCount)))
}

/** Carol's relay lists one entry more. Resolves with all that her app gets once her daemon has done with it. */
async function reads(
  { world, alices, bobs, carols, carol }: Passed,
  from: MessageDaemon,
  encId: string,
): Promise<unknown[]> {
  carols.instead = ({ method, path }) =>
    method === 'GET' && path.startsWith(`/inbox/${carol.personaId}?`)
      ? answerOf(200, { ok: true, entries: [listedEntry(1, from.personaId, NOTES, encId)], next: null })
      : null
  const posts = (): number => alices.count('POST /inbox') + bobs.count('POST /inbox')
  const before = posts()
  const back = await carol.restarted()
  await world.until(() => carols.count(`POST /inbox/${carol.personaId}/ack`) > 0)
  await world.settle()
  const messages = await back.read()
  // Neither bytes of it nor a receipt.
  expect([await recordsOf(back, ARRIVED_PART), posts() - before]).toEqual([0, 0])
  return messages.map(({ from: sender, content, failed }) => ({ sender, content, failed }))
}

/** Nothing of Carol counts as a receipt, and the message reaches Bob. */
async function reachesBob({ alices, alice, bob, number }: Passed): Promise<void> {
  expect([await alice.sent(number), alices.objects.length]).toMatchObject([{ state: 'notified', received: 0 }, 1])
  alices.instead = () => null
  expect(await (await bob.restarted()).arrived(1)).toEqual([TEXT])
  await alice.untilSent(number, 'received')
}

describe('a message that reaches a third person', () => {
  test("by its reader's entry in her inbox is no message, and nothing is fetched", async () => {
    const passed = await written()
    const { alices, alice } = passed
    const encId = await bobsEntry(passed)
    const fetches = alices.count('GET /store')
    expect(await reads(passed, alice, encId)).toEqual([])
    expect(alices.count('GET /store')).toBe(fetches)
    await reachesBob(passed)
  })

  test('by store and relay together, who seal her an entry, is told without its text as NOT_SEALED_TO_ME', async () => {
    const passed = await written()
    const { alice, carol, id, object } = passed
    const encId = await madeFor(carol, alice, id, object)
    expect(await reads(passed, alice, encId)).toEqual([
      { sender: alice.personaId, content: '', failed: 'NOT_SEALED_TO_ME' },
    ])
    await reachesBob(passed)
  })

  test('by its reader and the store, who seal its key to her, is told without its text as KEY_NOT_LISTED', async () => {
    const passed = await written()
    const { alices, alice, carol, id } = passed
    const again = await sealedAgain(passed, alice)
    alices.instead = ({ method, path }) => (method === 'GET' && path.startsWith('/store/') ? wholeObject(again) : null)
    expect(await reads(passed, alice, await madeFor(carol, alice, id, again))).toEqual([
      { sender: alice.personaId, content: '', failed: 'KEY_NOT_LISTED' },
    ])
    await reachesBob(passed)
  })

  test('from its reader, in his own store and in his name, is told without its text as KEY_NOT_LISTED', async () => {
    const passed = await written()
    const { bobs, bob, carol, id } = passed
    const again = await sealedAgain(passed, bob)
    bobs.instead = ({ method, path }) =>
      method === 'GET' && path.startsWith(`/store/${bob.personaId}/`) ? wholeObject(again) : null
    expect(await reads(passed, bob, await madeFor(carol, bob, id, again))).toEqual([
      { sender: bob.personaId, content: '', failed: 'KEY_NOT_LISTED' },
    ])
    bobs.instead = () => null
    await reachesBob(passed)
  })
})
