/** Intents: what the owner wanted of the own table, kept so that a sibling's winning table cannot undo it unnoticed (docs/format.md, section 9). */
import { activateDevice, addDevice, freeName, rekeyDevice, removeDevice, renameDevice, type Device } from './table.ts'
import { MAX_DEVICES } from './limits.ts'

const MAX_TABLES_BETWEEN = 32 // sanity: how far behind a head the last noted table may lie; half of those that are remembered

/** Keys are 64 upper-case hex digits; `found` is the value that the edit replaced. */
export type Edit =
  | { readonly kind: 'add'; readonly key: string; readonly name: string; readonly companion?: true }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'rename'; readonly key: string; readonly found: string; readonly name: string }
  /** `found`: the key that was first. */
  | { readonly kind: 'activate'; readonly key: string; readonly found: string }
  | { readonly kind: 'rekey'; readonly key: string; readonly newKey: string }

/** Where a table stands in the order; T as 64 hex digits. */
export interface TablePoint {
  readonly epoch: number
  readonly seq: number
  readonly tableHash: string
}

export interface Intent {
  readonly id: string
  readonly edit: Edit
  /** The writer's clock. */
  readonly atSec: number
  /** Of an add: the key had been listed before, and removed by somebody. */
  readonly again?: true
  /** The first own table let out with it; null while none was. */
  readonly published: TablePoint | null
  /** The last table with it that does not follow from the first: an own one after a replay, or a sibling's that came to the same. */
  readonly republished?: TablePoint | null
  /** A sibling's table followed it. It stays all the same: yet another sibling, with more tables of its own, may know nothing of it. */
  readonly settled?: true
}

/** The head that the intents are replayed onto. */
export interface ReplayHead extends TablePoint {
  /** First 16 bytes of the previous T, 32 hex digits. */
  readonly prev: string
  readonly timeSec: number
  readonly devices: readonly Device[]
}

/**
 * - `kept`: the head shows its effect already; the intent is as it is to be remembered, the same object where nothing is new.
 * - `replayed`: the new table has it again.
 * - `superseded`: a later edit, of a sibling or of the owner here, decided otherwise.
 * - `dropped`: it can no longer be done; the owner is told, with the command that repeats it.
 */
export type IntentOutcome =
  | { readonly intent: Intent; readonly outcome: 'kept' | 'replayed' | 'superseded' }
  | { readonly intent: Intent; readonly outcome: 'dropped'; readonly reason: DropReason }

export type DropReason =
  | 'REMOVED_BY_SIBLING' // the head may descend from the table that had the device
  | 'TABLE_FULL'
  | 'DEVICE_GONE' // the device to rename, activate or rekey is no longer listed
  | 'KEY_LISTED' // the new key of a rekey is listed already

export interface ReplayContext {
  readonly nowSec: number
  /** Keys that were removed here: an own add of one is not replayed. */
  readonly tombstones: ReadonlySet<string>
  /** Table with the hash that begins with `prev`, when it was seen. */
  ancestor(prev: string): (TablePoint & { readonly prev: string }) | undefined
  /** Whether so many devices still fit. */
  fits(devices: readonly Device[]): boolean
}

/**
 * Applies an edit as the owner asked for it.
 * @throws {TableError | BlobError} when the table refuses it
 */
export function applyEdit(devices: readonly Device[], edit: Edit): Device[] {
  switch (edit.kind) {
    case 'add':
      return addDevice(devices, deviceOf(edit))
    case 'remove':
      return removeDevice(devices, edit.key)
    case 'rename':
      return renameDevice(devices, edit.key, edit.name)
    case 'activate':
      return activateDevice(devices, edit.key)
    case 'rekey':
      return rekeyDevice(devices, edit.key, edit.newKey)
  }
}

function deviceOf({ name, key, companion }: Extract<Edit, { kind: 'add' }>): Device {
  return companion ? { name, key, companion } : { name, key }
}

/** What to do with one intent: nothing, apply this edit, or give it up. `gone`: nothing, since the owner removed what it made; it stays. */
type Step = { readonly apply: Edit } | 'kept' | 'gone' | 'superseded' | DropReason

/**
 * Replays the own intents, in the order in which they were made, each once, onto a head that another writer made.
 * @returns the devices of the table to sign next, and how each intent ended
 */
export function replayIntents(
  head: ReplayHead,
  intents: readonly Intent[],
  context: ReplayContext,
): { devices: readonly Device[]; outcomes: IntentOutcome[] } {
  let devices = head.devices
  const outcomes: IntentOutcome[] = []
  for (const [i, intent] of intents.entries()) {
    const step =
      ownWord(intent.edit, intents.slice(i + 1), devices, context) ?? replayStep(intent, devices, head, context)
    if (typeof step === 'object') {
      devices = applyEdit(devices, step.apply)
      outcomes.push({ intent, outcome: 'replayed' })
    } else if (step === 'kept' || step === 'gone') {
      const isShown = step === 'kept' && intent.edit.kind !== 'remove'
      outcomes.push({ intent: settle(intent, isShown, head, context), outcome: 'kept' })
    } else if (step === 'superseded') {
      outcomes.push({ intent, outcome: step })
    } else {
      outcomes.push({ intent, outcome: 'dropped', reason: step })
    }
  }
  if (!isSameTable(devices, head.devices)) return { devices, outcomes }
  return { devices, outcomes: outcomes.map((outcome) => asKept(outcome, head, context)) }
}

/** What the owner has said here since about the device of an edit that the table does not show. */
function ownWord(
  edit: Edit,
  later: readonly Intent[],
  devices: readonly Device[],
  { tombstones }: ReplayContext,
): 'kept' | 'gone' | 'superseded' | null {
  if (edit.kind === 'remove') return isTakenBack(edit.key, later) ? 'superseded' : null
  const key = edit.kind === 'rekey' ? edit.newKey : edit.key
  const isListed = (wanted: string): boolean => devices.some((device) => device.key === wanted)
  const present = later.reduce(
    (last, { edit: next }) => (next.kind === 'rekey' && next.key === last ? next.newKey : last),
    key,
  )
  const isRemoved = tombstones.has(present)
  if (edit.kind === 'rekey' && isRemoved && isTakenBack(edit.key, later)) return 'superseded'
  if (isListed(edit.key) || isListed(key)) return null
  if (present !== key && isListed(present)) return 'kept'
  if (!isRemoved) return null
  // A sibling who knows of neither may list the old key yet, and under that one too the device is removed.
  return edit.kind === 'rekey' ? 'gone' : 'superseded'
}

// Removed here and then added again here: to remove it once more would undo the owner's last word, and nothing would bring it back.
function isTakenBack(key: string, later: readonly Intent[]): boolean {
  return later.some(
    ({ edit: next }) => (next.kind === 'add' && next.key === key) || (next.kind === 'rekey' && next.newKey === key),
  )
}

function isSameTable(a: readonly Device[], b: readonly Device[]): boolean {
  return a.length === b.length && a.every(({ key, name }, i) => key === b[i]!.key && name === b[i]!.name)
}

// Steps that lead back to the head (from A to B and on to C, which the head shows) are no reason to sign a table.
function asKept(outcome: IntentOutcome, head: ReplayHead, context: ReplayContext): IntentOutcome {
  if (outcome.outcome !== 'replayed') return outcome
  return { intent: settle(outcome.intent, outcome.intent.edit.kind !== 'remove', head, context), outcome: 'kept' }
}

// What is known of an intent that nothing is to be done about. Another table is noted only now and then, so that most heads cost no write.
function settle(intent: Intent, isShown: boolean, head: ReplayHead, context: ReplayContext): Intent {
  const { epoch, seq, tableHash } = head
  const republished = { epoch, seq, tableHash }
  if (wasSeen(intent, head, context)) {
    const isNear = tablesWith(intent).some((table) => table.epoch === epoch && seq - table.seq < MAX_TABLES_BETWEEN)
    if (!isNear) return { ...intent, settled: true, republished }
    return intent.settled === true ? intent : { ...intent, settled: true }
  }
  // A head without the device need not have removed it: it may never have known it, and then says nothing to who adds it after it.
  return isShown ? { ...intent, republished } : intent
}

function replayStep(intent: Intent, devices: readonly Device[], head: ReplayHead, context: ReplayContext): Step {
  const { edit } = intent
  const listed = devices.find((device) => device.key === edit.key)
  switch (edit.kind) {
    case 'remove':
      if (listed === undefined) return 'kept'
      // Removal wins over all that siblings did meanwhile: who holds a stolen device must not stay in by racing the owner. Who lists
      // it again knowing that it was removed has the later word; against a thief who does so only a rotation helps.
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
      // A sibling has marked it meanwhile: no table may make it the active one.
      if (listed.companion) return 'superseded'
      return isOverruled(intent, devices[0]!.key === edit.found, head, context) ? 'superseded' : { apply: edit }
    case 'rekey':
      return replayRekey(intent, edit, devices, head, context)
  }
}

// What siblings have long seen is no loss when the device goes.
function goneStep(intent: Intent): Step {
  return intent.settled === true ? 'superseded' : 'DEVICE_GONE'
}

/** Whether a table that shows another name or order was made later, or by somebody who knew. */
function isOverruled(intent: Intent, showsFound: boolean, head: ReplayHead, context: ReplayContext): boolean {
  const known = tablesWith(intent).map((table) => descent(head, table, context))
  if (known.includes('yes')) return true
  // A sibling who had seen it may have taken it back in a table that is not known here.
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
  // Whoever made the head may also have removed it without knowing that it was wanted back here: removal wins, and the owner is told.
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

// The head names no writer, so a tie goes to the head: whoever lost the order yields, and both siblings end at the same table.
function isLater(intent: Intent, head: ReplayHead, context: ReplayContext): boolean {
  return Math.min(intent.atSec, context.nowSec) > head.timeSec
}

/** The own tables let out with an intent of which siblings can know: the first, and the last. */
function tablesWith(intent: Intent): TablePoint[] {
  return [intent.published, intent.republished ?? null].filter((table) => table !== null)
}

// Whoever made the head had our value before him and decided otherwise, be it for the value that we had found. To replay then would
// undo a later edit, and he would undo ours in turn, for ever: what was known counts before what the clocks say.
function wasSeen(intent: Intent, head: ReplayHead, context: ReplayContext): boolean {
  return tablesWith(intent).some((table) => descent(head, table, context) === 'yes')
}

/**
 * Whether the head may have been made with knowledge of a table: it cannot when the chain of `prev` leads past that table.
 * Tables in between that nobody here saw leave it possible, and then a missing device was removed by a sibling.
 */
export function mayDescend(head: ReplayHead, table: TablePoint | null, context: ReplayContext): boolean {
  return table !== null && descent(head, table, context) !== 'no'
}

function descent(head: ReplayHead, table: TablePoint, context: ReplayContext): 'yes' | 'no' | 'unknown' {
  let point: TablePoint & { readonly prev: string } = head
  while (isAfter(point, table)) {
    if (table.tableHash.startsWith(point.prev)) return 'yes'
    const before = context.ancestor(point.prev)
    if (before === undefined) return isDirectSuccessor(point, table) ? 'no' : 'unknown'
    if (!isAfter(point, before)) return 'unknown' // a cycle of hashes cannot be; a lying index must not hang the daemon
    point = before
  }
  return point.tableHash === table.tableHash ? 'yes' : 'no'
}

function isAfter(point: TablePoint, other: TablePoint): boolean {
  return point.epoch > other.epoch || (point.epoch === other.epoch && point.seq > other.seq)
}

function isDirectSuccessor(point: TablePoint, table: TablePoint): boolean {
  return point.epoch === table.epoch && point.seq === table.seq + 1
}
