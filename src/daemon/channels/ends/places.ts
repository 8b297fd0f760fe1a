/** The places of an end: reading them, moving to new ones, and leaving old ones. */
import { moveTo, isMoveDue } from '../../../channel/exchange/life.ts'
import { receive } from '../../../channel/exchange/receive.ts'
import { formatConnectoid, type Address } from '../../../channel/invite/address.ts'
import { equalBytes } from '../../../core/encoding/bytes.ts'
import { describeError } from '../../../process/describe-error.ts'
import {
  ownIntakes,
  type Arrival,
  type Line,
  type OwnIntake,
  type OwnPlace,
} from '../../../channel/carriers/carrier.ts'
import type { Means } from './means.ts'
import type { LeftPlace } from '../records/stored-end.ts'
import type { End } from './end.ts'
import type { EndState } from './end-state.ts'
import type { Source } from '../../../channel/carriers/inbound.ts'
import { LEFT_MS, recordsOf, relaysOf } from './summary.ts'

const MAX_RETIRED = 8 // sanity: a peer who sends a thousand frames a minute makes this end move each minute

const CURSOR_KEYS = new WeakMap<OwnIntake, string>()

export function cursorKey(intake: OwnIntake): string {
  const known = CURSOR_KEYS.get(intake)
  if (known !== undefined) return known
  const key = formatConnectoid(intake.place.address.pub, intake)
  CURSOR_KEYS.set(intake, key)
  return key
}

/** Own intakes, each with how far it was read. */
export function sourcesOf(intakes: readonly OwnIntake[], cursors: ReadonlyMap<string, string>): Source[] {
  return intakes.map((intake) => ({ intake, after: cursors.get(cursorKey(intake)) ?? '' }))
}

/** Takes arrivals of an end's intake. */
export function takeArrivals(end: End, source: Source, arrivals: readonly Arrival[], means: Means): Promise<void> {
  return end.run((turn) => {
    const { places } = turn.state
    const isNext = places.next !== null && sameKey(places.next.address, source.intake.place.address)
    // A place that stays the same over a move, such as a folder, says nothing about it.
    const atNext = isNext && !places.current.address.where.some(({ url }) => url === source.intake.url)
    for (const { data } of arrivals) {
      const step = receive(turn.channel, data, atNext, turn.nowMs, means.keeper.engine)
      turn.isHeard ||= !step.events.some(({ event }) => event === 'refused')
      turn.step(step)
    }
    turn.setCursor(cursorKey(source.intake), arrivals.at(-1)!.cursor)
  })
}

function sameKey(a: Address, b: Address): boolean {
  return equalBytes(a.pub, b.pub)
}

/** Moves to new boxes if it is time. */
export async function moveIfDue(end: End, state: EndState, means: Means): Promise<void> {
  if (!isMoveDue(state.channel, means.nowMs) || state.channel.isHeld) return
  const { where } = state.places.current.address
  const relays = relaysOf(state.places.current)
  if (relays.length === 0) return
  const opened = await means.ways.openPlace([...relays, ...recordsOf(state.places.current)], null)
  const folders = where.filter(({ url }) => url.startsWith('folder:'))
  const next: OwnPlace = { ...opened, address: { ...opened.address, where: [...opened.address.where, ...folders] } }
  await end.run((turn) => {
    if (turn.state.places.next !== null || !isMoveDue(turn.channel, turn.nowMs)) return
    turn.step(moveTo(turn.channel, next.address))
    turn.set({ places: { ...turn.state.places, next } })
  })
  means.linesChanged()
}

/** Reads the places that the end has left once more, closes them to senders, and forgets them after a month. */
export async function leavePlaces(end: End, state: EndState, means: Means): Promise<void> {
  const retired = state.left.filter(({ isRetired }) => isRetired)
  const spare = new Set(retired.slice(0, Math.max(0, retired.length - MAX_RETIRED)))
  for (const each of state.left) {
    // A relay that was away for a month is not asked any more.
    if (spare.has(each) || means.nowMs >= each.atSec * 1000 + LEFT_MS) await forget(end, state, each, means)
    else if (!each.isRetired) await retire(end, state, each, means)
  }
}

async function retire(end: End, state: EndState, each: LeftPlace, means: Means): Promise<void> {
  const line: Line = { ...end.summary.line, own: [each.place] }
  const stays = state.channel.phase === 'open' ? state.places.current.address.where : []
  for (const intake of ownIntakes(line)) {
    const carrier = means.ways.of(intake.url)
    if (carrier === null || stays.some(({ url }) => url === intake.url)) continue
    for (let after = state.cursors.get(cursorKey(intake)) ?? ''; ;) {
      const arrivals = await carrier.receive(line, intake, after)
      if (arrivals.length === 0) break
      await takeArrivals(end, { intake, after }, arrivals, means)
      after = arrivals.at(-1)!.cursor
    }
    await carrier.retire(line, intake)
  }
  await replaceLeft(end, each, { ...each, isRetired: true })
}

async function forget(end: End, state: EndState, each: LeftPlace, means: Means): Promise<void> {
  // A closed end receives nowhere, and its own place is among those that it left.
  const own = state.channel.phase === 'closed' ? [] : end.summary.line.own
  for (const intake of ownIntakes({ own: [each.place] })) {
    const stays = own.some(({ address }) => address.where.some(({ url }) => url === intake.url))
    if (!stays) await means.ways.of(intake.url)?.forget(intake)
  }
  await replaceLeft(end, each, null)
}

async function replaceLeft(end: End, before: LeftPlace, after: LeftPlace | null): Promise<void> {
  await end.run((turn) => {
    const left = turn.state.left.flatMap((each) => {
      if (!sameKey(each.place.address, before.place.address)) return [each]
      return after === null ? [] : [after]
    })
    // Each turn writes the whole state, so nothing of a place stays that is gone.
    const gone = after === null ? ownIntakes({ own: [before.place] }).map(cursorKey) : []
    const cursors = new Map([...turn.state.cursors].filter(([key]) => !gone.includes(key)))
    turn.set({ left, cursors })
  })
}

/** Closes the places of a handshake for good, and removes what carriers keep of them. @returns whether all of them could be reached */
export async function forgetLine(line: Line, means: Means): Promise<boolean> {
  let isDone = true
  for (const own of ownIntakes(line)) {
    const carrier = means.ways.of(own.url)
    if (carrier === null) continue
    const done = await orLater(
      carrier.retire(line, own).then(() => carrier.forget(own)),
      means,
    )
    isDone &&= done
  }
  return isDone
}

/** Runs work of an end that may fail without harm: it is done again later. @returns whether it was done now */
export async function orLater(work: Promise<unknown>, { log }: Means): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    log.debug('channel.later', describeError(error))
    return false
  }
}
