/** The objects of a relay as records. Each change runs from its first read to its commit in one step. */
import type { Write } from '../../store/store.ts'
import {
  objectId,
  parseObjectId,
  type BeginOutcome,
  type HeldObject,
  type ObjectPlace,
  type ObjectStore,
  type OfferedObject,
} from '../store/object-store.ts'
import type { RecordAccess } from './record-access.ts'
import { dueId, parseDueId } from './records.ts'
import { costOfObject } from '../store/rules.ts'
import { Tally } from './tally.ts'

export class RecordObjects implements ObjectStore {
  readonly #access: RecordAccess

  constructor(access: RecordAccess) {
    this.#access = access
  }

  async begin(object: OfferedObject, nowUs: number): Promise<BeginOutcome> {
    const { coming, limits, ready, write } = this.#access
    await ready()
    const { persona, bytes, hash } = object
    const id = objectId(object)
    const found = coming.objects.get(id)
    if (found !== undefined) return found.isComing ? { outcome: 'coming' } : { outcome: 'there', hash: found.hash }
    if (coming.personas.get(persona) === undefined) return { outcome: 'unknown' }
    const tally = this.#tally()
    const cost = costOfObject(bytes)
    if (tally.of(persona) + cost > limits.maxPersonaBytes) return { outcome: 'much' }
    if (tally.bytes + cost > limits.maxDiskBytes) return { outcome: 'full' }
    tally.count(persona, cost)
    tally.add({ bytes: cost })
    const isWritten = await write([
      coming.objects.put(id, { isComing: true, bytes, endsUs: 0, hash }),
      coming.unfinished.put(id, nowUs),
      ...tally.writes(),
    ])
    return { outcome: isWritten ? 'begun' : 'full' }
  }

  async finish(place: ObjectPlace, bytes: number, nowUs: number): Promise<'kept' | 'gone' | 'full'> {
    const { coming, limits, ready, write } = this.#access
    await ready()
    const id = objectId(place)
    const found = coming.objects.get(id)
    if (found?.isComing !== true || coming.personas.get(place.persona) === undefined) return 'gone'
    const tally = this.#tally()
    const change = bytes - found.bytes
    tally.count(place.persona, change)
    tally.add({ objects: 1, bytes: change })
    const endsUs = nowUs + limits.objectUs
    const isWritten = await write([
      coming.objects.put(id, { isComing: false, bytes, endsUs, hash: found.hash }),
      coming.unfinished.remove(id),
      coming.objectDue.put(dueId(id, endsUs), null),
      ...tally.writes(),
    ])
    return isWritten ? 'kept' : 'full'
  }

  async find(place: ObjectPlace, nowUs: number): Promise<HeldObject | null> {
    await this.#access.ready()
    const found = this.#access.present.objects.get(objectId(place))
    if (found === undefined || found.isComing || found.endsUs <= nowUs) return null
    return { bytes: found.bytes, hash: found.hash }
  }

  async counts(place: ObjectPlace): Promise<boolean> {
    const { coming, ready } = this.#access
    await ready()
    return coming.objects.get(objectId(place)) !== undefined
  }

  async remove(places: readonly ObjectPlace[]): Promise<void> {
    const { coming, ready, commit } = this.#access
    await ready()
    const tally = this.#tally()
    const writes: Write[] = []
    for (const place of places) {
      const id = objectId(place)
      const found = coming.objects.get(id)
      if (found === undefined) continue
      const { isComing, bytes, endsUs } = found
      const cost = costOfObject(bytes)
      tally.count(place.persona, -cost)
      tally.add({ objects: isComing ? 0 : -1, bytes: -cost })
      writes.push(
        coming.objects.remove(id),
        isComing ? coming.unfinished.remove(id) : coming.objectDue.remove(dueId(id, endsUs)),
      )
    }
    if (writes.length > 0) await commit([...writes, ...tally.writes()])
  }

  async of(persona: string, limit: number): Promise<readonly ObjectPlace[]> {
    await this.#access.ready()
    const places: ObjectPlace[] = []
    for await (const [id] of this.#access.present.objects.iterate({ prefix: `${persona}/`, limit }))
      places.push(parseObjectId(id))
    return places
  }

  async due(nowUs: number, limit: number): Promise<readonly ObjectPlace[]> {
    await this.#access.ready()
    const places: ObjectPlace[] = []
    for await (const [key] of this.#access.present.objectDue.iterate({ limit })) {
      const { dueUs, id } = parseDueId(key)
      if (dueUs > nowUs) break
      places.push(parseObjectId(id))
    }
    return places
  }

  async unfinished(limit: number, beforeUs: number = Infinity): Promise<readonly ObjectPlace[]> {
    await this.#access.ready()
    const places: ObjectPlace[] = []
    for await (const [id, begunUs] of this.#access.present.unfinished.iterate()) {
      if (places.length === limit) break
      if (begunUs < beforeUs) places.push(parseObjectId(id))
    }
    return places
  }

  #tally(): Tally {
    const { coming } = this.#access
    return new Tally(coming.totals, coming.owned)
  }
}
