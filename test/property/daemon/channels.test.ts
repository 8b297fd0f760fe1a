/** Random histories of two daemons over a post that loses, doubles and reorders, with crashes: each content is read once, in order. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChannelDaemon, openChannel, settle } from '../../support/channel-daemon.ts'
import { MemoryPost } from '../../support/memory-carrier.ts'

const ROUNDS = Number(process.env['CHANNEL_ROUNDS'] ?? 6)
const TEN_SECONDS_MS = 11_000
const HOUR_MS = 3_600_000

type Act = { readonly act: 'send' | 'crash' | 'later'; readonly atHost: boolean } | { readonly act: 'away' | 'back' }

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('send' as const), atHost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('crash' as const), atHost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('later' as const), atHost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ act: 'away' }, { act: 'back' }) },
)

it('each content is read once, in order, whatever the post and crashes do', async () => {
  let delivered = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 5, maxLength: 40 }),
      fc.infiniteStream(fc.nat(9)),
      async (acts, chance) => {
        const post = new MemoryPost()
        const ends = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
        const { hostId, guestId } = await openChannel(post, ends[0]!, ends[1]!)
        const ids = [hostId, guestId]
        const next = (): number => chance.next().value as number
        post.copies = () => [0, 2, 1, 1, 1, 1, 1, 1, 1, 1][next()]!
        post.swaps = () => next() < 2
        const sent: string[][] = [[], []]
        for (const each of acts) {
          if (!('atHost' in each)) {
            post.isAway = each.act === 'away'
            continue
          }
          const at = each.atHost ? 0 : 1
          if (each.act === 'send') {
            const text = `${at} ${sent[at]!.length}`
            await ends[at]!.call('channel.send', { id: ids[at]!, text })
            sent[at]!.push(text)
          } else if (each.act === 'crash') ends[at] = await ends[at]!.restarted()
          else ends[at]!.later(TEN_SECONDS_MS)
        }
        post.isAway = false
        post.copies = () => 1
        post.swaps = () => false
        // Whatever was lost is posted again within the hour.
        for (let hour = 0; hour < 3; hour++) {
          for (const end of ends) end.later(HOUR_MS)
          await settle(post, ...ends)
        }
        expect(await ends[1]!.texts(guestId)).toEqual(sent[0])
        expect(await ends[0]!.texts(hostId)).toEqual(sent[1])
        delivered += sent[0]!.length + sent[1]!.length
        for (const end of ends) await end.runner.close()
      },
    ),
    { numRuns: ROUNDS },
  )
  expect(delivered).toBeGreaterThan(0)
})
