/** Messages whose inbox and store are at different relays, between real daemons: large ones, many, and two devices of each person (docs/messages.md, section 8). */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { joinPieces, putContent } from '../../src/cli/contents/pieces.ts'
import { APP, expectEmpty, somebody, twoRelays } from '../support/messages-apart.ts'
import { makeContacts, objectsOf, statsOf, type Correspondent } from '../support/message-sides.ts'
import { RAISED_LIMITS } from '../support/relay-process.ts'

const BYTES = Number(process.env['MESSAGE_BYTES'] ?? 400_000) // `npm run test:slow` asks for the largest
const COUNT = Number(process.env['MESSAGE_COUNT'] ?? 10) // and for more than a sender may send at once
const TIMEOUT_MS: number = 120_000 + COUNT * 400 + BYTES / 200 // sanity: a message takes some 20 ms on an idle machine, a megabyte a second
const USUAL_COUNT = 10 // as many as the limits of a relay allow beside the other calls

/** Reads and acknowledges until so many have come. */
async function takeAll(person: Correspondent, count: number): Promise<string[]> {
  const texts: string[] = []
  await person.untilMessages(async (client) => {
    for (;;) {
      const { messages } = await client.call('message.read', { app: APP, after: 0 })
      const last = messages.at(-1)
      if (last === undefined) return texts.length >= count
      texts.push(...messages.map(({ content, failed }) => failed ?? Buffer.from(content, 'base64').toString()))
      await client.call('message.ack', { app: APP, upTo: last.number })
    }
  })
  return texts
}

test(
  `a message waits at the one relay and its entry at the other; then ${BYTES} bytes come whole, and each of ${COUNT} messages once`,
  async () => {
    const apart = await twoRelays(COUNT > USUAL_COUNT ? RAISED_LIMITS : '')
    const [alice, bob] = await Promise.all([somebody(apart), somebody(apart)])
    await makeContacts(alice, bob)
    await bob.stop()
    const first = await alice.put(APP, bob, 'while you are away')
    await alice.untilSent(APP, first!, 'notified')
    expect([objectsOf(apart.inboxes).length, objectsOf(apart.stores).length]).toEqual([0, 1])
    expect([await statsOf(apart.inboxes), await statsOf(apart.stores)]).toMatchObject([{ entries: 1 }, { entries: 0 }])
    await bob.start()
    expect(await takeAll(bob, 1)).toEqual(['while you are away'])

    const bytes = randomBytes(BYTES)
    const large = await putContent(bytes, async (piece) =>
      alice.client.call('message.put', { app: APP, to: bob.persona, ...piece }),
    )
    const [piece] = await bob.arrived(APP, 1)
    const whole = await joinPieces(piece!, async (offset) => {
      const { messages } = await bob.client.call('message.read', { app: APP, after: 0, limit: 1, offset })
      return messages[0]?.content
    })
    expect(Buffer.from(whole.content, 'base64').equals(bytes)).toBe(true)
    await bob.client.call('message.ack', { app: APP, upTo: whole.number })
    await alice.untilSent(APP, large, 'received')

    const texts = Array.from({ length: COUNT }, (_, i) => `message-${i}`)
    const taken = takeAll(bob, COUNT)
    for (const text of texts) await alice.put(APP, bob, text, text)
    expect((await taken).toSorted()).toEqual(texts.toSorted())
    await expectEmpty(apart)
  },
  TIMEOUT_MS,
)
