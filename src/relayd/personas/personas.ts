/** Deletes all that a relay has of a persona: for a device of it, and for the operator (docs/relay.md, "Deletion"). */
import type { Sha256 } from '../../core/engine.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import type { Devices } from '../cards/devices.ts'
import type { DeviceCall, ObjectCaller } from '../objects/object-service.ts'
import type { Objects } from '../objects/objects.ts'
import { StoreError } from '../../store/errors.ts'
import { chargeAddress } from '../store/charge-address.ts'
import type { RelayStore } from '../store/relay-store.ts'
import type { PersonaService, RemovePersona } from './persona-service.ts'

export interface PersonasOptions {
  readonly store: Pick<RelayStore, 'forgetCards' | 'inboxes' | 'scrub' | 'spend'>
  readonly objects: Pick<Objects, 'forget'>
  readonly devices: Devices
  readonly engine: Sha256
  readonly limits: Pick<RelayLimits, 'address'>
  readonly nowUs: () => number
}

/** The parts that were deleted. */
export interface Forgotten {
  readonly cards: number
  readonly inboxes: number
  readonly objects: number
}

const NOTHING = new Uint8Array(0)

export class Personas implements PersonaService {
  readonly #options: PersonasOptions

  constructor(options: PersonasOptions) {
    this.#options = options
  }

  async remove(persona: string, call: DeviceCall, { address }: ObjectCaller): Promise<RemovePersona> {
    const { store, devices, engine, limits, nowUs } = this.#options
    const retryAfterSec = await chargeAddress(store, address, limits.address, nowUs())
    if (retryAfterSec > 0) return { outcome: 'busy', retryAfterSec }
    const request = { ...call, method: 'DELETE', bodyHash: engine.sha256(NOTHING) }
    const verdict = await devices.judge(request, { own: persona })
    if (verdict.outcome !== 'good') return verdict
    return { outcome: (await this.forget(persona)) === null ? 'full' : 'removed' }
  }

  /** @returns null if the disk is full, so that a part is left @throws {StoreError} any other code */
  async forget(persona: string): Promise<Forgotten | null> {
    const { store } = this.#options
    try {
      // The cards go after the rest: without one no device could ask again, should the disk be full in between.
      const first = await this.#forgetKept(persona)
      const cards = await store.forgetCards(persona)
      // All that came meanwhile found a card. A request that comes now finds none.
      const last = await this.#forgetKept(persona)
      await store.scrub()
      return { cards, inboxes: first.inboxes + last.inboxes, objects: first.objects + last.objects }
    } catch (error) {
      if (error instanceof StoreError && error.code === 'STORE_DISK_FULL') return null
      throw error
    }
  }

  async #forgetKept(persona: string): Promise<Omit<Forgotten, 'cards'>> {
    const { store, objects } = this.#options
    return { inboxes: await store.inboxes.forget(persona), objects: await objects.forget(persona) }
  }
}
