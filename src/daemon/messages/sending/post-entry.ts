/** Job: posts an entry to the inboxes of a persona: of a message to its recipient and to the own other devices, or of a receipt to the sender. */
import type { CardEntry } from '../../../card/card.ts'
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../../core/encoding/bytes.ts'
import { sealEntry, type Entry } from '../../../message/entry.ts'
import { RelayError } from '../../../relay/errors.ts'
import { postEntry } from '../../../relay/inboxes.ts'
import type { AppDevice } from '../../cards/cards.ts'
import type { VerifiedCard } from '../../../card/verify.ts'
import { currentId } from '../../state/view.ts'
import { MessagesError } from '../records/errors.ts'
import { inboxUrls } from '../records/known-inboxes.ts'
import type { MessagesMeans } from '../records/means.ts'
import type { Job, StoredSent, Task } from '../records/kinds.ts'
import { inboxAt, withCard } from '../tasks/relays-at.ts'
import { GiveUp, PartDone } from '../tasks/queue.ts'
import { cardsMark, type Side } from './post-again.ts'
import { othersOf } from './sender.ts'
import { changeSent, laterState, sentOf } from './sent-states.ts'

export type PostTask = Extract<Task, { do: 'post' }>

/** Refusals of an inbox that no later try changes. */
const FINAL: ReadonlySet<string> = new Set(['RELAY_NO_STRANGERS', 'RELAY_TOO_BIG', 'RELAY_URL'])

// sanity: some hours. Siblings that rotated apart read each other's cards hourly, and until then a card may lack one of them
const MAX_CARD_TRIES = 12

/** @throws {GiveUp} every inbox refuses it for good @throws {PartDone} some have it @throws {RelayError} none has it yet */
export async function postEntries(
  { app, task, tries }: Job & { readonly task: PostTask },
  device: AppDevice,
  finish: (stage: () => void) => Promise<void>,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<void> {
  const sent = task.sent === null ? undefined : sentOf(app, task.sent, means)
  const mayWait = tries < MAX_CARD_TRIES
  const sealed = await sealForInboxes(app, task, sent, device, mayWait, means)
  const { done, problem, isRefused, mark } = await tryInboxes(app, task, sealed, device, signal, means)
  const note = (): void => {
    const isNews = done.length > task.done.length || problem === null
    if (isNews && task.sent !== null) notePosted(app, task.sent, isOfPeer(task, device) ? 'peer' : 'own', mark, means)
  }
  if (problem === null) return await finish(note)
  await means.keeper.change(note)
  if (done.length > task.done.length) throw new PartDone({ ...task, done }, problem)
  if (isRefused && problem instanceof RelayError) throw new GiveUp(problem.code)
  throw problem
}

/** The inboxes that have an entry, and why another one has not; null if all have it. */
export interface Posted {
  readonly done: readonly string[]
  readonly problem: unknown
  /** Every inbox refuses it for good. */
  readonly isRefused: boolean
  /** See cardsMark(). */
  readonly mark: string
}

/** An entry that can be posted. */
export interface SealedPost {
  /** PersonaID by now. */
  readonly persona: string
  /** Where it goes. */
  readonly inboxes: readonly string[]
  /** Null where no other own device uses the app any more. */
  readonly encId: string | null
  /** See cardsMark(). */
  readonly mark: string
}

/**
 * Seals an entry to those who may read it.
 * @param sent the message to which it leads, with the store that has it; undefined for a receipt
 * @param mayWait until the card lists a device that can open it, or that waits for the receipt
 * @throws {GiveUp} nobody can open it @throws {RelayError} no card of the persona is found @throws {MessagesError} MESSAGE_NO_DEVICE | MESSAGE_NO_INBOX
 */
export async function sealForInboxes(
  app: string,
  task: PostTask,
  sent: StoredSent | undefined,
  device: AppDevice,
  mayWait: boolean,
  means: MessagesMeans,
): Promise<SealedPost> {
  const { persona, devices, inboxes, card } = await readersOf(app, task, device, means)
  const mark = cardsMark(app, card, device.card, means)
  const lacking = lackingIn(task, sent, { devices, inboxes })
  if (lacking !== null) {
    // Siblings that rotated apart may each have signed a card without the other.
    if (mayWait) {
      if (persona !== device.personaId)
        await means.cards.find(persona, app, { anew: true, alsoAt: inboxUrls(app, means) })
      throw new MessagesError(lacking, `the card for ${app} lacks what an entry needs: ${lacking}`, 'wait', { app })
    }
    if (isOfPeer(task, device)) throw new GiveUp(lacking)
  }
  const keys = keysFor(task, sent, devices, device)
  if (keys.length === 0 || inboxes.length === 0) return { persona, inboxes, encId: null, mark }
  const entry = entryOf(task, sent, device)
  const route = { from: parseHex(device.personaId)!, reader: parseHex(persona)!, app }
  return { persona, inboxes, encId: formatBase64url(await sealEntry(entry, route, keys)), mark }
}

/** Posts an entry to each inbox that has it not. */
export async function tryInboxes(
  app: string,
  task: PostTask,
  { persona, inboxes, encId, mark }: SealedPost,
  device: AppDevice,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<Posted> {
  if (encId === null) return { done: [], problem: null, isRefused: false, mark }
  const done = [...task.done]
  let [problem, isRefused]: [unknown, boolean] = [null, done.length === 0]
  for (const url of inboxes.filter((inbox) => !done.includes(inbox))) {
    try {
      const { client, inbox } = await inboxAt(url, persona, app, device, means)
      await withCard(url, device, async () => await postEntry(client, inbox, encId, { signal }), means)
      done.push(url)
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      problem = error
      isRefused &&= FINAL.has(error.code)
      // They may have moved. The next try uses what is found now.
      if (error.code === 'RELAY_NO_INBOX') await means.cards.find(persona, app, { anew: true, alsoAt: [url] })
    }
  }
  return { done, problem, isRefused, mark }
}

/** Inside of a change. @param side whose inboxes have the entry @param mark see cardsMark() */
function notePosted(app: string, number: number, side: Side, mark: string, means: MessagesMeans): void {
  const change = (before: StoredSent): Partial<StoredSent> => ({
    posted: { ...before.posted, [side]: mark },
    ...(side === 'peer' ? { state: laterState(before, 'notified'), reason: null } : {}),
  })
  changeSent(app, number, change, means)
}

/** It leads a peer to a message. */
function isOfPeer(task: PostTask, { personaId }: AppDevice): task is PostTask & { readonly sent: number } {
  return task.sent !== null && task.persona !== personaId
}

/** A card of this moment may lack each device to which the message was sealed, or the one that waits for the receipt, or an inbox. */
function lackingIn(
  { receipt }: PostTask,
  sent: StoredSent | undefined,
  { devices, inboxes }: Pick<Readers, 'devices' | 'inboxes'>,
): 'MESSAGE_NO_DEVICE' | 'MESSAGE_NO_INBOX' | null {
  const listed = new Set(devices.map(({ sig }) => formatHex(sig)))
  const wanted = sent?.devices.map(({ sig }) => sig) ?? (receipt?.device === undefined ? [...listed] : [receipt.device])
  if (!wanted.some((sig) => listed.has(sig))) return 'MESSAGE_NO_DEVICE'
  return inboxes.length === 0 ? 'MESSAGE_NO_INBOX' : null
}

/** The keys that can open what an entry leads to, also those of a device that the card of this moment lacks. A receipt goes to all devices. */
function keysFor(
  task: PostTask,
  sent: StoredSent | undefined,
  devices: readonly CardEntry[],
  device: AppDevice,
): Uint8Array[] {
  if (sent === undefined) return devices.map(({ enc }) => enc)
  const isOwn = !isOfPeer(task, device)
  return sent.devices.flatMap(({ sig, enc, isOwn: isSibling }) => {
    if (isSibling !== isOwn) return []
    return enc === undefined
      ? devices.flatMap((entry) => (formatHex(entry.sig) === sig ? [entry.enc] : []))
      : [parseHex(enc)!]
  })
}

interface Readers {
  /** PersonaID by now. */
  readonly persona: string
  readonly devices: readonly CardEntry[]
  readonly inboxes: readonly string[]
  readonly card: VerifiedCard
}

async function readersOf(app: string, task: PostTask, device: AppDevice, means: MessagesMeans): Promise<Readers> {
  if (task.persona === device.personaId)
    return {
      persona: task.persona,
      devices: othersOf(device),
      inboxes: device.card.inboxes,
      card: device.card,
    }
  const persona = currentId(task.persona, means.keeper.onDisk)
  // A message is sealed to the persona that it is for. A receipt is not.
  if (persona !== task.persona && task.receipt === null) throw new GiveUp('PERSONA_SUCCEEDED')
  const alsoAt = inboxUrls(app, means)
  const card: VerifiedCard | null = await means.cards.find(persona, app, { alsoAt })
  if (card === null) throw new RelayError('RELAY_UNREACHABLE', 'no card of the persona is found', { hint: 'try later' })
  return { persona, devices: card.devices, inboxes: card.inboxes, card }
}

function entryOf({ receipt }: PostTask, sent: StoredSent | undefined, { card }: AppDevice): Entry {
  if (receipt !== null)
    return { kind: 'receipt', id: parseBase64url(receipt.id)!, signature: parseBase64url(receipt.signature)! }
  if (sent === undefined) throw new GiveUp('GONE')
  // A store that the card names no more cannot be named here either. Readers try all stores of the card.
  const store = Math.max(0, card.stores.indexOf(sent.store ?? ''))
  return { kind: sent.kind, id: parseBase64url(sent.id)!, store, hash: parseBase64url(sent.hash)! }
}
