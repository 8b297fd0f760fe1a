/** The objects of the relay's store in memory: a plain map, written to be compared with the contract. */
import {
  objectId,
  type BeginOutcome,
  type HeldObject,
  type ObjectPlace,
  type ObjectStore,
  type OfferedObject,
} from './object-store.ts'
import { costOfObject, type StoreLimits } from './rules.ts'

interface TimedObject extends ObjectPlace, HeldObject {
  readonly isComing: boolean
  readonly begunUs: number
  readonly endsUs: number
}

export interface MemoryObjectsOptions {
  readonly limits: StoreLimits
  readonly kept: ObjectMemory
  readonly isKnown: (persona: string) => boolean
  /** Bytes that the whole store takes. */
  readonly bytes: () => number
}

/** The stores that share it know this together. */
export class ObjectMemory {
  readonly all: Map<string, TimedObject> = new Map()

  get count(): number {
    return [...this.all.values()].filter(({ isComing }) => !isComing).length
  }

  /** @param persona all of them without it */
  bytesOf(persona?: string): number {
    const counted = [...this.all.values()].filter((object) => persona === undefined || object.persona === persona)
    return counted.reduce((sum, { bytes }) => sum + costOfObject(bytes), 0)
  }
}

export class MemoryObjects implements ObjectStore {
  readonly #options: MemoryObjectsOptions
  readonly #all: Map<string, TimedObject>

  constructor(options: MemoryObjectsOptions) {
    this.#options = options
    this.#all = options.kept.all
  }

  async begin({ persona, name, bytes, hash }: OfferedObject, nowUs: number): Promise<BeginOutcome> {
    const { limits, kept, isKnown } = this.#options
    const id = objectId({ persona, name })
    const found = this.#all.get(id)
    if (found !== undefined) return found.isComing ? { outcome: 'coming' } : { outcome: 'there', hash: found.hash }
    if (!isKnown(persona)) return { outcome: 'unknown' }
    const cost = costOfObject(bytes)
    if (kept.bytesOf(persona) + cost > limits.maxPersonaBytes) return { outcome: 'much' }
    if (this.#options.bytes() + cost > limits.maxDiskBytes) return { outcome: 'full' }
    this.#all.set(id, { persona, name, bytes, hash, isComing: true, begunUs: nowUs, endsUs: 0 })
    return { outcome: 'begun' }
  }

  async finish(place: ObjectPlace, bytes: number, nowUs: number): Promise<'kept' | 'gone'> {
    const { limits, isKnown } = this.#options
    const found = this.#all.get(objectId(place))
    if (found?.isComing !== true || !isKnown(place.persona)) return 'gone'
    this.#all.set(objectId(place), { ...found, bytes, isComing: false, endsUs: nowUs + limits.objectUs })
    return 'kept'
  }

  async find(place: ObjectPlace, nowUs: number): Promise<HeldObject | null> {
    const found = this.#all.get(objectId(place))
    if (found === undefined || found.isComing || found.endsUs <= nowUs) return null
    return { bytes: found.bytes, hash: found.hash }
  }

  async counts(place: ObjectPlace): Promise<boolean> {
    return this.#all.has(objectId(place))
  }

  async remove(places: readonly ObjectPlace[]): Promise<void> {
    for (const place of places) this.#all.delete(objectId(place))
  }

  async of(persona: string, limit: number): Promise<readonly ObjectPlace[]> {
    return this.#places((object) => object.persona === persona, limit)
  }

  async due(nowUs: number, limit: number): Promise<readonly ObjectPlace[]> {
    return this.#places(({ isComing, endsUs }) => !isComing && endsUs <= nowUs, limit)
  }

  async unfinished(limit: number, beforeUs: number = Infinity): Promise<readonly ObjectPlace[]> {
    return this.#places(({ isComing, begunUs }) => isComing && begunUs < beforeUs, limit)
  }

  #places(isWanted: (object: TimedObject) => boolean, limit: number): ObjectPlace[] {
    const wanted = [...this.#all.values()].filter(isWanted).toSorted((a, b) => a.endsUs - b.endsUs)
    return wanted.slice(0, limit).map(({ persona, name }) => ({ persona, name }))
  }
}
