/**
 * Random histories of two daemons over a post that loses, doubles and reorders. Either stops, or is killed while it works: each content is read
 * once, in order.
 */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { openHeader } from '../../../src/channel/ratchet/frame.ts'
import { equalBytes } from '../../../src/core/encoding/bytes.ts'
import { loadEnd } from '../../../src/daemon/channels/ends/end-state.ts'
import { openMemoryStore } from '../../../src/store/memory-store.ts'
import { ChannelDaemon, openChannel, settle } from '../../support/channel-daemon.ts'
import { CrashingStore } from '../../support/crashing-store.ts'
import { MemoryPost } from '../../support/memory-carrier.ts'
import { engine } from '../../support/person.ts'

const ROUNDS = Number(process.env['CHANNEL_ROUNDS'] ?? 6)
const TIMEOUT_MS: number = 60_000 + ROUNDS * 2000 // sanity: a history takes a quarter of a second on an idle machine
const TEN_SECONDS_MS = 11_000
const HOUR_MS = 3_600_000

type Act =
  | { readonly act: 'send' | 'stop' | 'later' | 'quiet'; readonly atHost: boolean }
  /** Sends, and is killed when so many commits have reached the disk; of the last one it hears nothing. */
  | { readonly act: 'crash'; readonly atHost: boolean; readonly commits: number; readonly sends: number }
  | { readonly act: 'away' | 'back' }

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('send' as const), atHost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('stop' as const), atHost: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('crash' as const),
      atHost: fc.boolean(),
      commits: fc.nat(3),
      sends: fc.nat(3),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('later' as const), atHost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('quiet' as const), atHost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ act: 'away' }, { act: 'back' }) },
)

/** One daemon over all its lives, with its end of the channel. */
class Talker {
  readonly disk = new CrashingStore(openMemoryStore())
  readonly name: string
  daemon!: ChannelDaemon
  id = ''
  /** In the order in which the app sent them. */
  readonly texts: string[] = []
  #unanswered: string[] = []

  constructor(name: string) {
    this.name = name
  }

  async open(post: MemoryPost): Promise<this> {
    this.daemon = await ChannelDaemon.open(post, { store: this.disk })
    return this
  }

  /** The same key makes it harmless to send a content again whose call had no answer. */
  async #call(text: string): Promise<void> {
    await this.daemon.call('channel.send', { id: this.id, text, key: text })
  }

  async send(): Promise<void> {
    const text = `${this.name} ${this.texts.length}`
    this.texts.push(text)
    await this.#call(text).catch((error: unknown) => {
      if (!this.disk.isDead) throw error
      this.#unanswered.push(text)
    })
  }

  /** Whether data that leaves is on the disk, if it is of this end, and all that it acknowledges. */
  isOnDisk(data: Uint8Array): boolean {
    const channel = loadEnd(this.id, this.daemon.sealed.records)?.channel
    if (channel === undefined || channel.headerKeys === null) return true
    const opened = openHeader(data.subarray(1), channel.headerKeys.own, engine)
    if (opened === null) return true
    const { counter, ack } = opened.header
    const kept = channel.window.find((each) => each.counter === counter)
    return counter <= channel.sent && ack <= channel.received && (kept === undefined || equalBytes(kept.data, data))
  }

  async stop(): Promise<void> {
    this.daemon = await this.daemon.restarted()
  }

  async crash(commits: number, sends: number): Promise<void> {
    this.disk.crashAfter(commits)
    await Promise.all(Array.from({ length: sends }, () => this.send()))
    await this.daemon.idle()
    this.disk.crashAfter(0)
    this.daemon = await this.daemon.restarted(() => this.disk.revive())
    for (const text of this.#unanswered.splice(0)) await this.#call(text)
  }
}

async function play(each: Act, talkers: readonly [Talker, Talker], post: MemoryPost): Promise<void> {
  if (!('atHost' in each)) {
    post.isAway = each.act === 'away'
    return
  }
  const talker = talkers[each.atHost ? 0 : 1]
  if (each.act === 'send') await talker.send()
  else if (each.act === 'stop') await talker.stop()
  else if (each.act === 'crash') await talker.crash(each.commits, each.sends)
  else if (each.act === 'later') talker.daemon.later(TEN_SECONDS_MS)
  else await talker.daemon.idle()
}

it(
  'each content is read once, in order, whatever the post and crashes do',
  async () => {
    let [delivered, checked] = [0, 0]
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 5, maxLength: 40 }),
        fc.infiniteStream(fc.nat(9)),
        async (acts, chance) => {
          const post = new MemoryPost()
          const [host, guest] = [await new Talker('host').open(post), await new Talker('guest').open(post)]
          const { hostId, guestId } = await openChannel(post, host.daemon, guest.daemon)
          ;[host.id, guest.id] = [hostId, guestId]
          const next = (): number => chance.next().value as number
          let early = 0
          const noteEarly = (data: Uint8Array): void => {
            checked++
            if (!host.isOnDisk(data) || !guest.isOnDisk(data)) early++
          }
          post.copies = (data) => {
            noteEarly(data)
            return [0, 2, 1, 1, 1, 1, 1, 1, 1, 1][next()]!
          }
          post.swaps = () => next() < 2
          for (const each of acts) await play(each, [host, guest], post)
          post.isAway = false
          post.copies = (data) => {
            noteEarly(data)
            return 1
          }
          post.swaps = () => false
          // Whatever was lost is posted again within the hour.
          for (let hour = 0; hour < 3; hour++) {
            for (const { daemon } of [host, guest]) daemon.later(HOUR_MS)
            await settle(post, host.daemon, guest.daemon)
          }
          expect(early, 'what has left is on disk').toBe(0)
          expect(await guest.daemon.texts(guestId)).toEqual(host.texts)
          expect(await host.daemon.texts(hostId)).toEqual(guest.texts)
          delivered += host.texts.length + guest.texts.length
          for (const { daemon } of [host, guest]) await daemon.runner.close()
        },
      ),
      { numRuns: ROUNDS },
    )
    expect(delivered).toBeGreaterThan(0)
    expect(checked).toBeGreaterThan(delivered)
  },
  TIMEOUT_MS,
)
