/** What people see of a message, whatever keeps it for them. */
import { expect } from 'vitest'
import type { TestKeeper } from './keeper.ts'
import { makeContacts, type Correspondent } from './message-sides.ts'
import { confirmWords } from './rotation.ts'

const APP = 'org.example.notes'

/** @param objects how many objects the relay has */
export async function deliverAndLeave(
  alice: Correspondent,
  bob: Correspondent,
  objects: () => Promise<number> | number,
): Promise<void> {
  await makeContacts(alice, bob)
  await bob.use(APP)
  const number = await alice.put(APP, bob, 'dinner at eight?')
  expect(await bob.texts(APP, 1)).toEqual(['dinner at eight?'])
  await alice.untilSent(APP, number!, 'received')
  await expect.poll(objects, { timeout: 20_000 }).toBe(0)
  await bob.stop()
  await alice.untilSent(APP, (await alice.put(APP, bob, 'at nine?'))!, 'notified')
  expect(await objects()).toBe(1)
  await confirmWords(alice.client as unknown as TestKeeper)
  expect(await alice.client.call('persona.leave', {})).toMatchObject({ unreached: [] })
  expect(await objects()).toBe(0)
}
