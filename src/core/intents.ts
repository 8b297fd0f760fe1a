/** Intents: the owner's edits of the own table, kept so that a sibling's winning table cannot undo them unnoticed (docs/format.md, section 9). */
import { applyEdit, type DeviceEdit, type Edit, type SettingEdit } from './edit.ts'
import { freeName, type Device } from './table.ts'
import { MAX_DEVICES } from './limits.ts'
import { descent, mayDescend, type Ancestry, type LinkedPoint, type TablePoint } from './order.ts'
import { isSameSettings, isSameValue, withSetting, type Settings } from './document.ts'

export const MAX_POINTS_BETWEEN = 16 // sanity: tables that one intent remembers between the first and the last one; each is another race of siblings

const MAX_TABLES_BETWEEN = 32 // sanity: how many tables the last noted one may lie before the head; half of the remembered tables

export interface Intent {
  readonly id: string
  readonly edit: Edit
  /** The writer's clock, unix seconds. */
  readonly atSec: number
  /** Only on an add: the key had been listed before, and somebody had removed it. */
  readonly again?: true
  /** The first published own table with this edit; null before that. */
  readonly published: TablePoint | null
  /** The last table with this edit that does not descend from the first: our own after a replay, or a sibling's with the same result. */
  readonly republished?: TablePoint | null
  /** The tables between these two, the oldest first: each was the last one for a while. */
  readonly between?: readonly TablePoint[]
  /** A sibling's table descends from it. The intent stays: a third sibling that made more tables may not know the edit. */
  readonly settled?: true
}

/** The head that the intents are replayed onto. */
export interface ReplayHead extends LinkedPoint {
  readonly timeSec: number
  readonly devices: readonly Device[]
  readonly settings: Settings
}

/**
 * The result for one intent:
 * - `kept`: the head already shows its effect. `intent` is the version to store, the same object if nothing changed.
 * - `replayed`: the new table has the edit again.
 * - `superseded`: a later edit by a sibling, or by the owner here, overruled it.
 * - `dropped`: the edit is no longer possible; the owner gets a notice and can repeat the edit.
 */
export type IntentOutcome =
  | { readonly intent: Intent; readonly outcome: 'kept' | 'replayed' | 'superseded' }
  | { readonly intent: Intent; readonly outcome: 'dropped'; readonly reason: DropReason }

export type DropReason =
  | 'REMOVED_BY_SIBLING' // the head may descend from the table with the device
  | 'TABLE_FULL'
  | 'DEVICE_GONE' // the table no longer lists the device to rename, activate or rekey
  | 'KEY_LISTED' // the table already lists the new key of a rekey

export interface ReplayContext extends Ancestry {
  readonly nowSec: number
  /** Keys that the owner removed on this device; an own add of such a key is not replayed. */
  readonly tombstones: ReadonlySet<string>
  /** Whether a table of these devices is small enough to sign. */
  fits(devices: readonly Device[]): boolean
}

/**
 * The next step for one intent: apply this edit, keep the intent without doing anything, or give it up. `gone` keeps it too: the owner has
 * removed the device that it changed.
 */
type Step = { readonly apply: Edit } | 'kept' | 'gone' | 'superseded' | DropReason

/** The content of the table to sign next, and the outcome of each intent. */
export interface Replayed {
  readonly devices: readonly Device[]
  readonly settings: Settings
  readonly outcomes: readonly IntentOutcome[]
}

/**
 * Replays the own intents onto a head that another writer made: each once, in the order in which they were made (docs/format.md, section 9).
 */
export function replayIntents(head: ReplayHead, intents: readonly Intent[], context: ReplayContext): Replayed {
  let { devices, settings } = head
  const outcomes: IntentOutcome[] = []
  for (const [i, intent] of intents.entries()) {
    const { edit } = intent
    const step =
      edit.kind === 'set'
        ? settingStep(intent, edit, settings, head, context)
        : (laterOwnStep(edit, intents.slice(i + 1), devices, context) ??
          replayStep(intent, edit, devices, head, context))
    if (typeof step === 'object') {
      if (step.apply.kind === 'set') settings = withSetting(settings, step.apply.key, step.apply.value)
      else devices = applyEdit(devices, step.apply)
      outcomes.push({ intent, outcome: 'replayed' })
    } else if (step === 'kept' || step === 'gone') {
      const isShown = step === 'kept' && intent.edit.kind !== 'remove'
      outcomes.push({ intent: noteHead(intent, isShown, head, context), outcome: 'kept' })
    } else if (step === 'superseded') {
      outcomes.push({ intent, outcome: step })
    } else {
      outcomes.push({ intent, outcome: 'dropped', reason: step })
    }
  }
  const isSame = isSameTable(devices, head.devices) && isSameSettings(settings, head.settings)
  if (!isSame) return { devices, settings, outcomes }
  return { devices, settings, outcomes: outcomes.map((outcome) => asKept(outcome, head, context)) }
}

/** The step that later edits of the owner on this device decide; null when they decide nothing. */
function laterOwnStep(
  edit: DeviceEdit,
  later: readonly Intent[],
  devices: readonly Device[],
  { tombstones }: ReplayContext,
): 'kept' | 'gone' | 'superseded' | null {
  if (edit.kind === 'remove') return isAddedAgain(edit.key, later) ? 'superseded' : null
  const key = edit.kind === 'rekey' ? edit.newKey : edit.key
  const isListed = (wanted: string): boolean => devices.some((device) => device.key === wanted)
  const present = later.reduce(
    (last, { edit: next }) => (next.kind === 'rekey' && next.key === last ? next.newKey : last),
    key,
  )
  const isRemoved = tombstones.has(present)
  if (edit.kind === 'rekey' && isRemoved && isAddedAgain(edit.key, later)) return 'superseded'
  if (isListed(edit.key) || isListed(key)) return null
  if (present !== key && isListed(present)) return 'kept'
  if (!isRemoved) return null
  // A sibling that knows neither edit may still list the old key. The device is removed under that key too.
  return edit.kind === 'rekey' ? 'gone' : 'superseded'
}

// The owner removed the device here and then added it again. Removing it once more would undo the newer edit, and nothing would restore it.
function isAddedAgain(key: string, later: readonly Intent[]): boolean {
  return later.some(
    ({ edit: next }) => (next.kind === 'add' && next.key === key) || (next.kind === 'rekey' && next.newKey === key),
  )
}

function isSameTable(a: readonly Device[], b: readonly Device[]): boolean {
  return a.length === b.length && a.every(({ key, name }, i) => key === b[i]!.key && name === b[i]!.name)
}

// When the replayed steps lead back to the head (A to B to C, and the head shows C), there is nothing new to sign.
function asKept(outcome: IntentOutcome, head: ReplayHead, context: ReplayContext): IntentOutcome {
  if (outcome.outcome !== 'replayed') return outcome
  return { intent: noteHead(outcome.intent, outcome.intent.edit.kind !== 'remove', head, context), outcome: 'kept' }
}

// Notes in a kept intent what the head shows about it. It notes another table only now and then, so that most heads cost no write.
function noteHead(intent: Intent, isShown: boolean, head: ReplayHead, context: ReplayContext): Intent {
  const { epoch, seq, tableHash } = head
  if (wasSeen(intent, head, context)) {
    const isNear = tablesWith(intent).some((table) => table.epoch === epoch && seq - table.seq < MAX_TABLES_BETWEEN)
    if (!isNear) return { ...republishedWith(intent, { epoch, seq, tableHash }), settled: true }
    return intent.settled === true ? intent : { ...intent, settled: true }
  }
  // A head without the device may never have known it. Then it must not count as a table that removed it.
  return isShown ? republishedWith(intent, { epoch, seq, tableHash }) : intent
}

/**
 * Notes the last table with this edit. The one noted before stays known: a sibling may have decided otherwise on top of it, while this device
 * replayed the edit onto another head.
 */
export function republishedWith(intent: Intent, republished: TablePoint): Intent {
  const before = intent.republished ?? null
  if (before === null) return { ...intent, republished }
  return { ...intent, republished, between: [...(intent.between ?? []), before].slice(-MAX_POINTS_BETWEEN) }
}

/** A key of the document: as a rename, but nothing can be gone. */
function settingStep(
  intent: Intent,
  edit: SettingEdit,
  settings: Settings,
  head: ReplayHead,
  context: ReplayContext,
): Step {
  const shown = settings[edit.key] ?? null
  if (isSameValue(shown, edit.value)) return 'kept'
  return isOverruled(intent, isSameValue(shown, edit.found), head, context) ? 'superseded' : { apply: edit }
}

function replayStep(
  intent: Intent,
  edit: DeviceEdit,
  devices: readonly Device[],
  head: ReplayHead,
  context: ReplayContext,
): Step {
  const listed = devices.find((device) => device.key === edit.key)
  switch (edit.kind) {
    case 'remove':
      if (listed === undefined) return 'kept'
      // Removal wins over everything that siblings did meanwhile: a thief with a stolen device must not stay in the table by racing the
      // owner. A sibling that knew the removal and lists the device again overrules it. If a thief does that, only a rotation helps.
      return wasSeen(intent, head, context) ? 'superseded' : { apply: edit }
    case 'add':
      return listed === undefined ? replayAdd(intent, edit, devices, head, context) : 'kept'
    case 'rename':
      if (listed === undefined) return goneStep(intent)
      if (listed.name === edit.name) return 'kept'
      if (isOverruled(intent, listed.name === edit.found, head, context)) return 'superseded'
      return { apply: { ...edit, name: freeName(edit.name, namesBeside(devices, edit.key)) } }
    case 'activate':
      if (listed === undefined) return goneStep(intent)
      if (devices[0] === listed) return 'kept'
      // A sibling has marked the device as a companion meanwhile, so no table may make it the active one.
      if (listed.companion) return 'superseded'
      return isOverruled(intent, devices[0]!.key === edit.found, head, context) ? 'superseded' : { apply: edit }
    case 'rekey':
      return replayRekey(intent, edit, devices, head, context)
  }
}

// If siblings have seen the edit, nothing is lost when the device is gone.
function goneStep(intent: Intent): Step {
  return intent.settled === true ? 'superseded' : 'DEVICE_GONE'
}

/** Whether the head's other name or order wins: its writer knew our edit, or made the head later. */
function isOverruled(intent: Intent, showsFound: boolean, head: ReplayHead, context: ReplayContext): boolean {
  const known = tablesWith(intent).map((table) => descent(head, table, context))
  if (known.includes('yes')) return true
  // A sibling that had seen our edit may have undone it in a table that we do not know.
  const isLostRace = showsFound && (intent.settled !== true || !known.includes('unknown'))
  return !isLostRace && !isLater(intent, head, context)
}

function replayAdd(
  intent: Intent,
  edit: Extract<Edit, { kind: 'add' }>,
  devices: readonly Device[],
  head: ReplayHead,
  context: ReplayContext,
): Step {
  // The head's writer may have removed the device without knowing that it was added again here. Removal wins, and the owner gets a notice.
  if (intent.again === true) return 'REMOVED_BY_SIBLING'
  if (tablesWith(intent).some((table) => mayDescend(head, table, context))) return 'REMOVED_BY_SIBLING'
  const added: Edit = {
    ...edit,
    name: freeName(
      edit.name,
      devices.map((device) => device.name),
    ),
  }
  if (devices.length >= MAX_DEVICES || !context.fits(applyEdit(devices, added))) return 'TABLE_FULL'
  return { apply: added }
}

function replayRekey(
  intent: Intent,
  edit: Extract<Edit, { kind: 'rekey' }>,
  devices: readonly Device[],
  head: ReplayHead,
  context: ReplayContext,
): Step {
  const isListed = (key: string): boolean => devices.some((device) => device.key === key)
  if (isListed(edit.newKey) && !isListed(edit.key)) return 'kept'
  const isKnown = wasSeen(intent, head, context)
  if (isListed(edit.newKey)) return isKnown ? 'superseded' : 'KEY_LISTED'
  if (!isListed(edit.key)) return isKnown ? goneStep(intent) : 'DEVICE_GONE'
  return isKnown ? 'superseded' : { apply: edit }
}

function namesBeside(devices: readonly Device[], key: string): string[] {
  return devices.filter((device) => device.key !== key).map((device) => device.name)
}

// The head does not name its writer, so it wins a tie. Then the sibling that lost the order yields, and both end with the same table.
function isLater(intent: Intent, head: ReplayHead, context: ReplayContext): boolean {
  return Math.min(intent.atSec, context.nowSec) > head.timeSec
}

/** The tables with an intent that siblings can know. */
function tablesWith({ published, between = [], republished = null }: Intent): TablePoint[] {
  return [published, ...between, republished].filter((table) => table !== null)
}

// Whether the head's writer knew our edit. If so, they decided otherwise, even if they restored the value that we had replaced. A replay
// would undo their later edit, they would undo ours, and so on forever. So knowledge counts before clocks.
function wasSeen(intent: Intent, head: ReplayHead, context: ReplayContext): boolean {
  return tablesWith(intent).some((table) => descent(head, table, context) === 'yes')
}
