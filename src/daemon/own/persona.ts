/** The owner's persona: edits, intents, status message (docs/format.md, sections 6 and 9). All of it runs inside of a change. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { PREV_BYTES } from '../../core/blob.ts'
import type { ChainPosition } from '../../core/chain.ts'
import { diffTables } from '../../core/diff.ts'
import { TableError } from '../../core/errors.ts'
import { addDevice, applyEdit, type Edit } from '../../core/edit.ts'
import type { Intent } from '../../core/intents.ts'
import type { OrderVerdict } from '../../core/order.ts'
import { NO_SETTINGS, withSetting, type DocumentValue, type SettingKey } from '../../core/document.ts'
import * as table from '../../core/table.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { EditResult, OwnTable, StatusForm, StatusMessage } from '../../ipc/shapes/own.ts'
import type { LeaveResult, RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'
import type { Custody } from '../custody/custody.ts'
import { localAfter } from './notes.ts'
import { newPersona } from '../personas/decide.ts'
import { Journal } from './journal.ts'
import type { State } from '../state/state.ts'
import { OwnHead } from './sign-table.ts'
import { PastTables, type NumberedTable } from './past-tables.ts'
import { positionFields, positionOf, rememberOwnNames, tombstonesAfter } from './own-records.ts'
import { NOT_REVOKED, noticeOf, withNotices, UNPROTECTED } from './conditions.ts'
import { OWN_DEFAULTS, type OwnRecord, type PastTable } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { follow, replay, seeOwnBlob } from './siblings.ts'
import type { OwnHeads, OwnSight } from '../personas/own-sight.ts'
import { resign, resignDueSec, signAhead } from './resign.ts'
import { applyRotation, checkPlan, ownPlan } from './rotation.ts'
import { leaveTable } from './leave.ts'
import { statusMessageOf } from './status-message.ts'
import { Succession } from './succession.ts'

export class OwnPersona implements OwnHeads {
  readonly #state: State
  readonly #custody: Custody
  readonly #head: OwnHead
  readonly #journal: Journal
  readonly succession: Succession

  /**
   * @param intents those still to be replayed, in the order in which they were made
   * @param past own tables that were head, the newest last
   */
  constructor(state: State, custody: Custody, intents: readonly Intent[], past: readonly NumberedTable[]) {
    this.#state = state
    this.#custody = custody
    this.#head = new OwnHead(state, custody, new PastTables(state, past))
    this.#journal = new Journal(state, intents)
    this.succession = new Succession(this.#head, this.#journal)
  }

  get personaId(): string | null {
    return this.#state.own()?.personaId ?? null
  }

  /** Signs the first table. @throws {BlobError} what no table can hold */
  begin(position: ChainPosition, devices: readonly table.Device[], named: boolean): void {
    for (const { key } of devices) this.#checkNewKey(key, position)
    const checked = devices.reduce<table.Device[]>((listed, device) => addDevice(listed, device), [])
    const { blob, named: isNamed } = this.#head.sign({
      chain: position,
      seq: 1,
      timeSec: this.#state.nowSec,
      prev: new Uint8Array(PREV_BYTES),
      devices: checked,
      named,
      settings: NO_SETTINGS,
      document: [],
    })
    const own: OwnRecord = {
      personaId: formatHex(position.personaId),
      ...positionFields(position),
      named: isNamed,
      recoveryConfirmed: false,
      tombstones: [],
      replayDue: false,
      nextIntent: 1,
      ...OWN_DEFAULTS,
      localDevices: checked.map(({ key }) => key),
      // The key of a later epoch came from the recovery words, which may have given it to another device before.
      soleEpoch: position.epoch === 0 ? 0 : null,
      hadSeed: this.#custody.hasSeed,
    }
    this.#state.putOwn(own)
    this.#head.install(
      { ...newPersona(blob, this.#state), devices: [], names: rememberOwnNames(checked) },
      blob,
      'init',
    )
  }

  /**
   * Makes one edit of the owner. Intent and new head go to disk as one, before anybody sees the blob.
   * @param again the owner wants a device back that was removed here
   * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED {OwnPersonaError} RESTORE_UNRECONCILED | KEY_SUPERSEDED | OWN_DEVICE_UNLISTED | DEVICE_OF_CONTACT @throws {TableError} @throws {BlobError}
   */
  edit(edit: Edit, again = false): EditResult {
    const { record: own, persona } = this.#head
    if (edit.kind === 'add') this.#checkAdd(edit.key, own, again)
    if (edit.kind === 'rekey') this.#checkNewKey(edit.newKey, positionOf(own))
    const isSetting = edit.kind === 'set'
    const devices = isSetting ? this.#head.devices : applyEdit(this.#head.devices, edit)
    const settings = isSetting ? withSetting(this.#head.settings, edit.key, edit.value) : this.#head.settings
    if (edit.kind === 'add') table.checkRoomToRotate(persona.epoch, devices.length)
    const signed = this.#head.sign(this.#head.draft(devices, settings), edit.kind === 'remove')
    const wasListed = edit.kind === 'add' && persona.names.some(([key]) => key === edit.key)
    this.#journal.add(own.nextIntent, edit, signed.blob, wasListed)
    const tombstones = tombstonesAfter(own.tombstones, edit)
    const localDevices = localAfter(own, edit, devices)
    const ownSettings = isSetting ? { settings: withSetting(own.settings ?? NO_SETTINGS, edit.key, edit.value) } : {}
    this.#head.put({ named: signed.named, tombstones, localDevices, nextIntent: own.nextIntent + 1, ...ownSettings })
    this.#head.install({ ...persona, names: rememberOwnNames(devices, persona.names) }, signed.blob, edit.kind)
    this.#state.trustClock()
    // A device that puts itself back into the table can sign again, so it replays its earlier edits.
    this.replay()
    const findings = [
      ...(edit.kind === 'remove' ? [noticeOf('NOT_REVOKED', NOT_REVOKED)] : []),
      ...(this.#custody.hasSeed ? [noticeOf('UNPROTECTED', UNPROTECTED)] : []),
    ]
    return { table: this.table(), gaveUp: [...signed.gaveUp], ...withNotices(findings) }
  }

  /** The value of a setting in the table on its way to disk; null if it is not set. @throws {KeeperError} NO_PERSONA */
  setting(key: SettingKey): DocumentValue | null {
    return this.#head.settings[key] ?? null
  }

  /** The table as it is on its way to disk. @throws {KeeperError} NO_PERSONA */
  table(): OwnTable {
    return this.#head.table()
  }

  /**
   * The status message to show on every device.
   * @param form `short`: it names the persona and does not hold the table
   * @throws {KeeperError} NO_PERSONA {OwnPersonaError} RESTORE_UNRECONCILED | OWN_DEVICE_UNLISTED | WORDS_TOO_LONG | NOT_ANNOUNCED
   */
  statusMessage(words: string, form: StatusForm = 'table'): StatusMessage {
    return statusMessageOf(this.#head, words, form, this.#state.engine)
  }

  /** Some device shows an own blob. A sibling may have written a newer one (docs/format.md, section 9). */
  seeOwnBlob(blob: VerifiedBlob, verdict: OrderVerdict, sight: OwnSight): boolean {
    return seeOwnBlob(this.#head, this.#journal, blob, verdict, sight)
  }

  /** The table that a rotation would publish. @throws see ownPlan() */
  rotationPlan(wishes: RotationWishes): RotationPlan {
    return ownPlan(this.#head, wishes)
  }

  /** @throws see checkPlan() */
  checkPlan(wishes: RotationWishes, plan: string): RotationPlan {
    return checkPlan(this.#head, wishes, plan)
  }

  /** @throws see applyRotation() */
  rotate(wishes: RotationWishes, plan: string, position: ChainPosition): EditResult {
    return applyRotation(this.#head, this.#journal, wishes, plan, position)
  }

  /** False only when it is certain that the seed is not on this device. */
  get mayHaveSeed(): boolean {
    return this.#custody.isLocked || this.#custody.hasSeed
  }

  /** @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED */
  leave(): LeaveResult {
    return leaveTable(this.#head, this.#journal)
  }

  /** K_e of the head, 32 bytes. @throws {KeeperError} NO_PERSONA */
  headKey(): Uint8Array {
    return this.#head.blob.signingKey
  }

  /** We hold the current signing key again: replay the edits made while we did not. */
  followed(): void {
    this.replay()
    this.#head.emitChanged('follow')
  }

  /** Shows the present table to those who may have missed a change of it. */
  announce(): void {
    this.#head.emitChanged('sibling')
  }

  /**
   * Whether the table lets this device sign for the persona.
   * @throws {KeeperError} NO_PERSONA {OwnPersonaError} RESTORE_UNRECONCILED | PERSONA_SUCCEEDED | KEY_SUPERSEDED | OWN_DEVICE_UNLISTED
   */
  checkSigns(): void {
    this.#head.checkReconciled()
    this.#head.checkNotSucceeded()
    this.#head.checkKey(this.#head.persona.epoch)
    this.#head.checkListed()
  }

  /** The owner approves a device that came through a sibling's table. A rotation no longer leaves it out. */
  approve(key: string): OwnTable {
    this.#head.approve(key)
    return this.table()
  }

  /** Replays the own edits that a sibling's winning table lacks. If the table came while the key was locked, the unlock calls this. */
  replay(): void {
    replay(this.#head, this.#journal)
  }

  /** When this device signs the table again, which depends on its place in it. Null without a persona, its current key, or a place. */
  resignDueSec(): number | null {
    return resignDueSec(this.#head)
  }

  /** Signs the head again with the current time, so that friends see that the persona is alive. @throws {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED | OWN_DEVICE_UNLISTED */
  resign(): void {
    resign(this.#head)
  }

  /**
   * The persona came here from another device, or with its intents from a backup.
   * @param past tables that were head there, the newest last
   */
  import(intents: readonly Intent[], past: readonly PastTable[]): void {
    this.#journal.import(intents)
    this.addPast(past)
    this.#head.emitChanged('import')
  }

  /** The persona came here with an older table than we knew. The later one is a sibling's. */
  foundBehind(before: PersonaRecord, after: PersonaRecord): void {
    follow(this.#head, this.#journal, before, after, diffTables(before, after))
  }

  /** Continues after a restore without a copy of the own blob. @throws see signAhead() */
  signAhead(): void {
    signAhead(this.#head, this.#journal)
  }

  /** Tables that were head at a sibling's, the newest last. */
  addPast(past: readonly PastTable[]): void {
    this.#head.past.add(past)
  }

  /** Moves own tables into records of their own. An earlier version kept them in the owner's record. */
  separatePast(): void {
    const own = this.#state.own()
    if (own?.recent === undefined) return
    const { recent, ...rest } = own
    this.#state.putOwn(rest)
    this.addPast(recent.toReversed())
  }

  /** This state is a copy. Its original may have gone on. */
  wasCopied(): void {
    if (this.#state.own() === undefined) return
    // A copy read before says nothing of what the original signed since.
    this.#head.put({ restoredSec: this.#state.nowSec, soleEpoch: null, copySec: null })
    this.#head.emitChanged('copied')
  }

  /** Somebody else with the key changed the card of an app. The table is the same. */
  cardChanged(app: string): void {
    this.#head.emitChanged('card', app)
  }

  /** The signing key is about to leave, to another device or into a backup. */
  keyLeaves(): void {
    if (this.#state.own()?.soleEpoch != null) this.#head.put({ soleEpoch: null })
  }

  /** The daemon runs this companion, so the daemon itself wrote its text. */
  runsCompanion(key: string): void {
    if (this.#head.record.companion !== key) this.#head.put({ companion: key })
  }

  /** Remembers that the seed is on this device, for a persona made before records had this. */
  noteSeed(): void {
    this.#head.put({ hadSeed: true })
  }

  /** The words were written down. */
  confirmRecovery(): void {
    this.#head.put({ recoveryConfirmed: true })
  }

  #checkNewKey(key: string, position: ChainPosition): void {
    table.checkOwnDeviceKey(key, position)
    this.#head.checkFree(key)
  }

  #checkAdd(key: string, own: OwnRecord, again: boolean): void {
    this.#checkNewKey(key, positionOf(own))
    if (again || !own.tombstones.includes(key)) return
    throw new TableError('DEVICE_TOMBSTONED', `you removed the device ${key} before`)
  }
}
