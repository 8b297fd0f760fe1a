/** Messages between real daemons, over real relays and personad-net. */
import { expect, test } from 'vitest'
import { Correspondent, inboxRelay, makeContacts, objectsOf } from '../support/message-sides.ts'

const TIMEOUT_MS = 60_000 // sanity: a few seconds on an idle machine
const APP = 'org.example.notes'

test(
  'a message is with the recipient, and its sender hears of it; the store does not have it any more',
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([Correspondent.start(relay), Correspondent.start(relay)])
    await makeContacts(alice, bob)
    await bob.use(APP)
    const number = await alice.put(APP, bob, 'dinner at eight?')
    expect(await bob.texts(APP, 1)).toEqual(['dinner at eight?'])
    await alice.untilSent(APP, number!, 'received')
    await expect.poll(() => objectsOf(relay), { timeout: 20_000 }).toEqual([])
  },
  TIMEOUT_MS,
)
