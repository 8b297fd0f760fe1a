/** The objects of a relay in the database. Their parts go in the transaction that takes the record away. */
import {
  objectId,
  type BeginOutcome,
  type HeldObject,
  type ObjectPlace,
  type ObjectStore,
  type OfferedObject,
} from '../store/object-store.ts'
import type { Access } from './access.ts'
import { removeParts, sizeOfParts } from './object-parts.ts'
import { TOTALS } from './totals.ts'

export class PostgresObjects implements ObjectStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async begin(object: OfferedObject, nowUs: number): Promise<BeginOutcome> {
    return await this.#access.change(keysOf(object), ({ objects }) => objects.begin(object, nowUs))
  }

  async finish(place: ObjectPlace, bytes: number, nowUs: number): Promise<'kept' | 'gone' | 'full'> {
    return await this.#access.change(keysOf(place), async ({ objects, snapshot }) => {
      const { rows } = await snapshot.run(sizeOfParts(objectId(place)))
      // Another process removed it meanwhile, and perhaps somebody sends it anew.
      return Number(rows[0]?.[0]) === bytes ? await objects.finish(place, bytes, nowUs) : 'gone'
    })
  }

  async find(place: ObjectPlace, nowUs: number): Promise<HeldObject | null> {
    return await this.#access.look([objectKey(place)], ({ objects }) => objects.find(place, nowUs))
  }

  async counts(place: ObjectPlace): Promise<boolean> {
    return await this.#access.look([objectKey(place)], ({ objects }) => objects.counts(place))
  }

  async remove(places: readonly ObjectPlace[]): Promise<void> {
    if (places.length === 0) return
    await this.#access.change([...places.map(objectKey), TOTALS], async ({ objects, snapshot }) => {
      await objects.remove(places)
      await snapshot.run(removeParts(places.map(objectId)))
    })
  }

  async of(persona: string, limit: number): Promise<readonly ObjectPlace[]> {
    return await this.#access.look([], ({ objects }) => objects.of(persona, limit))
  }

  async due(nowUs: number, limit: number): Promise<readonly ObjectPlace[]> {
    return await this.#access.look([], ({ objects }) => objects.due(nowUs, limit))
  }

  async unfinished(limit: number, beforeUs?: number): Promise<readonly ObjectPlace[]> {
    return await this.#access.look([], ({ objects }) => objects.unfinished(limit, beforeUs))
  }
}

function objectKey(place: ObjectPlace): string {
  return `object/${objectId(place)}`
}

function keysOf(place: ObjectPlace): string[] {
  return [objectKey(place), TOTALS]
}
