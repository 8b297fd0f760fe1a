/** Which table a rotation publishes: the epoch, the devices, and what it gives up to fit (docs/format.md, sections 4 and 6). Pure. */
import { OwnPersonaError } from './errors.ts'
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import { PREV_BYTES } from '../../core/blob.ts'
import { isSetting } from '../../core/announce/settings.ts'
import { COMMITMENT_BYTES, LINK_BYTES, type ChainPosition } from '../../core/chain.ts'
import type { Engine } from '../../core/engine.ts'
import { TableError } from '../../core/errors.ts'
import { MAX_DEVICES, MAX_EPOCH } from '../../core/limits.ts'
import { NO_SETTINGS, settingsOf, withSetting, type Settings } from '../../core/document.ts'
import { encodeTable, foreignKeys, freeName, type Device } from '../../core/table.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { GaveUp } from '../../ipc/shapes/own.ts'
import type { LeftOut, RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'
import { compress } from './compress.ts'
import { asMarkedFirst, noteOf } from './notes.ts'
import { deviceAmong } from './own-records.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { nameOf } from '../state/view.ts'

const COPY_VALID_SEC = 86_400 // sanity: an owner who rotated on another device within a day of this one remembers it
const PLAN_BYTES = 32

/** The state from which a rotation is planned. */
export interface PlanState {
  readonly own: OwnRecord
  readonly persona: PersonaRecord
  readonly head: VerifiedBlob
  readonly nowSec: number
  readonly hasSeed: boolean
  readonly engine: Engine
}

/** @throws {KeeperError} NOT_FOUND | AMBIGUOUS {OwnPersonaError} EPOCH_UNSURE | EPOCH_USED | EPOCHS_EXHAUSTED | ROTATION_TOO_LARGE */
export function planRotation(state: PlanState, wishes: RotationWishes): RotationPlan {
  const { own, persona, head, hasSeed } = state
  const epoch = chooseEpoch(state, wishes.epoch)
  const { devices, leftOut } = chooseDevices(state, wishes)
  const settings = settingsAfter(own, head)
  const leavesKeys = head.content.ok && foreignKeys(head.content.document).length > 0
  const given = whatToGiveUp(epoch, devices, settings, own.named)
  const gaveUp: GaveUp[] = [...(leavesKeys ? (['keys'] as const) : []), ...given]
  const facts = [persona.personaId, epoch, formatHex(head.tableHash), own.named, devices, settings]
  const hash = state.engine.sha512(encodeUtf8(JSON.stringify(facts)))
  const plan = formatHex(hash.subarray(0, PLAN_BYTES))
  return { fromEpoch: head.epoch, epoch, devices, leftOut, settings, gaveUp, copySec: own.copySec, hasSeed, plan }
}

/** The highest epoch of which anything is known here. A second chain is not of this persona: its epochs say nothing. */
export function highestEpoch(own: OwnRecord, persona: PersonaRecord): number {
  const seen = persona.evidence.filter(({ kind }) => kind !== 'violation').map(({ epoch }) => epoch)
  return Math.max(own.highestEpoch, own.epoch, persona.epoch, ...seen)
}

/**
 * An epoch that was used elsewhere would give two tables one key, and a device that had it then would not be shut out. So one more than
 * the highest is taken only when somebody else's copy of the blob was read lately; else the owner has to say the number.
 */
function chooseEpoch({ own, persona, nowSec }: PlanState, asked: number | undefined): number {
  const highest = highestEpoch(own, persona)
  const next = highest + 1
  if (next > MAX_EPOCH || (asked ?? next) > MAX_EPOCH) {
    const message =
      next > MAX_EPOCH
        ? `this persona has used all ${MAX_EPOCH} rotations`
        : `there is no epoch ${asked}: the last one is ${MAX_EPOCH}`
    const hint =
      next > MAX_EPOCH ? 'make a new persona that follows this one' : `choose an epoch from ${next} to ${MAX_EPOCH}`
    throw new OwnPersonaError('EPOCHS_EXHAUSTED', message, hint, { highest, next })
  }
  if (asked !== undefined) {
    if (asked >= next) return asked
    const message = `epoch ${asked} is already used: the highest known one is ${highest}`
    throw new OwnPersonaError('EPOCH_USED', message, `choose ${next} or higher`, { highest, next })
  }
  if (own.copySec !== null && nowSec - own.copySec <= COPY_VALID_SEC) return next
  const last = lastRead(own.copySec, own.restoredSec !== null)
  throw new OwnPersonaError(
    'EPOCH_UNSURE',
    `no copy of your table ${last}: another device may have rotated the key without this one knowing`,
    `read a newer copy first; or name the epoch: ${next} if the key was not rotated elsewhere, a higher one if you are not sure (skipping costs nothing)`,
    { epoch: next, copySec: own.copySec },
  )
}

function lastRead(copySec: number | null, isPutBack: boolean): string {
  const read = 'read from a friend or another device of yours'
  if (copySec === null) return isPutBack ? `was ${read} since this state was put back` : `was ever ${read}`
  return `was ${read} since ${new Date(copySec * 1000).toISOString().slice(0, 10)}`
}

/** Chooses the devices of the new table, in the order of the old one. Devices that are put back come last. */
export function chooseDevices(
  { own, persona }: Pick<PlanState, 'own' | 'persona'>,
  { without = [], keep = [], sinceSec }: Omit<RotationWishes, 'epoch'>,
): { devices: Device[]; leftOut: LeftOut[] } {
  const listed = asMarkedFirst(own, persona.devices)
  const isListed = (key: string): boolean => listed.some((device) => device.key === key)
  const gone = own.notes
    .filter((note) => note.goneSec !== null && !isListed(note.key))
    .map(({ key }) => ({ key, name: nameOf(persona, key) }))
  const absent = own.localDevices
    .filter((key) => !isListed(key) && !gone.some((device) => device.key === key))
    .map((key) => ({ key, name: nameOf(persona, key) }))
  const known = [...listed, ...asMarkedFirst(own, [...absent, ...gone])]
  const [out, kept] = [without, keep].map((names) => new Set(names.map((name) => deviceAmong(known, name).key)))
  const whyOut = (key: string): LeftOut['why'] | null => {
    if (out!.has(key)) return 'named'
    if (kept!.has(key) || own.localDevices.includes(key)) return null
    const { approved, cameSec } = noteOf(own, key)
    if (!isListed(key)) return 'gone'
    if (!approved) return 'unapproved'
    return sinceSec !== undefined && cameSec >= sinceSec ? 'since' : null
  }
  const devices: Device[] = []
  const leftOut: LeftOut[] = []
  for (const device of known) {
    const why = whyOut(device.key)
    if (why !== null) leftOut.push({ ...device, why })
    else if (isListed(device.key)) devices.push(device)
    else
      devices.push({
        ...device,
        name: freeName(
          device.name,
          devices.map(({ name }) => name),
        ),
      })
  }
  return { devices, leftOut }
}

/**
 * The settings that a rotation or a succession keeps: `read`, which whoever has the old key knows anyway, and the values of the others that
 * the owner set on this device. A thief may have set them otherwise since. A `read` that is none would only take the room of nicknames, so
 * it goes.
 */
export function settingsAfter({ settings: set = NO_SETTINGS }: OwnRecord, { content }: VerifiedBlob): Settings {
  const { read } = content.ok ? settingsOf(content.document) : NO_SETTINGS
  return read !== undefined && isSetting('read', read) ? withSetting(set, 'read', read) : set
}

/**
 * @param statement a successor statement that the table must carry, in its forms; none for a rotation
 * @throws {OwnPersonaError} ROTATION_TOO_LARGE
 */
export function whatToGiveUp(
  epoch: number,
  devices: readonly Device[],
  settings: Settings,
  named: boolean,
  statement: readonly string[] = [],
): GaveUp[] {
  const gaveUp = fit(epoch, devices, settings, named, statement)
  if (gaveUp !== null) return gaveUp
  let room = Math.min(MAX_DEVICES, devices.length)
  while (room > 0 && fit(epoch, devices.slice(0, room), NO_SETTINGS, named, statement) === null) room--
  const count = devices.length - room
  const where = statement.length > 0 ? 'beside the statement that names your persona,' : `at epoch ${epoch}`
  throw new OwnPersonaError(
    'ROTATION_TOO_LARGE',
    `${where} a table has room for ${room} devices, not for ${devices.length}`,
    `leave out ${count} more`,
    { room, leaveOut: count },
  )
}

/** The parts that have to go for the table to fit; null when it does not fit at all, or not with the statement. */
function fit(
  epoch: number,
  devices: readonly Device[],
  settings: Settings,
  named: boolean,
  predecessor: readonly string[],
): GaveUp[] | null {
  const prev = new Uint8Array(PREV_BYTES)
  // A rotation starts from a clean document: nothing that the owner does not see in the plan is signed.
  const table = { chain: sizedPosition(epoch), seq: 1, timeSec: 0, prev, devices, named, settings, document: [] }
  try {
    const encoded = encodeTable({ ...table, predecessor }, true, compress, () => new Uint8Array(64))
    if (encoded.gaveUpPredecessor) return null
    return [
      ...(encoded.gaveUpNames ? (['names'] as const) : []),
      ...(encoded.gaveUpSettings.length > 0 ? (['settings'] as const) : []),
    ]
  } catch (error) {
    if (error instanceof TableError && error.code === 'TABLE_TOO_LARGE') return null
    throw error
  }
}

/** As long as the real one of that epoch, which only the words give. */
function sizedPosition(epoch: number): ChainPosition {
  return {
    personaId: new Uint8Array(32),
    epoch,
    signingKey: new Uint8Array(32),
    links: new Uint8Array(LINK_BYTES * Math.max(0, epoch - 1)),
    next: new Uint8Array(COMMITMENT_BYTES),
    inception: epoch === 0 ? null : new Uint8Array(64),
  }
}
