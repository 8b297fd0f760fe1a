/** The owner's record and head: draft, sign and install a table (docs/format.md, sections 6 and 9). Inside of a change. */
import { KEY_SUPERSEDED, OWN_DEVICE_UNLISTED, PERSONA_SUCCEEDED, RESTORE_UNRECONCILED } from './conditions.ts'
import { decodeBlob, PREV_BYTES } from '../../core/blob.ts'
import { TableError } from '../../core/errors.ts'
import { MAX_SEQ } from '../../core/limits.ts'
import { NO_SETTINGS, settingsOf, type Settings } from '../../core/document.ts'
import * as table from '../../core/table.ts'
import { verifyBlob, type VerifiedBlob } from '../../core/verify.ts'
import type { OwnCause } from '../../ipc/shapes/events.ts'
import type { GaveUp, OwnTable } from '../../ipc/shapes/own.ts'
import { compress } from './compress.ts'
import { OwnPersonaError } from './errors.ts'
import type { Custody } from '../custody/custody.ts'
import { approvedNotes, asMarkedFirst, isUnlisted, notesAfter, unapprovedDevices } from './notes.ts'
import { noPersona } from '../state/errors.ts'
import { apply } from '../personas/apply.ts'
import { decide } from '../personas/decide.ts'
import { decodeStored } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import { ownTable, positionOf } from './own-records.ts'
import { carriedStatement } from './statement.ts'
import type { PastTables } from './past-tables.ts'
import { hasHead, type HeadedPersona, type PersonaRecord } from '../state/persona-record.ts'
import type { OwnRecord } from '../state/own-record.ts'

/** A table that was just signed, and whether it still has its names. */
export interface SignedTable {
  readonly blob: VerifiedBlob
  readonly named: boolean
  readonly gaveUp: readonly GaveUp[]
}

export class OwnHead {
  readonly state: State
  readonly custody: Custody
  readonly past: PastTables

  constructor(state: State, custody: Custody, past: PastTables) {
    this.state = state
    this.custody = custody
    this.past = past
  }

  /** @throws {KeeperError} NO_PERSONA */
  get record(): OwnRecord {
    const own = this.state.own()
    if (own === undefined) throw noPersona()
    return own
  }

  /** Changes some fields of the owner's record. */
  put(changed: Partial<OwnRecord>): void {
    this.state.putOwn({ ...this.record, ...changed })
  }

  /** The owner's persona. @throws {KeeperError} NO_PERSONA */
  get persona(): HeadedPersona {
    const persona = this.state.persona(this.record.personaId)
    if (persona === undefined || !hasHead(persona)) throw new Error('the store has the owner without the own table')
    return persona
  }

  /** The devices of the head as the owner's next table lists them: a mark that somebody else changed is put right. */
  get devices(): readonly table.Device[] {
    return asMarkedFirst(this.record, this.persona.devices)
  }

  /** The settings of the head. */
  get settings(): Settings {
    const { content } = this.blob
    return content.ok ? settingsOf(content.document) : NO_SETTINGS
  }

  get blob(): VerifiedBlob {
    return decodeStored(this.persona.head, this.state)
  }

  /** The table on its way to disk. @throws {KeeperError} NO_PERSONA */
  table(): OwnTable {
    return ownTable(this.record, this.persona)
  }

  /**
   * Drafts the table after the head, with other devices or settings.
   * @throws {OwnPersonaError} RESTORE_UNRECONCILED | KEY_SUPERSEDED | OWN_DEVICE_UNLISTED @throws {TableError} SEQ_EXHAUSTED
   */
  draft(devices: readonly table.Device[], settings: Settings = this.settings): table.TableDraft {
    const { record: own, blob: head } = this
    this.checkReconciled()
    this.checkNotSucceeded()
    this.checkKey(head.epoch)
    this.checkListed(devices)
    if (head.seq >= MAX_SEQ) {
      throw new TableError('SEQ_EXHAUSTED', 'no further table can be signed in this epoch; rotate the key')
    }
    const document = head.content.ok ? head.content.document : []
    const timeSec = this.state.nowSec
    const prev = head.tableHash.subarray(0, PREV_BYTES)
    const predecessor = carriedStatement(own, head, false, this.state.engine)
    return {
      chain: positionOf(own),
      seq: head.seq + 1,
      timeSec,
      prev,
      devices,
      named: own.named,
      settings,
      document,
      predecessor,
    }
  }

  /**
   * A restored state may be behind the tables of friends. A table signed on it would fork the owner's own chain, and lose the edits that the
   * state lacks.
   * @throws {OwnPersonaError} RESTORE_UNRECONCILED
   */
  checkReconciled(): void {
    if (this.record.restoredSec === null) return
    const { message, hint } = RESTORE_UNRECONCILED
    throw new OwnPersonaError('RESTORE_UNRECONCILED', message, hint)
  }

  /**
   * The owner made a successor with the recovery words, so this persona is over.
   * @throws {OwnPersonaError} PERSONA_SUCCEEDED
   */
  checkNotSucceeded(): void {
    const { succeededBy = null } = this.record
    if (succeededBy === null) return
    const { message, hint } = PERSONA_SUCCEEDED
    throw new OwnPersonaError('PERSONA_SUCCEEDED', message, hint, { successor: succeededBy })
  }

  /** @throws {OwnPersonaError} KEY_SUPERSEDED if a later key than ours signed the head */
  checkKey(epoch: number): void {
    if (epoch === this.record.epoch) return
    const { message, hint } = KEY_SUPERSEDED
    throw new OwnPersonaError('KEY_SUPERSEDED', message, hint)
  }

  /**
   * If somebody took this daemon's own device out of the table, it signs and shows nothing until the owner says who did that.
   * @param devices of the table to sign, which may put the device back
   * @throws {OwnPersonaError} OWN_DEVICE_UNLISTED
   */
  checkListed(devices: readonly table.Device[] = []): void {
    const { record: own, persona } = this
    if (!isUnlisted(own, persona.devices) || (devices.length > 0 && !isUnlisted(own, devices))) return
    const { message, hint } = OWN_DEVICE_UNLISTED
    throw new OwnPersonaError('OWN_DEVICE_UNLISTED', message, hint)
  }

  /** @throws {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED @throws {TableError} TABLE_TOO_LARGE @throws {BlobError} */
  sign(draft: table.TableDraft, mayGiveUpNames = false): SignedTable {
    const sign = this.custody.signer(draft.chain.epoch)
    const encoded = table.encodeTable(draft, mayGiveUpNames, compress, sign)
    const gaveUp = [
      ...(encoded.gaveUpKeys ? (['keys'] as const) : []),
      ...(encoded.gaveUpPredecessor ? (['predecessor'] as const) : []),
      ...(encoded.gaveUpNames ? (['names'] as const) : []),
      ...(encoded.gaveUpSettings.length > 0 ? (['settings'] as const) : []),
    ]
    return { blob: this.checked(encoded.blob), named: encoded.named, gaveUp }
  }

  /** Verifies our own signature the way a friend would, before anybody sees it. */
  checked(blob: Uint8Array): VerifiedBlob {
    const verified = verifyBlob(decodeBlob(blob), this.state.engine, this.state.inceptions)
    if (!verified.content.ok) throw new Error(`the table just signed cannot be read: ${verified.content.message}`)
    return verified
  }

  /** Makes a table of this device the head. Its devices become the owner's. */
  install(before: PersonaRecord, blob: VerifiedBlob, cause: OwnCause): void {
    const outcome = decide(before, blob, { verdict: 'accepted' }, true, this.state)
    const { changes } = outcome
    apply(outcome, this.state)
    for (const change of changes) if (change.kind === 'added') this.bind(change.key!)
    const { record: own } = this
    const dropped = changes.filter(({ kind }) => kind === 'removed').map(({ key }) => key)
    this.put({
      notes: notesAfter(own, changes, true, this.state.nowSec),
      localDevices: own.localDevices.filter((key) => !dropped.includes(key)),
      highestEpoch: Math.max(own.highestEpoch, blob.epoch),
      // A new epoch is above every table of the old one, so there is no copy to wait for.
      restoredSec: blob.epoch > before.epoch ? null : own.restoredSec,
    })
    this.past.note(blob)
    this.emitChanged(cause)
  }

  /** @param app of a card that changed */
  emitChanged(cause: OwnCause, app?: string): void {
    const unapproved = unapprovedDevices(this.record, this.persona.devices)
    const ofCard = app === undefined ? {} : { app }
    this.state.emit({ event: 'own.changed', data: { table: this.table(), cause, unapproved, ...ofCard } })
  }

  /** The owner approves a device that came through a sibling's table. */
  approve(key: string): void {
    this.put({ notes: approvedNotes(this.record, [key]), ...this.#settleReturn(key) })
    this.emitChanged('approve')
  }

  /** If a rotation here had left the device out, the owner says that its return is right. */
  #settleReturn(key: string): Partial<OwnRecord> {
    const { rotation, tombstones } = this.record
    if (rotation === null || !tombstones.includes(key)) return {}
    const { returned, ...settled } = rotation
    if (returned !== true) return {}
    const left = tombstones.filter((other) => other !== key)
    if (this.persona.devices.some((device) => left.includes(device.key))) return { tombstones: left }
    return { tombstones: left, rotation: { ...settled, rival: null } }
  }

  /** The owner lists the device, so it is the owner's. An entry that it had as a friend goes. */
  bind(key: string): void {
    const device = this.state.device(key)
    if (device.entry !== null) this.state.names.drop(device.entry)
    this.state.putDevice(key, { ...device, bound: this.record.personaId, left: null, entry: null, pending: null })
  }

  /** @throws {OwnPersonaError} DEVICE_OF_CONTACT if the device is somebody else's */
  checkFree(key: string): void {
    const { bound } = this.state.device(key)
    if (bound === null || bound === this.state.own()?.personaId) return
    const name = this.state.persona(bound)?.entry?.name ?? bound
    const message = `${key} is a device of ${name}`
    throw new OwnPersonaError('DEVICE_OF_CONTACT', message, 'give the key of a device of your own')
  }
}
