/** People whose inboxes and stores are at different relays. */
import { expect } from 'vitest'
import { Correspondent, inboxRelay, statsOf, type InboxRelay } from './message-sides.ts'
import { tempDir } from './temp-dir.ts'

export const APP = 'org.example.notes'

export interface Apart {
  readonly inboxes: InboxRelay
  readonly stores: InboxRelay
}

export async function twoRelays(config: string = ''): Promise<Apart> {
  const [inboxes, stores] = await Promise.all([inboxRelay(tempDir(), config), inboxRelay(tempDir(), config)])
  return { inboxes, stores }
}

/** Somebody who takes messages at one relay, and keeps those that wait for others at another one. */
export async function somebody({ inboxes, stores }: Apart): Promise<Correspondent> {
  const person = await Correspondent.start(inboxes, stores)
  await person.use(APP)
  await person.client.call('card.inboxes', { app: APP, inboxes: [inboxes.relay.url] })
  const card = await person.client.call('card.stores', { app: APP, stores: [stores.relay.url] })
  expect(card).toMatchObject({ inboxes: [`${inboxes.relay.url}/`], stores: [`${stores.relay.url}/`] })
  return person
}

/** Resolves once neither relay has an entry or an object. */
export async function expectEmpty({ inboxes, stores }: Apart): Promise<void> {
  const counts = async (): Promise<unknown[]> =>
    (await Promise.all([inboxes, stores].map(statsOf))).map(({ entries, objects }) => [entries, objects])
  const empty = [
    [0, 0],
    [0, 0],
  ]
  await expect.poll(counts, { timeout: 30_000 }).toEqual(empty)
}
