/** The records of a snapshot that wait beside the state: applying and discarding them (docs/backup.md). */
import { StoreError } from '../../store/errors.ts'
import type { State } from '../state/state.ts'
import type { OwnPersona } from '../own/persona.ts'
import { IMPORT, type ImportRecord } from '../state/local-records.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { SnapshotItem, WingItem } from '../state/records.ts'
import { mergeDevice, mergePersona, type Origin } from './merge.ts'
import { installOwn, joinOwn } from './owner.ts'

const BATCH = 64 // sanity: records applied in one commit; each has some kilobytes, and the records that it touches as much again
const CLEAR_BATCH = 4096 // sanity: removals in one commit

/** The order in which they are applied. A device needs its persona, and the owner's records come last, in one commit. */
const RANK = { persona: '1', device: '2', alarm: '3', wing: '3:', owner: '4' } as const
const OWNER = `${RANK.owner}own`
const OWN_PERSONA = `${RANK.owner}persona`

type Arrival = readonly [id: string, item: SnapshotItem]
type Decide = (decide: () => void) => Promise<void>

/** The id under which a record of a snapshot waits. */
export function idOfArrival(item: SnapshotItem, ownId: string | null): string {
  switch (item.kind) {
    case 'own':
      return OWNER
    case 'intent':
    case 'past':
      return RANK.owner + item.kind + item.id
    case 'persona':
      return item.id === ownId ? OWN_PERSONA : RANK.persona + item.id
    case 'device':
      return RANK.device + item.id
    case 'alarm':
      return RANK.alarm + item.id
    case 'wing':
      return `${RANK.wing}${item.of}/${item.id}`
  }
}

/** The owner's two records, if they have arrived. */
export function arrivedOwner(state: State): { own: OwnRecord | undefined; persona: PersonaRecord | undefined } {
  const own = state.records.arrivals.get(OWNER)
  const persona = state.records.arrivals.get(OWN_PERSONA)
  return {
    own: own?.kind === 'own' ? own.value : undefined,
    persona: persona?.kind === 'persona' ? persona.value : undefined,
  }
}

/** Applies the records of a confirmed snapshot. After a crash it applies the rest. */
export async function applyArrivals(
  origin: ImportRecord & { state: 'taking' },
  own: OwnPersona,
  state: State,
  change: Decide,
): Promise<void> {
  for (let limit = BATCH; ;) {
    const batch = await arrivals(state, limit)
    const others = batch.filter(([id]) => !id.startsWith(RANK.owner))
    if (others.length === 0) break
    try {
      await change(() => applyBatch(others, origin, own, state))
    } catch (error) {
      // A hostile contact may have made the records as large as possible.
      if (!(error instanceof StoreError) || error.code !== 'STORE_TOO_LARGE' || limit === 1) throw error
      limit = 1
    }
  }
  const owners = await arrivals(state, Infinity)
  await change(() => {
    applyOwner(
      owners.map(([, item]) => item),
      origin,
      own,
      state,
    )
    for (const [id] of owners) state.stage(state.records.arrivals.remove(id))
    state.stage(state.records.imports.remove(IMPORT))
  })
}

/** Discards the records of a snapshot that was not confirmed. */
export async function clearArrivals(state: State): Promise<void> {
  for (let isDone = false; !isDone;) {
    const batch = await arrivals(state, CLEAR_BATCH)
    isDone = batch.length < CLEAR_BATCH
    await state.change(() => {
      for (const [id] of batch) state.stage(state.records.arrivals.remove(id))
      if (isDone) state.stage(state.records.imports.remove(IMPORT))
    })
  }
}

async function arrivals(state: State, limit: number): Promise<Arrival[]> {
  const batch: Arrival[] = []
  const range = limit === Infinity ? {} : { limit }
  for await (const arrival of state.records.arrivals.iterate(range)) batch.push(arrival)
  return batch
}

function applyBatch(batch: readonly Arrival[], origin: Origin, own: OwnPersona, state: State): void {
  for (const [id, item] of batch) {
    applyItem(item, origin, own, state)
    state.stage(state.records.arrivals.remove(id))
  }
}

function applyItem(item: SnapshotItem, origin: Origin, own: OwnPersona, state: State): void {
  if (item.kind === 'persona') mergePersona(item.value, origin, own, state)
  else if (item.kind === 'device') mergeDevice(item.id, item.value, origin, state)
  else if (item.kind === 'alarm') state.stage(state.records.alarms.put(item.id, item.value))
  else if (item.kind === 'wing') applyWingItem(item, state)
  else throw new Error(`a record of the kind ${item.kind} is the owner's`)
}

function applyWingItem({ of, id, value }: WingItem, state: State): void {
  const kind = state.records.kinds.find(({ name }) => name === of)
  // Its wing was there when the record arrived, and is gone since a restart. Nobody would read the record.
  if (kind === undefined || kind.arrival === null) return
  const records = state.of(kind)
  state.stage(records.put(id, kind.arrival.merge(value, records.get(id))))
}

function applyOwner(
  items: readonly SnapshotItem[],
  origin: ImportRecord & { state: 'taking' },
  own: OwnPersona,
  state: State,
): void {
  const intents = items.flatMap((item) => (item.kind === 'intent' ? [item.value] : []))
  const incoming = items.find((item) => item.kind === 'own')?.value
  const persona = items.find((item) => item.kind === 'persona')?.value
  if (incoming === undefined || persona === undefined) return
  const { recent = [], ...record } = incoming
  const past = [...recent.toReversed(), ...items.flatMap((item) => (item.kind === 'past' ? [item.value] : []))]
  // A copy read before a backup says nothing of what was signed since.
  const installed = origin.source === null ? { ...record, copySec: null } : record
  if (state.own() === undefined) installOwn(installed, persona, { intents, past }, origin, own, state)
  else joinOwn(record, persona, { intents, past }, origin, own, state)
}
