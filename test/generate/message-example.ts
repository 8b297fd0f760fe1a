/** Plays the example of docs/messages.md against two relays. `node test/generate/message-example.ts` puts it into the page; a test compares it. */
import { Buffer } from 'node:buffer'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifyCard } from '../../src/card/verify.ts'
import { decodeUtf8, encodeUtf8, formatBase64url } from '../../src/core/encoding/bytes.ts'
import type { Entry, MessageEntry, Receipt } from '../../src/message/entry.ts'
import type { InboxEntry } from '../../src/relay/wire.ts'
import { cardKeyPair, signedCard } from '../support/cards.ts'
import { codeOf } from '../support/code-of.ts'
import { Correspondent, type Written } from '../support/correspondent.ts'
import { HttpTranscript } from '../support/http-transcript.ts'
import { alice, bob, idOf, placeOf } from '../support/inbox-world.ts'
import { sodium } from '../support/made-persona.ts'
import { ALICE_LAPTOP, ALICE_PHONE, BOB_LAPTOP, BOB_PHONE } from '../support/messages.ts'
import { RelayProcess } from '../support/relay-process.ts'

export const MESSAGE_DOC: string = fileURLToPath(new URL('../../docs/messages.md', import.meta.url))
export const CONTENT = 'The key lies under the mat.'

/** The addresses of both relays. */
export interface Homes {
  readonly alices: string
  readonly bobs: string
}

/** Each relay lists one persona, and takes the other one as a guest. */
export const HOME_CONFIGS: Readonly<Record<keyof Homes, string>> = {
  alices: `personas: ['${idOf(alice)}']\n`,
  bobs: `personas: ['${idOf(bob)}']\n`,
}

/** A message on its way: the object lies in Alice's store, and an entry in each inbox. */
export interface Underway {
  readonly written: Written
  readonly toBob: string
  readonly toAlice: string
}

/** Cards and devices of both, and the transcript so far. */
interface Stage {
  readonly homes: Homes
  readonly http: HttpTranscript
  readonly parts: string[]
  /** The texts that each device read. */
  readonly contents: string[]
  readonly cards: Readonly<Record<'alice' | 'bob', string>>
  readonly device: (number: number) => Correspondent
}

/**
 * Plays the whole way of one message.
 * @param underway is called while all of it lies at the relays and nobody has read it
 * @returns the transcript, and the contents that the devices read
 */
export async function playDelivery(
  homes: Homes,
  underway: (message: Underway) => Promise<void> = async () => {},
): Promise<{ readonly text: string; readonly contents: readonly string[] }> {
  const stage = setStage(homes)
  const { alices, bobs } = homes
  const { cards, device } = stage
  await device(ALICE_PHONE).putCard(alices, cards.alice)
  for (const relay of [bobs, alices]) await device(BOB_PHONE).putCard(relay, cards.bob)
  skip(stage)
  const message = await send(stage)
  await underway(message)
  await readOnBobsPhone(stage)
  await readElsewhere(stage, device(BOB_LAPTOP), bobs)
  await readElsewhere(stage, device(ALICE_LAPTOP), alices)
  await finish(stage, message)
  return { text: stage.parts.join('\n\n'), contents: stage.contents }
}

function setStage(homes: Homes): Stage {
  const http = new HttpTranscript()
  http.nameOrigin(homes.alices, 'alice.example')
  http.nameOrigin(homes.bobs, 'bob.example')
  const issuedAtSec = Math.floor(Date.now() / 1000)
  const address = (home: string): string => `${home}/`
  const cards = {
    alice: signedCard(alice, {
      issuedAtSec,
      devices: [ALICE_PHONE, ALICE_LAPTOP],
      inboxes: [address(homes.alices)],
      stores: [address(homes.alices)],
    }),
    bob: signedCard(bob, {
      issuedAtSec,
      devices: [BOB_PHONE, BOB_LAPTOP],
      inboxes: [address(homes.bobs)],
      stores: [],
    }),
  }
  for (const [persona, card, name] of [
    [alice, cards.alice, 'ALICE'],
    [bob, cards.bob, 'BOB'],
  ] as const) {
    http.name(idOf(persona), `$${name}`)
    http.name(placeOf(persona), `$PLACE_OF_${name}`)
    http.name(card, `$CARD_OF_${name}`)
  }
  for (const [device, name] of [
    [ALICE_PHONE, '$ALICES_PHONE'],
    [ALICE_LAPTOP, '$ALICES_LAPTOP'],
    [BOB_PHONE, '$BOBS_PHONE'],
    [BOB_LAPTOP, '$BOBS_LAPTOP'],
  ] as const)
    http.name(formatBase64url(cardKeyPair(device).publicKey), name)
  const network = { fetch: http.fetch, nowMs: Date.now }
  const device = (number: number): Correspondent =>
    new Correspondent(number <= ALICE_LAPTOP ? alice : bob, number, network)
  return { homes, http, parts: [], contents: [], cards, device }
}

/** Writes down the exchanges since the last ones, below a sentence. */
function show({ http, parts }: Stage, sentence: string): void {
  parts.push(sentence, ...http.take().map(block))
}

function skip({ http }: Stage): void {
  http.take()
}

function block(text: string): string {
  return ['```', text, '```'].join('\n')
}

async function send(stage: Stage): Promise<Underway> {
  const { homes, http, cards, device } = stage
  const phone = device(ALICE_PHONE)
  const theirs = await phone.cardOf(homes.bobs, bob)
  show(stage, "Alice's phone reads Bob's card:")
  const own = verifyCard(cards.alice, sodium)
  const written = await phone.write(encodeUtf8(CONTENT), own, theirs)
  http.name(formatBase64url(written.entry.id), '$ID')
  http.name(formatBase64url(written.entry.hash), '$HASH')
  http.name(Buffer.from(written.object).toString('latin1'), `$OBJECT (${written.object.length} bytes)`)
  await phone.store(homes.alices, written)
  show(stage, "**Step 1.** It seals the message to Bob's devices and to Alice's laptop, and leaves it in her store:")

  const toBob = await phone.seal(written.entry, theirs)
  http.name(toBob, '$SEALED_TO_BOB')
  const refusal = await codeOf(phone.postSealed(homes.bobs, toBob, theirs.chain.personaId))
  if (refusal !== 'RELAY_NO_CARD') throw new Error(`an entry of somebody unknown: ${refusal}`)
  show(
    stage,
    "**Step 2.** It leaves the id of the object, sealed, in Bob's inbox. The relay does not know the phone yet:",
  )
  stage.parts.push('The claims of its token:', block(http.claims))
  await phone.putCard(homes.bobs, cards.alice)
  await phone.postSealed(homes.bobs, toBob, theirs.chain.personaId)
  show(stage, '**Step 3.** The relay authenticates the phone by the card of its persona, and keeps the entry:')

  const toAlice = await phone.seal(written.entry, own)
  http.name(toAlice, '$SEALED_TO_ALICE')
  await phone.postSealed(homes.alices, toAlice, own.chain.personaId)
  show(stage, 'The same id goes to her own inbox, for her laptop:')
  return { written, toBob, toAlice }
}

async function readOnBobsPhone(stage: Stage): Promise<void> {
  const { homes, http, device } = stage
  const phone = device(BOB_PHONE)
  const [found] = await phone.unread(homes.bobs)
  show(stage, "**Step 4.** Bob's phone asks for what it has not read:")
  const message = messageIn(await phone.open(found!))
  const sender = await phone.senderOf(homes.bobs, found!)
  stage.contents.push(decodeUtf8((await phone.read(message, sender)).content)!)
  show(
    stage,
    '**Step 5.** It opens the id, reads the newest card of the sender, and fetches the object from her store:',
  )
  await phone.acknowledge(homes.bobs, [found!])
  const receipt = await phone.seal(phone.receipt(message), sender)
  http.name(receipt, '$RECEIPT_OF_BOBS_PHONE')
  await phone.postSealed(homes.alices, receipt, sender.chain.personaId)
  show(stage, 'It has the message, and tells so to its own relay and to the sender:')
}

/** Another device does the same. */
async function readElsewhere(stage: Stage, reader: Correspondent, inbox: string): Promise<void> {
  const { homes, http } = stage
  const [found] = await reader.unread(inbox)
  const message = messageIn(await reader.open(found!))
  const sender = await reader.senderOf(inbox, found!)
  stage.contents.push(decodeUtf8((await reader.read(message, sender)).content)!)
  await reader.acknowledge(inbox, [found!])
  const receipt = await reader.seal(reader.receipt(message), sender)
  http.name(receipt, `$RECEIPT_OF_${reader.persona === bob ? 'BOBS' : 'ALICES'}_LAPTOP`)
  await reader.postSealed(homes.alices, receipt, sender.chain.personaId)
  skip(stage)
}

async function finish(stage: Stage, { written }: Underway): Promise<void> {
  const { homes, device } = stage
  const phone = device(ALICE_PHONE)
  const found = await phone.unread(homes.alices)
  show(stage, "Bob's laptop does the same, and Alice's laptop in her own inbox. Her phone finds their receipts:")
  const receipts = await receiptsIn(phone, found)
  if (phone.missing(written, receipts).length > 0) throw new Error('a device has sent no receipt')
  await phone.remove(homes.alices, written)
  await phone.acknowledge(homes.alices, found)
  show(stage, 'All devices have the message, so the object goes:')
  const laptop = device(ALICE_LAPTOP)
  await laptop.acknowledge(homes.alices, await laptop.unread(homes.alices))
}

function messageIn(entry: Entry): MessageEntry {
  if (entry.kind === 'receipt') throw new Error('a receipt in place of a message')
  return entry
}

async function receiptsIn(phone: Correspondent, found: readonly InboxEntry[]): Promise<Receipt[]> {
  const entries = await Promise.all(found.map(async (each) => await phone.open(each)))
  return entries.filter((entry) => entry.kind === 'receipt')
}

/** The page with this transcript in it. @throws when it has no place for it */
export function withMessageExample(page: string, transcript: string): string {
  const [begin, end] = ['<!-- example: made by test/generate/message-example.ts -->\n', '<!-- end example -->']
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error('docs/messages.md has no place for the example')
  return `${page.slice(0, from + begin.length)}\n${transcript}\n\n${page.slice(to)}`
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'personad-example-'))
  const relays: RelayProcess[] = []
  const launch = async (name: keyof Homes): Promise<string> => {
    const home = join(directory, name)
    mkdirSync(home)
    const relay = await RelayProcess.launch({ home, config: HOME_CONFIGS[name] })
    relays.push(relay)
    return relay.url
  }
  try {
    const { text } = await playDelivery({ alices: await launch('alices'), bobs: await launch('bobs') })
    writeFileSync(MESSAGE_DOC, withMessageExample(readFileSync(MESSAGE_DOC, 'utf8'), text))
  } finally {
    for (const relay of relays) await relay.kill('SIGTERM')
    rmSync(directory, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
