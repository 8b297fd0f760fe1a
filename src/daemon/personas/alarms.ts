/** Alarms: threats that the owner must hear of at once, such as a second key chain or a claim on somebody else's device (docs/format.md, sections 8 and 10). */
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import { isClockAhead } from '../../core/order.ts'
import { isContested, pairState } from '../../core/consent.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { isMadeByShort } from '../state/short-record.ts'
import type { State } from '../state/state.ts'

const OWN_NAME = 'your own persona'

const REPEAT_SEC = 3600 // sanity: an alarm that keeps recurring is counted, and emitted once an hour

const MAX_ALARM_KEYS = 8 // sanity: the devices that raised it last. A persona that lists everybody's devices makes one alarm, not a flood

const CONTESTED = 'DEVICE_CONTESTED'

const FORK_ALARMS_AFTER_SEC = 14 * 86_400 // format: two honest devices end a fork by then

const ID_DIGITS = 8

interface AlarmOptions {
  /** It is emitted although it was within the last hour. */
  readonly isNews?: boolean
  /** The table that it is about. */
  readonly table?: { readonly epoch: number; readonly seq: number }
}

/** Raises an alarm, one for each code and persona. It stands until the owner dismisses it, or its cause ends. */
export function alarm(
  state: State,
  code: string,
  personaId: string | null,
  key: string | null,
  message: string,
  { isNews = false, table }: AlarmOptions = {},
): void {
  if (personaId !== null && state.isBlocked(personaId)) return
  const id = alarmId(code, personaId, state)
  const known = state.records.alarms.get(id)
  const { nowSec } = state
  const sinceLastSec = known === undefined || known.dueSec !== null ? Infinity : nowSec - known.lastSec
  const isNew = isNews || (key !== null && known?.keys.includes(key) !== true)
  // A clock that stepped back must not silence the alarm.
  if (!isNew && sinceLastSec >= 0 && sinceLastSec < REPEAT_SEC) return
  const keys = [key, ...(known?.keys ?? [])].filter((each) => each !== null)
  state.stage(
    state.records.alarms.put(id, {
      code,
      personaId,
      keys: [...new Set(keys)].slice(0, MAX_ALARM_KEYS),
      message,
      sinceSec: known?.sinceSec ?? nowSec,
      lastSec: nowSec,
      count: (known?.count ?? 0) + 1,
      ...(table === undefined ? {} : { table: { epoch: table.epoch, seq: table.seq } }),
      dueSec: null,
    }),
  )
  state.emit({ event: 'alarm', data: { code, personaId, key, message } })
}

/** Whether the owner has this alarm before them. */
export function isRaised(state: State, code: string, personaId: string | null): boolean {
  return state.records.alarms.get(alarmId(code, personaId, state)) !== undefined
}

function alarmId(code: string, personaId: string | null, state: State): string {
  const hash = formatHex(state.engine.sha512(encodeUtf8(`${code} ${personaId ?? ''}`)))
  return hash.slice(0, ID_DIGITS).toLowerCase()
}

/** Two tables have the same seq. Honest devices that did not know of each other cause that, and end it with a higher table, so it is no alarm yet. */
export function noteFork(persona: PersonaRecord, state: State): void {
  const id = alarmId(FORK, persona.personaId, state)
  if (state.isBlocked(persona.personaId)) return
  if (state.records.alarms.get(id) !== undefined) return
  const { nowSec } = state
  const message = `${persona.entry?.name ?? OWN_NAME} signed two tables in the place of one, and none that settles it for 14 days: somebody else may have the signing key`
  const record = {
    code: FORK,
    personaId: persona.personaId,
    keys: [],
    message,
    sinceSec: nowSec,
    lastSec: nowSec,
    count: 1,
  }
  state.stage(state.records.alarms.put(id, { ...record, dueSec: nowSec + FORK_ALARMS_AFTER_SEC }))
}

/** A higher table ends a fork, unless the fork is an alarm already. */
export function clearFork(personaId: string, state: State): void {
  const { alarms } = state.records
  const id = alarmId(FORK, personaId, state)
  const known = alarms.get(id)
  if (known !== undefined && known.dueSec !== null) state.stage(alarms.remove(id))
}

/** Raises an alarm whose time has come. */
export function announceDue(id: string, state: State): void {
  const record = state.records.alarms.get(id)
  if (record?.dueSec === undefined || record.dueSec === null || record.dueSec > state.nowSec) return
  const { code, personaId, message } = record
  if (state.isBlocked(personaId)) return
  state.stage(state.records.alarms.put(id, { ...record, dueSec: null, lastSec: state.nowSec }))
  state.emit({ event: 'alarm', data: { code, personaId, key: null, message } })
}

const FORK = 'FORK'

/** Two chains claim one PersonaID: whoever made the second one holds K_0. */
export function alarmDisputed(persona: PersonaRecord, state: State): void {
  const { entry } = persona
  const what = `two key chains claim to be ${entry?.name ?? OWN_NAME}: somebody else has its first key. The second chain was refused`
  const remedy =
    entry === null
      ? 'Contacts who know you refuse it too. Give your contact link to everybody who adds you from now on'
      : 'Ask for a contact link in a way that proves who you talk to, and pin the chain that it names'
  const message = `${what}. ${remedy}`
  alarm(state, 'CHAIN_DISPUTED', persona.personaId, null, message)
}

/** A subscriber remembers more events than this store ever emitted. */
export function alarmCursor(after: number, last: number, who: string, state: State): void {
  const message =
    `the subscriber ${who} has seen event ${after}, but this store has only published ${last}: either the store was put back to an earlier state, ` +
    'or that program means another store. Check the history for gaps'
  alarm(state, 'CURSOR_AHEAD', null, null, message)
}

/** A second statement names another successor of a persona, so two people have its last key. */
export function alarmOtherSuccessor(personaId: string, key: string | null, state: State): void {
  const name = state.persona(personaId)?.entry?.name ?? OWN_NAME
  const message =
    `two personas claim to follow ${name}, and both are named by the last key: somebody else has this key, or the recovery words. ` +
    `Only the first one counts here. Ask ${name} which one is right, in a way that proves who you talk to`
  alarm(state, 'SUCCESSOR_DISPUTED', personaId, key, message)
}

/** A device that is bound to one persona shows another. */
export function alarmSwitched(bound: string, shown: string, key: string, state: State): void {
  // A device that has not moved to the successor yet may show the old persona again.
  if (state.forgotten(shown)?.replacedBy === bound) return
  const name = state.persona(bound)?.entry?.name ?? OWN_NAME
  const message = `a device of ${name} shows another persona, ${shown}; it is no longer taken for ${name}'s, nor for the other's`
  alarm(state, 'PERSONA_SWITCHED', bound, key, message)
}

/** Raises an alarm if a persona lists a device that we know as somebody else's. */
export function alarmIfContested(persona: PersonaRecord, key: string, state: State): void {
  const device = state.device(key)
  const { bound, reports, entry } = device
  const pair = pairState(persona.personaId, true, bound, reports)
  const isFriend = entry !== null && !isMadeByShort(device, state.records.shorts.get(key))
  const formerId = persona.replaces?.personaId ?? null
  if (!isContested(persona.personaId, pair, bound, isFriend, reports, formerId)) return
  const name = persona.entry?.name ?? OWN_NAME
  const known = bound === null && entry !== null ? `your friend "${entry.name}"` : "somebody else's"
  const message = `${name} lists a device that is known as ${known}; it counts as ${name}'s only once it shows that itself`
  alarm(state, CONTESTED, persona.personaId, key, message)
}

/** The device itself confirmed the persona, so it is contested no longer. */
export function clearContested(personaId: string, key: string, state: State): void {
  const { alarms } = state.records
  const id = alarmId(CONTESTED, personaId, state)
  const known = alarms.get(id)
  if (known === undefined || !known.keys.includes(key)) return
  const keys = known.keys.filter((each) => each !== key)
  // If it was raised more often than we keep keys, another device may be contested still.
  const isOver = keys.length === 0 && known.count <= MAX_ALARM_KEYS
  state.stage(isOver ? alarms.remove(id) : alarms.put(id, { ...known, keys }))
}

/** A head from the future is reported once, when it comes in: one of the two clocks is wrong. */
export function noteClock(persona: PersonaRecord, state: State): void {
  if (!isClockAhead(persona.timeSec, state.nowSec)) return
  const message = `the table of ${persona.entry?.name ?? 'your own persona'} is dated ahead of this clock; one of the two clocks is wrong`
  state.emit({ event: 'clock', data: { personaId: persona.personaId, message } })
}
