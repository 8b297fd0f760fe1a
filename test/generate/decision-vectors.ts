/** Vectors of edits, replays and consent (docs/format.md, sections 6, 9 and 10). */
import { BlobError, TableError, type BlobErrorCode, type TableErrorCode } from '../../src/core/errors.ts'
import type { LinkedPoint, TablePoint } from '../../src/core/order.ts'
import { applyEdit, type DeviceEdit, type Edit } from '../../src/core/edit.ts'
import { replayIntents, type DropReason, type Intent } from '../../src/core/intents.ts'
import { NO_SETTINGS, type Settings } from '../../src/core/document.ts'
import { checkRoomToRotate, type Device } from '../../src/core/table.ts'
import {
  isContested,
  pairState,
  reportBare,
  reportToken,
  revokeSource,
  type DeviceReports,
  type PairState,
} from '../../src/core/consent.ts'
import { makeDevice, NOW_SEC } from '../support/made-persona.ts'

export interface EditVector {
  readonly kind: 'edit'
  readonly name: string
  readonly section: 6
  readonly comment: string
  readonly epoch: number
  readonly devices: readonly Device[]
  readonly edit: DeviceEdit
  readonly expect: { readonly code: TableErrorCode | BlobErrorCode } | { readonly devices: readonly Device[] }
}

export interface ReplayVector {
  readonly kind: 'replay'
  readonly name: string
  readonly section: 9
  readonly comment: string
  readonly nowSec: number
  readonly head: LinkedPoint & {
    readonly timeSec: number
    readonly devices: readonly Device[]
    /** None when absent. */
    readonly settings?: Settings
  }
  /** Known tables, for following `prev`. */
  readonly tables: readonly LinkedPoint[]
  readonly tombstones: readonly string[]
  readonly intents: readonly Omit<Intent, 'id'>[]
  readonly expect: {
    readonly devices: readonly Device[]
    readonly settings?: Settings
    readonly outcomes: readonly string[]
  }
}

/** One report on a device, in the order of arrival. */
export type ConsentEvent =
  | { readonly source: string; readonly atSec: number; readonly shows: string; readonly lists: boolean }
  | { readonly source: string; readonly atSec: number; readonly shows: null }
  | { readonly source: string; readonly revoked: true }

export interface ConsentVector {
  readonly kind: 'consent'
  readonly name: string
  readonly section: 10
  readonly comment: string
  readonly personaId: string
  readonly listed: boolean
  readonly bound: string | null
  readonly provisional: boolean
  readonly events: readonly ConsentEvent[]
  readonly expect: { readonly state: PairState | null; readonly contested: boolean }
}

/** The result of the code under test: it applies the edit, then checks that the table could still be rotated. */
export function judgeEdit({ epoch, devices, edit }: EditVector): EditVector['expect'] {
  try {
    const after = applyEdit(devices, edit)
    if (edit.kind === 'add') checkRoomToRotate(epoch, after.length)
    return { devices: after }
  } catch (error) {
    if (error instanceof TableError || error instanceof BlobError) return { code: error.code }
    throw error
  }
}

export function judgeReplay({ head, intents, nowSec, tables, tombstones }: ReplayVector): ReplayVector['expect'] {
  const numbered = intents.map((intent, i) => ({ id: String(i), ...intent }))
  const { devices, settings, outcomes } = replayIntents({ settings: NO_SETTINGS, ...head }, numbered, {
    nowSec,
    tombstones: new Set(tombstones),
    ancestor: (prev) => tables.find((table) => table.tableHash.startsWith(prev)),
    fits: (list) => list.length <= 15,
  })
  const ends = outcomes.map((end) => (end.outcome === 'dropped' ? end.reason : end.outcome))
  return { devices, ...(head.settings === undefined ? {} : { settings }), outcomes: ends }
}

export function judgeConsent(vector: ConsentVector): ConsentVector['expect'] {
  const reports = vector.events.reduce(applyEvent, [])
  const { personaId, listed, bound, provisional } = vector
  const state = pairState(personaId, listed, bound, reports)
  return { state, contested: isContested(personaId, state, bound, provisional, reports) }
}

export function applyEvent(reports: DeviceReports, event: ConsentEvent): DeviceReports {
  if ('revoked' in event) return revokeSource(reports, event.source)
  const { source, atSec, shows } = event
  if (shows === null) return reportBare(reports, source, atSec)
  return reportToken(reports, source, { atSec, personaId: shows, lists: event.lists })
}

const laptop = makeDevice(0)
const phone = makeDevice(1)
const tablet = makeDevice(2)
const desktop = makeDevice(3)
const companion: Device = { ...makeDevice(4, 'aside'), companion: true }
const FIFTEEN = Array.from({ length: 15 }, (_, i) => makeDevice(i))
const renamed = (device: Device, name: string): Device => ({ ...device, name })

type EditCase = readonly [string, string, readonly Device[], DeviceEdit, EditVector['expect'], epoch?: number]
// prettier-ignore
const EDITS: readonly EditCase[] = [
  ['add', 'A new device comes last.', [laptop], { kind: 'add', ...phone }, { devices: [laptop, phone] }],
  ['add-listed', 'A table lists a key only once.', [laptop], { kind: 'add', key: laptop.key, name: 'other' }, { code: 'DEVICE_LISTED' }],
  ['add-name-taken', 'The nickname is taken, ignoring case.', [laptop], { kind: 'add', key: phone.key, name: 'LAPTOP' }, { code: 'NICKNAME_TWICE' }],
  ['add-fifteenth', 'Fifteen devices at epoch 0 can still be rotated.', FIFTEEN.slice(0, 14), { kind: 'add', ...FIFTEEN[14]! }, { devices: FIFTEEN }],
  ['add-sixteenth', 'Sixteen devices would fit now, but not at the next epoch.', FIFTEEN, { kind: 'add', ...makeDevice(15) }, { code: 'TABLE_TOO_LARGE' }],
  ['add-eighth-at-the-end', 'At epoch 16 only seven devices fit.', FIFTEEN.slice(0, 7), { kind: 'add', ...FIFTEEN[7]! }, { code: 'TABLE_TOO_LARGE' }, 16],
  ['remove', 'The others keep their order.', [laptop, phone, tablet], { kind: 'remove', key: phone.key }, { devices: [laptop, tablet] }],
  ['remove-last', 'A table may become empty.', [laptop], { kind: 'remove', key: laptop.key }, { devices: [] }],
  ['remove-unknown', 'Only a listed device can be removed.', [laptop], { kind: 'remove', key: phone.key }, { code: 'DEVICE_UNKNOWN' }],
  ['rename', 'A device may change the case of its own nickname.', [laptop], { kind: 'rename', key: laptop.key, found: 'laptop', name: 'Laptop' }, { devices: [renamed(laptop, 'Laptop')] }],
  ['rename-taken', 'Another device has the nickname.', [laptop, phone], { kind: 'rename', key: laptop.key, found: 'laptop', name: 'Phone' }, { code: 'NICKNAME_TWICE' }],
  ['activate', 'The device moves to the front, the others keep their order.', [laptop, phone, tablet], { kind: 'activate', key: tablet.key, found: laptop.key }, { devices: [tablet, laptop, phone] }],
  ['activate-companion', 'A companion does not chat, so it cannot be the active device.', [laptop, companion], { kind: 'activate', key: companion.key, found: laptop.key }, { code: 'DEVICE_COMPANION' }],
  ['add-companion', 'A companion comes last like any device, and keeps its mark.', [laptop], { kind: 'add', ...companion }, { devices: [laptop, companion] }],
  ['rekey-companion', 'The mark stays with the device.', [laptop, companion], { kind: 'rekey', key: companion.key, newKey: phone.key }, { devices: [laptop, { ...companion, key: phone.key }] }],
  ['rekey', 'The device keeps its name and position.', [laptop, phone], { kind: 'rekey', key: laptop.key, newKey: tablet.key }, { devices: [{ name: 'laptop', key: tablet.key }, phone] }],
  ['rekey-listed', 'The table already lists the new key.', [laptop, phone], { kind: 'rekey', key: laptop.key, newKey: phone.key }, { code: 'DEVICE_LISTED' }],
]

/** A table of which only the position matters; T is its seq, repeated. */
function point(seq: number, branch: string, prev = '00'.repeat(16)): LinkedPoint {
  return { epoch: 0, seq, tableHash: (branch + String(seq).padStart(3, '0')).repeat(16), prev }
}
const prevOf = (table: TablePoint): string => table.tableHash.slice(0, 32)

const base = point(4, 'A')
const own = point(5, 'B', prevOf(base)) // the own table that published the intents
const rival = point(5, 'C', prevOf(base))
const after = (table: TablePoint, seq = 6): LinkedPoint => point(seq, 'D', prevOf(table))

interface ReplayCase {
  readonly name: string
  readonly comment: string
  readonly head?: LinkedPoint
  readonly headTimeSec?: number
  readonly devices: readonly Device[]
  /** Settings of the head; `expectSettings` are those of the table after the replay. */
  readonly settings?: Settings
  readonly expectSettings?: Settings
  readonly edits: readonly Edit[]
  readonly tombstones?: readonly string[]
  /** Further fields of all its intents. */
  readonly more?: Partial<Pick<Intent, 'again' | 'settled'>>
  readonly expect: readonly [readonly Device[], ...(DropReason | 'kept' | 'replayed' | 'superseded')[]]
}
const add = (device: Device): Edit => ({ kind: 'add', ...device })
const remove = (device: Device): Edit => ({ kind: 'remove', key: device.key })
const rename = (device: Device, name: string, found = device.name): Edit => ({
  kind: 'rename',
  key: device.key,
  found,
  name,
})
const setAnnounce = (value: string | null, found: string | null = null): Edit => ({
  kind: 'set',
  key: 'announce',
  found,
  value,
})
const LATER = NOW_SEC + 60
const EARLIER = NOW_SEC - 60

// prettier-ignore
const REPLAYS: readonly ReplayCase[] = [
  { name: 'remove-again', comment: 'A removal is replayed onto a head whose writer did not know it.', devices: [laptop, phone], edits: [remove(phone)], expect: [[laptop], 'replayed'] },
  { name: 'remove-done', comment: 'A sibling removed it too.', devices: [laptop], edits: [remove(phone)], expect: [[laptop], 'kept'] },
  { name: 'remove-taken-back', comment: 'The owner removed the device and added it again here. The later edit counts, so the head with the device stays.', head: after(own, 6), devices: [laptop, phone], edits: [remove(phone), add(phone)], expect: [[laptop, phone], 'superseded', 'kept'] },
  { name: 'remove-unknown-between', comment: 'A table in between was never seen. In doubt, removal wins.', head: point(9, 'E', 'EE'.repeat(16)), devices: [laptop, phone], edits: [remove(phone)], expect: [[laptop], 'replayed'] },
  { name: 'remove-undone-by-sibling', comment: 'The head descends from the table without the device, so the sibling knew the removal and added the device again.', head: after(own), devices: [laptop, phone], edits: [remove(phone)], expect: [[laptop, phone], 'superseded'] },
  { name: 'add-lost-race', comment: 'The head was made from the same table, so its writer cannot know the new device.', devices: [laptop], edits: [add(phone)], expect: [[laptop, phone], 'replayed'] },
  { name: 'add-shown', comment: 'The head already has the device.', devices: [laptop, phone], edits: [add(phone)], expect: [[laptop, phone], 'kept'] },
  { name: 'add-removed-by-sibling', comment: 'The head descends from the table with the device.', head: after(own), devices: [laptop], edits: [add(phone)], expect: [[laptop], 'REMOVED_BY_SIBLING'] },
  { name: 'add-past-the-fork', comment: 'The prev chain leads to the rival of the own table.', head: after(rival), devices: [laptop], edits: [add(phone)], expect: [[laptop, phone], 'replayed'] },
  { name: 'add-unknown-between', comment: 'A table in between was never seen. It may have had the device.', head: point(9, 'E', 'EE'.repeat(16)), devices: [laptop], edits: [add(phone)], expect: [[laptop], 'REMOVED_BY_SIBLING'] },
  { name: 'add-tombstone', comment: 'The owner added the device here, and then removed it here.', devices: [laptop], edits: [add(phone), remove(phone)], tombstones: [phone.key], expect: [[laptop], 'superseded', 'kept'] },
  { name: 'add-again-lost-race', comment: 'The device had been removed before it was added again. The head may lack it because a sibling removed it too.', devices: [laptop], edits: [add(phone)], more: { again: true }, expect: [[laptop], 'REMOVED_BY_SIBLING'] },
  { name: 'add-long-seen', comment: 'One sibling has long known the device, but not the sibling whose table wins.', devices: [laptop], edits: [add(phone)], more: { settled: true }, expect: [[laptop, phone], 'replayed'] },
  { name: 'add-rekeyed-since', comment: 'The head has the device with the new key that it got here since.', head: after(own), devices: [laptop, renamed(desktop, 'phone')], edits: [add(phone), { kind: 'rekey', key: phone.key, newKey: desktop.key }], expect: [[laptop, renamed(desktop, 'phone')], 'kept', 'kept'] },
  { name: 'add-name-taken', comment: 'The nickname is taken, so the device gets a suffix.', devices: [laptop, renamed(tablet, 'Phone')], edits: [add(phone)], expect: [[laptop, renamed(tablet, 'Phone'), renamed(phone, 'phone-2')], 'replayed'] },
  { name: 'add-table-full', comment: 'The sibling filled the table.', devices: FIFTEEN, edits: [add(makeDevice(15))], expect: [FIFTEEN, 'TABLE_FULL'] },
  { name: 'rename-found', comment: 'The head still shows the name that the edit replaced.', headTimeSec: LATER, devices: [laptop], edits: [rename(laptop, 'old')], expect: [[renamed(laptop, 'old')], 'replayed'] },
  { name: 'rename-later', comment: 'Both siblings renamed the device, this one later.', headTimeSec: EARLIER, devices: [renamed(laptop, 'work')], edits: [rename(laptop, 'old')], expect: [[renamed(laptop, 'old')], 'replayed'] },
  { name: 'rename-tie', comment: 'Both siblings renamed the device in the same second, so the head stays.', headTimeSec: NOW_SEC, devices: [renamed(laptop, 'work')], edits: [rename(laptop, 'old')], expect: [[renamed(laptop, 'work')], 'superseded'] },
  { name: 'rename-twice', comment: 'The head shows the last of two own renames, so there is nothing to do.', headTimeSec: EARLIER, devices: [renamed(laptop, 'c')], edits: [rename(laptop, 'b'), rename(laptop, 'c', 'b')], expect: [[renamed(laptop, 'c')], 'kept', 'kept'] },
  { name: 'rename-own-removal', comment: 'The device is gone because the owner removed it here.', devices: [laptop], edits: [rename(phone, 'old'), remove(phone)], tombstones: [phone.key], expect: [[laptop], 'superseded', 'kept'] },
  { name: 'rename-long-seen', comment: 'One sibling has long shown the name, but not the sibling whose table wins.', headTimeSec: LATER, devices: [laptop], edits: [rename(laptop, 'old')], more: { settled: true }, expect: [[renamed(laptop, 'old')], 'replayed'] },
  { name: 'rename-long-seen-unknown-between', comment: 'A sibling has seen the name, and an unknown table may have undone it. So the clocks decide.', head: point(9, 'E', 'EE'.repeat(16)), headTimeSec: LATER, devices: [laptop], edits: [rename(laptop, 'old')], more: { settled: true }, expect: [[laptop], 'superseded'] },
  { name: 'rename-long-seen-gone', comment: 'The device is gone, so losing its new name is no loss.', devices: [laptop], edits: [rename(phone, 'old')], more: { settled: true }, expect: [[laptop], 'superseded'] },
  { name: 'rename-gone', comment: 'The device to rename is gone.', devices: [laptop], edits: [rename(phone, 'old')], expect: [[laptop], 'DEVICE_GONE'] },
  { name: 'activate-found', comment: 'The head still has the same active device as before the edit.', headTimeSec: LATER, devices: [laptop, phone], edits: [{ kind: 'activate', key: phone.key, found: laptop.key }], expect: [[phone, laptop], 'replayed'] },
  { name: 'activate-superseded', comment: 'A sibling activated another device later.', headTimeSec: LATER, devices: [tablet, laptop, phone], edits: [{ kind: 'activate', key: phone.key, found: laptop.key }], expect: [[tablet, laptop, phone], 'superseded'] },
  { name: 'activate-gone', comment: 'The device to activate is gone.', devices: [laptop], edits: [{ kind: 'activate', key: phone.key, found: laptop.key }], expect: [[laptop], 'DEVICE_GONE'] },
  { name: 'activate-companion', comment: 'A sibling marked the device as a companion.', headTimeSec: EARLIER, devices: [laptop, companion], edits: [{ kind: 'activate', key: companion.key, found: laptop.key }], expect: [[laptop, companion], 'superseded'] },
  { name: 'add-companion', comment: 'A replayed companion keeps its mark.', headTimeSec: LATER, devices: [laptop], edits: [{ kind: 'add', ...companion }], expect: [[laptop, companion], 'replayed'] },
  { name: 'rekey-found', comment: 'The head still has the old key.', headTimeSec: LATER, devices: [laptop, phone], edits: [{ kind: 'rekey', key: phone.key, newKey: desktop.key }], expect: [[laptop, renamed(desktop, 'phone')], 'replayed'] },
  { name: 'rekey-shown', comment: 'The head has the new key.', devices: [renamed(desktop, 'phone')], edits: [{ kind: 'rekey', key: phone.key, newKey: desktop.key }], expect: [[renamed(desktop, 'phone')], 'kept'] },
  { name: 'rekey-listed', comment: 'The head has both keys.', devices: [phone, desktop], edits: [{ kind: 'rekey', key: phone.key, newKey: desktop.key }], expect: [[phone, desktop], 'KEY_LISTED'] },
  { name: 'rekey-gone', comment: 'A removed device does not come back with another key.', devices: [laptop], edits: [{ kind: 'rekey', key: phone.key, newKey: desktop.key }], expect: [[laptop], 'DEVICE_GONE'] },
  {
    name: 'rename-undone-by-sibling',
    comment: 'The head descends from the table with the new name but shows the replaced name, so the sibling undid the edit.',
    head: after(own),
    headTimeSec: EARLIER,
    devices: [laptop],
    edits: [rename(laptop, 'old')],
    expect: [[laptop], 'superseded'],
  },
  {
    name: 'activate-undone-by-sibling',
    comment: 'The sibling knew the new active device and activated another one. The clocks do not matter.',
    head: after(own),
    headTimeSec: EARLIER,
    devices: [laptop, phone],
    edits: [{ kind: 'activate', key: phone.key, found: laptop.key }],
    expect: [[laptop, phone], 'superseded'],
  },
  {
    name: 'rekey-undone-by-sibling',
    comment: 'The sibling knew the new key and gave the device its old key back.',
    head: after(own),
    devices: [laptop, phone],
    edits: [{ kind: 'rekey', key: phone.key, newKey: desktop.key }],
    expect: [[laptop, phone], 'superseded'],
  },
  { name: 'set-found', comment: 'The head lacks the setting, as it did before the edit.', headTimeSec: LATER, devices: [laptop], settings: { read: 'x' }, edits: [setAnnounce('public')], expect: [[laptop], 'replayed'], expectSettings: { read: 'x', announce: 'public' } },
  { name: 'set-shown', comment: 'The head already has the setting.', devices: [laptop], settings: { announce: 'public' }, edits: [setAnnounce('public')], expect: [[laptop], 'kept'], expectSettings: { announce: 'public' } },
  { name: 'set-later', comment: 'Both siblings set the key, this one later.', headTimeSec: EARLIER, devices: [laptop], settings: { announce: 'devices' }, edits: [setAnnounce('public')], expect: [[laptop], 'replayed'], expectSettings: { announce: 'public' } },
  { name: 'set-superseded', comment: 'A sibling set the key later.', headTimeSec: LATER, devices: [laptop], settings: { announce: 'devices' }, edits: [setAnnounce('public')], expect: [[laptop], 'superseded'], expectSettings: { announce: 'devices' } },
  { name: 'set-undone-by-sibling', comment: 'The head descends from the table with the setting, so the sibling took it out.', head: after(own), headTimeSec: EARLIER, devices: [laptop], settings: {}, edits: [setAnnounce('public')], expect: [[laptop], 'superseded'], expectSettings: {} },
  { name: 'set-taken-out', comment: 'The owner took the key out here. The head does not know that.', headTimeSec: LATER, devices: [laptop], settings: { announce: 'public' }, edits: [setAnnounce(null, 'public')], expect: [[laptop], 'replayed'], expectSettings: {} },
]

const A = 'A1'.repeat(32)
const B = 'B2'.repeat(32)
const DAY = 86_400
const at = (day: number, extraSec = 0): number => NOW_SEC + day * DAY + extraSec
const shows = (day: number, personaId: string, lists = true, source = 'app'): ConsentEvent => ({
  source,
  atSec: at(day),
  shows: personaId,
  lists,
})
const bare = (day: number, extraSec = 0, source = 'app'): ConsentEvent => ({
  source,
  atSec: at(day, extraSec),
  shows: null,
})

interface ConsentCase extends Partial<Pick<ConsentVector, 'listed' | 'bound' | 'provisional'>> {
  readonly name: string
  readonly comment: string
  readonly events: readonly ConsentEvent[]
  readonly expect: readonly [PairState | null, contested?: 'contested']
}
// prettier-ignore
const CONSENTS: readonly ConsentCase[] = [
  { name: 'nothing', comment: 'Neither side mentions the other.', listed: false, events: [], expect: [null] },
  { name: 'claimed', comment: 'The device is listed but was never seen.', events: [], expect: ['claimed'] },
  { name: 'claimed-bare', comment: 'The device is listed and was seen without a token. An empty status message would not count.', events: [bare(0)], expect: ['claimed'] },
  { name: 'confirmed', comment: 'The device is listed and shows a blob of this persona that lists it.', events: [shows(0, A)], expect: ['confirmed'] },
  { name: 'quoted', comment: 'The device is listed but shows a blob of this persona that does not list it.', events: [shows(0, A, false)], expect: ['claimed'] },
  { name: 'asserted', comment: 'The device shows a blob of this persona, but neither that blob nor the head lists it.', listed: false, events: [shows(0, A, false)], expect: ['asserted'] },
  { name: 'former', comment: 'The device was confirmed and is no longer listed.', listed: false, bound: A, events: [shows(0, A)], expect: ['former'] },
  { name: 'former-returns', comment: 'A newer table lists the device again, and it consents.', bound: A, events: [shows(0, A)], expect: ['confirmed'] },
  { name: 'bound-elsewhere', comment: 'A bound device never moves to another persona by itself.', bound: B, events: [shows(0, A)], expect: ['claimed', 'contested'] },
  { name: 'claims-a-strangers-device', comment: 'The table lists a device that is confirmed for another persona.', bound: B, events: [shows(0, B)], expect: ['claimed', 'contested'] },
  { name: 'claims-a-provisional', comment: 'The table lists a device that is a contact of its own.', provisional: true, events: [bare(0)], expect: ['claimed', 'contested'] },
  { name: 'shows-another', comment: 'A device that shows another persona loses its confirmation at once.', bound: A, events: [shows(0, A), shows(1, B)], expect: ['claimed', 'contested'] },
  { name: 'older-report-of-another', comment: 'Only the newest observation decides, whatever the order of arrival.', events: [shows(1, A), shows(0, B, true, 'old profile')], expect: ['confirmed'] },
  { name: 'silence', comment: 'Silence does not end a confirmation.', bound: A, events: [shows(-400, A)], expect: ['confirmed'] },
  { name: 'bare-14-days', comment: 'The device was seen without a token twice, exactly 14 days apart.', bound: A, events: [shows(0, A), bare(1), bare(15)], expect: ['confirmed'] },
  { name: 'bare-over-14-days', comment: 'The two times are one second more than 14 days apart.', bound: A, events: [shows(0, A), bare(1), bare(15, 1)], expect: ['claimed'] },
  { name: 'bare-from-two-sources', comment: 'Observations of all sources count together.', bound: A, events: [shows(0, A), bare(1), bare(15, 1, 'profile')], expect: ['claimed'] },
  { name: 'bare-then-token', comment: 'A token in between starts a new period.', bound: A, events: [shows(0, A), bare(1), shows(10, A), bare(16)], expect: ['confirmed'] },
  { name: 'bare-before-the-token', comment: 'Observations before the newest token do not count, whatever their source.', bound: A, events: [bare(-30, 0, 'profile'), bare(2, 0, 'profile'), shows(0, A)], expect: ['confirmed'] },
  { name: 'revoked', comment: 'The last supporting source is revoked.', bound: A, events: [shows(0, A), { source: 'app', revoked: true }], expect: ['claimed'] },
  { name: 'revoked-one-of-two', comment: 'Another source still supports the confirmation.', bound: A, events: [shows(0, A), shows(0, A, true, 'profile'), { source: 'app', revoked: true }], expect: ['confirmed'] },
  { name: 'revoked-liar', comment: 'A revoked source takes its reports with it.', bound: A, events: [shows(0, A), shows(1, B, true, 'liar'), { source: 'liar', revoked: true }], expect: ['confirmed'] },
]

export function editVectors(): EditVector[] {
  return EDITS.map(([name, comment, devices, edit, expect, epoch = 0]) => {
    return { kind: 'edit', name, section: 6, comment, epoch, devices, edit, expect }
  })
}

export function replayVectors(): ReplayVector[] {
  return REPLAYS.map(
    ({
      name,
      comment,
      head = rival,
      headTimeSec = NOW_SEC,
      devices,
      settings,
      edits,
      tombstones = [],
      more = {},
      expect,
      expectSettings,
    }) => ({
      kind: 'replay',
      name,
      section: 9,
      comment,
      nowSec: NOW_SEC,
      head: { ...head, timeSec: headTimeSec, devices, ...(settings === undefined ? {} : { settings }) },
      tables: [base, own, rival],
      tombstones,
      intents: edits.map((edit) => ({
        edit,
        atSec: NOW_SEC,
        published: { epoch: own.epoch, seq: own.seq, tableHash: own.tableHash },
        ...more,
      })),
      expect: {
        devices: expect[0],
        ...(expectSettings === undefined ? {} : { settings: expectSettings }),
        outcomes: expect.slice(1) as string[],
      },
    }),
  )
}

export function consentVectors(): ConsentVector[] {
  return CONSENTS.map(({ name, comment, listed = true, bound = null, provisional = false, events, expect }) => ({
    kind: 'consent',
    name,
    section: 10,
    comment,
    personaId: A,
    listed,
    bound,
    provisional,
    events,
    expect: { state: expect[0], contested: expect[1] === 'contested' },
  }))
}
