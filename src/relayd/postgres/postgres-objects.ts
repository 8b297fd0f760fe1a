/** The objects of a relay in the database, without their bytes. */
import {
  objectId,
  type BeginOutcome,
  type HeldObject,
  type ObjectPlace,
  type ObjectStore,
  type OfferedObject,
} from '../store/object-store.ts'
import type { Access } from './access.ts'

export class PostgresObjects implements ObjectStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async begin(object: OfferedObject): Promise<BeginOutcome> {
    return await this.#access.change(keysOf(object), ({ objects }) => objects.begin(object))
  }

  async finish(place: ObjectPlace, bytes: number, nowUs: number): Promise<'kept' | 'gone' | 'full'> {
    return await this.#access.change(keysOf(place), ({ objects }) => objects.finish(place, bytes, nowUs))
  }

  async find(place: ObjectPlace, nowUs: number): Promise<HeldObject | null> {
    return await this.#access.look([objectKey(place)], ({ objects }) => objects.find(place, nowUs))
  }

  async counts(place: ObjectPlace): Promise<boolean> {
    return await this.#access.look([objectKey(place)], ({ objects }) => objects.counts(place))
  }

  async remove(places: readonly ObjectPlace[]): Promise<void> {
    if (places.length === 0) return
    await this.#access.change([...places.map(objectKey), 'total/all'], ({ objects }) => objects.remove(places))
  }

  async of(persona: string, limit: number): Promise<readonly ObjectPlace[]> {
    return await this.#access.look([], ({ objects }) => objects.of(persona, limit))
  }

  async due(nowUs: number, limit: number): Promise<readonly ObjectPlace[]> {
    return await this.#access.look([], ({ objects }) => objects.due(nowUs, limit))
  }

  async unfinished(limit: number): Promise<readonly ObjectPlace[]> {
    return await this.#access.look([], ({ objects }) => objects.unfinished(limit))
  }
}

function objectKey(place: ObjectPlace): string {
  return `object/${objectId(place)}`
}

function keysOf(place: ObjectPlace): string[] {
  return [objectKey(place), 'total/all']
}
