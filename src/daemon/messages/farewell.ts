/** The owner leaves the persona, or erases everything: objects that wait at stores are deleted, as far as the stores can be reached. */
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { deleteObject } from '../../relay/objects.ts'
import { FAREWELL_MS } from '../cards/farewell.ts'
import { noteFailure, onDisk } from './records/means.ts'
import type { Messages } from './messages.ts'
import { appIn } from './records/ids.ts'
import { SENT, type StoredSent } from './records/kinds.ts'
import { objectsAt, withCard } from './tasks/relays-at.ts'

/** It never rejects. @returns the objects that may still lie at a store */
export async function sayFarewell({ isOpen, means }: Messages): Promise<Unreached[]> {
  // Without the apps key nobody knows which objects there are.
  if (!isOpen) return []
  const left = new Map<string, Unreached>()
  const late = new AbortController()
  const cancel = means.clock.after(FAREWELL_MS, () => late.abort())
  const works: Promise<void>[] = []
  for (const [app, { id, store, to }] of await storedObjects(means)) {
    left.set(id, { kind: 'message', id: store, app, name: to })
    works.push(
      remove(app, id, store, late.signal, means)
        .then(() => void left.delete(id))
        .catch((error: unknown) => noteFailure('message.farewell', error, means)),
    )
  }
  await Promise.all(works)
  cancel()
  return [...left.values()]
}

async function storedObjects(
  means: Messages['means'],
): Promise<(readonly [app: string, sent: StoredSent & { readonly store: string }])[]> {
  const found: (readonly [string, StoredSent & { readonly store: string }])[] = []
  for await (const [id, sent] of onDisk(means, SENT).iterate())
    if (sent.store !== null) found.push([appIn(id), { ...sent, store: sent.store }])
  return found
}

async function remove(
  app: string,
  id: string,
  store: string,
  signal: AbortSignal,
  means: Messages['means'],
): Promise<void> {
  const device = means.cards.deviceNow(app)
  if (device === null) throw new Error('no device of the persona')
  const at = await objectsAt(store, device.personaId, means)
  await withCard(store, app, async () => await deleteObject(at, id, device.token, { signal }), means)
}
