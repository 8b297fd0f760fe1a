/** The owner's persona: its table, its edits and intents, its blob (docs/format.md, sections 6 and 9). Everything here runs inside of a change. */
import { formatHex } from '../core/bytes.ts'
import { decodeBlob, PREV_BYTES, resignBlob } from '../core/blob.ts'
import type { ChainPosition } from '../core/chain.ts'
import { TableError } from '../core/errors.ts'
import { applyEdit, replayIntents, type Edit, type Intent } from '../core/intents.ts'
import { MAX_SEQ } from '../core/limits.ts'
import { isClockAhead, resignAtSec, type OrderVerdict } from '../core/order.ts'
import * as table from '../core/table.ts'
import { composeStatus, formatToken, ownWords } from '../core/token.ts'
import { consentsTo } from '../core/trust.ts'
import { verifyBlob, type VerifiedBlob } from '../core/verify.ts'
import type { ContactChange } from '../ipc/events.ts'
import type { EditResult, OwnTable, StatusMessage } from '../ipc/shapes.ts'
import { alarmIfContested } from './alarms.ts'
import { compress } from './compress.ts'
import type { Custody } from './custody.ts'
import { KeeperError, noPersona } from './errors.ts'
import { applyVerdict, newPersona, noteClock, recall, takeHead } from './heads.ts'
import { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'
import type { OwnHeads } from './observe.ts'
import {
  fitsNameless,
  isFirstShownBy,
  ownTable,
  pointOf,
  positionOf,
  rememberOwnNames,
  replayHead,
  tombstonesAfter,
} from './own-table.ts'
import type { OwnRecord, PersonaRecord } from './records.ts'

/** What removing a device is not; the rotation that would be is not there yet. */
const NOT_REVOKED =
  'this does not revoke it: all your devices share one signing key, so whoever holds that device can still sign tables in your name'

const MAX_RECENT_TABLES = 64 // sanity: own tables remembered to tell what descends from what

export class OwnPersona implements OwnHeads {
  readonly #ledger: Ledger
  readonly #custody: Custody
  readonly #journal: Journal

  /** @param intents those that no sibling's table has settled yet, in the order in which they were made */
  constructor(ledger: Ledger, custody: Custody, intents: readonly Intent[]) {
    this.#ledger = ledger
    this.#custody = custody
    this.#journal = new Journal(ledger, intents)
  }

  get personaId(): string | null {
    return this.#ledger.own()?.personaId ?? null
  }

  /** Signs the first table. @throws {BlobError} what no table can hold */
  begin(position: ChainPosition, devices: readonly table.Device[], named: boolean): void {
    for (const { key } of devices) this.#checkNewKey(key, position)
    const checked = devices.reduce<table.Device[]>((listed, device) => table.addDevice(listed, device), [])
    const { blob, named: isNamed } = this.#sign({
      chain: position,
      seq: 1,
      timeSec: this.#ledger.nowSec,
      prev: new Uint8Array(PREV_BYTES),
      devices: checked,
      named,
      document: [],
    })
    const own: OwnRecord = {
      personaId: formatHex(position.personaId),
      epoch: position.epoch,
      signingKey: formatHex(position.signingKey),
      links: formatHex(position.links),
      next: formatHex(position.next),
      inception: position.inception === null ? null : formatHex(position.inception),
      named: isNamed,
      recoveryConfirmed: false,
      tombstones: [],
      recent: [],
      replayDue: false,
      nextIntent: 1,
    }
    this.#ledger.putOwn(own)
    this.#letOut({ ...newPersona(blob), devices: [], names: rememberOwnNames(checked) }, blob, 'init')
  }

  /**
   * One edit by the owner: intent and new head go to disk as one, and only then is the blob let out.
   * @param again a device that was removed here is wanted back
   * @throws {KeeperError} NO_PERSONA | LOCKED | KEY_SUPERSEDED | DEVICE_OF_CONTACT @throws {TableError} @throws {BlobError}
   */
  edit(edit: Edit, again = false): EditResult {
    const own = this.#require()
    const persona = this.#head(own)
    const head = recall(persona.head, this.#ledger)
    if (edit.kind === 'add') this.#checkAdd(edit.key, own, again)
    const devices = applyEdit(persona.devices, edit)
    if (edit.kind === 'add') table.checkRoomToRotate(head.epoch, devices.length)
    const signed = this.#sign(this.#draft(own, head, devices), edit.kind === 'remove')
    this.#journal.add(own.nextIntent, edit, signed.blob)
    const tombstones = tombstonesAfter(own.tombstones, edit)
    this.#ledger.putOwn({ ...this.#require(), named: signed.named, tombstones, nextIntent: own.nextIntent + 1 })
    this.#letOut({ ...persona, names: rememberOwnNames(devices, persona.names) }, signed.blob, edit.kind)
    this.#ledger.trustClock()
    const notices = edit.kind === 'remove' ? [NOT_REVOKED] : []
    return { table: this.table(), gaveUp: signed.gaveUpNames ? ['names'] : [], notices }
  }

  /** The table as it is on its way to disk. @throws {KeeperError} NO_PERSONA */
  table(): OwnTable {
    const own = this.#require()
    return ownTable(own, this.#head(own))
  }

  /**
   * The status message to show on every device.
   * @throws {KeeperError} NO_PERSONA | WORDS_TOO_LONG
   */
  statusMessage(words: string): StatusMessage {
    const own = this.#require()
    const persona = this.#head(own)
    const { bytes: blob } = recall(persona.head, this.#ledger)
    const { text, bytes, bytesOver } = composeStatus(words, blob)
    if (bytesOver > 0) {
      const hint = 'shorten the words, or leave them out: the token alone fits'
      const message = `words and token are ${bytesOver} bytes over the limit of a status message`
      throw new KeeperError('WORDS_TOO_LONG', message, hint, { bytesOver })
    }
    return { text, bytes, words: ownWords(words), token: formatToken(blob), table: ownTable(own, persona) }
  }

  /** The owner's own blob was seen on some device: a sibling may have written a newer one (docs/format.md, section 9). */
  adopt(blob: VerifiedBlob, verdict: OrderVerdict, from: string, mayNote: boolean): boolean {
    const persona = this.#head(this.#require())
    const { persona: after, changes } = applyVerdict(persona, blob, verdict, mayNote, this.#ledger)
    if (after !== persona) this.#ledger.putPersona(after)
    if (after.head !== persona.head && verdict.verdict !== 'refresh') this.#follow(after, changes)
    else if (after.devices.some(({ key }) => key === from) && this.#isFree(from)) this.#bind(from)
    return after !== persona
  }

  /** A sibling's table is the head now. */
  #follow(after: PersonaRecord, changes: readonly ContactChange[]): void {
    for (const change of changes) if (change.kind === 'added') this.#welcome(change.key!)
    noteClock(after, this.#ledger)
    this.#remember(recall(after.head, this.#ledger))
    this.#ledger.emit({ event: 'own.changed', data: { table: this.table(), cause: 'sibling' } })
    this.#ledger.putOwn({ ...this.#require(), replayDue: true })
    this.replay()
  }

  /** Makes good what a sibling's winning table may lack of the own edits; at the unlock, for tables that came while locked. */
  replay(): void {
    const own = this.#ledger.own()
    if (own === undefined || !own.replayDue || this.#custody.isLocked) return
    const persona = this.#head(own)
    const head = recall(persona.head, this.#ledger)
    // After a rotation by a sibling nothing can be signed here until this device has the new key; nor behind the last seq.
    if (head.epoch !== own.epoch || head.seq >= MAX_SEQ) return
    this.#ledger.putOwn({ ...own, replayDue: false })
    const onto = replayHead(persona, head)
    const lacking = this.#journal.live.filter((intent) => !isFirstShownBy(onto, intent))
    const { devices, outcomes } = replayIntents(onto, lacking, {
      nowSec: this.#ledger.nowSec,
      tombstones: new Set(own.tombstones),
      ancestor: (prev) => own.recent.find((point) => point.tableHash.startsWith(prev)),
      fits: (list) => fitsNameless(head.epoch, list.length),
    })
    for (const outcome of outcomes) this.#journal.end(outcome)
    if (!outcomes.some(({ outcome }) => outcome === 'replayed')) return
    const signed = this.#sign(this.#draft(own, head, devices), true)
    this.#ledger.putOwn({ ...this.#require(), named: signed.named })
    for (const { intent, outcome } of outcomes) if (outcome === 'replayed') this.#journal.republish(intent, signed.blob)
    this.#letOut({ ...persona, names: rememberOwnNames(devices, persona.names) }, signed.blob, 'replay')
  }

  /** When the table is due to be signed again, as for its first device: this daemon may serve any of them. Null without a persona, or without its present key. */
  resignDueSec(): number | null {
    const own = this.#ledger.own()
    if (own === undefined) return null
    const { epoch, timeSec } = this.#head(own)
    if (epoch !== own.epoch) return null
    // Signed by a clock that was ahead, it would look fresh to friends, and not be due here, until that time has come.
    const { nowSec } = this.#ledger
    return isClockAhead(timeSec, nowSec) ? nowSec : resignAtSec(timeSec, 0)
  }

  /** Signs the head again under the present time, so that friends see that the persona is alive. @throws {KeeperError} LOCKED | KEY_SUPERSEDED */
  resign(): void {
    const own = this.#require()
    const persona = this.#head(own)
    const head = recall(persona.head, this.#ledger)
    const again = resignBlob(head.bytes, this.#ledger.nowSec, this.#custody.signer(head.epoch))
    this.#letOut(persona, this.#checked(again), 'resign')
  }

  /** The words were written down. */
  confirmRecovery(): void {
    this.#ledger.putOwn({ ...this.#require(), recoveryConfirmed: true })
  }

  #require(): OwnRecord {
    const own = this.#ledger.own()
    if (own === undefined) throw noPersona()
    return own
  }

  #head(own: OwnRecord): PersonaRecord {
    const persona = this.#ledger.persona(own.personaId)
    if (persona === undefined) throw new Error('the store has the owner without the persona')
    return persona
  }

  #checkNewKey(key: string, position: ChainPosition): void {
    table.checkOwnDeviceKey(key, position)
    const { bound } = this.#ledger.device(key)
    if (bound === null || bound === formatHex(position.personaId)) return
    const name = this.#ledger.persona(bound)?.entry?.name ?? bound
    const message = `${key} is a device of ${name}`
    throw new KeeperError('DEVICE_OF_CONTACT', message, 'give the key of a device of your own')
  }

  #checkAdd(key: string, own: OwnRecord, again: boolean): void {
    this.#checkNewKey(key, positionOf(own))
    if (again || !own.tombstones.includes(key)) return
    throw new TableError(
      'DEVICE_TOMBSTONED',
      `the device ${key} was removed here before; add it with --again if it is yours still`,
    )
  }

  #draft(own: OwnRecord, head: VerifiedBlob, devices: readonly table.Device[]): table.TableDraft {
    if (head.epoch !== own.epoch) {
      throw new KeeperError(
        'KEY_SUPERSEDED',
        'another device has rotated the key of this persona',
        'get the new key from that device',
      )
    }
    if (head.seq >= MAX_SEQ) {
      throw new TableError('SEQ_EXHAUSTED', 'no further table can be signed in this epoch; rotate the key')
    }
    const document = head.content.ok ? head.content.document : []
    const { nowSec } = this.#ledger
    const prev = head.tableHash.subarray(0, PREV_BYTES)
    return { chain: positionOf(own), seq: head.seq + 1, timeSec: nowSec, prev, devices, named: own.named, document }
  }

  #sign(draft: table.TableDraft, mayGiveUpNames = false): { blob: VerifiedBlob; named: boolean; gaveUpNames: boolean } {
    const sign = this.#custody.signer(draft.chain.epoch)
    const { blob, ...rest } = table.encodeTable(draft, mayGiveUpNames, compress, sign)
    return { blob: this.#checked(blob), ...rest }
  }

  // What this program signs it reads back as any friend would, before anybody sees it.
  #checked(blob: Uint8Array): VerifiedBlob {
    const verified = verifyBlob(decodeBlob(blob), this.#ledger.engine, this.#ledger.inceptions)
    if (!verified.content.ok) throw new Error(`the table just signed cannot be read: ${verified.content.message}`)
    return verified
  }

  #letOut(before: PersonaRecord, blob: VerifiedBlob, cause: string): void {
    const { persona, changes } = takeHead(before, blob, this.#ledger)
    for (const change of changes) if (change.kind === 'added') this.#bind(change.key!)
    this.#ledger.putPersona(persona)
    this.#remember(blob)
    this.#ledger.emit({ event: 'own.changed', data: { table: this.table(), cause } })
  }

  #remember(blob: VerifiedBlob): void {
    const own = this.#require()
    const point = { ...pointOf(blob), prev: formatHex(blob.prev) }
    const others = own.recent.filter((known) => known.tableHash !== point.tableHash)
    this.#ledger.putOwn({ ...own, recent: [point, ...others].slice(0, MAX_RECENT_TABLES) })
  }

  /**
   * A sibling lists a device: it is the owner's, unless it is known as somebody else's. Then its own word is needed, as with any persona;
   * otherwise the thief of a sibling could take the owner's contacts from him by listing their devices.
   */
  #welcome(key: string): void {
    const { personaId } = this.#require()
    if (this.#ledger.device(key).bound === personaId) return
    if (this.#isFree(key)) return this.#bind(key)
    alarmIfContested(this.#head(this.#require()), key, this.#ledger)
  }

  #isFree(key: string): boolean {
    const { bound, entry, reports } = this.#ledger.device(key)
    return bound === null && (entry === null || consentsTo(reports, this.#require().personaId))
  }

  /** The owner's own word makes a device the owner's; an entry that it had as a friend is gone. */
  #bind(key: string): void {
    const device = this.#ledger.device(key)
    if (device.entry !== null) this.#ledger.dropEntry(device.entry)
    this.#ledger.putDevice(key, { ...device, bound: this.#require().personaId, left: null, entry: null })
  }
}
