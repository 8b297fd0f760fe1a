/** The promises of every carrier: what a channel may count on, whatever lies in between. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BOX_TYPE, formatData, MAX_DATA_BYTES } from '../../src/channel/ratchet/box-data.ts'
import { MAX_CURSOR_CHARS, ownIntakes, type Watched } from '../../src/channel/carriers/carrier.ts'
import { CarrierError } from '../../src/channel/carriers/errors.ts'
import { codeOf } from '../support/code-of.ts'
import { firstMessage, frame, SUBJECTS, TestEnd, type TestPlace } from '../support/carrier-places.ts'

const range = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from + 1 }, (_, i) => frame(from + i))

/** The news of a watch. */
class News {
  readonly told: string[] = []
  #wake: () => void = () => {}

  readonly onNews = ({ line }: Watched): void => {
    this.told.push(line.id)
    this.#wake()
  }

  /** Resolves once the line was told of. */
  async of(line: string): Promise<void> {
    while (!this.told.includes(line)) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.told.length = 0
  }
}

describe.each(SUBJECTS)('the $name carrier', (subject) => {
  async function twoEnds(): Promise<{ place: TestPlace; alice: TestEnd; bob: TestEnd }> {
    const place = await subject.make()
    return { place, alice: await TestEnd.at(place), bob: await TestEnd.at(place) }
  }

  /** Watches for an end, until the test is over. */
  function watchFor(
    end: TestEnd,
    lines: () => readonly Watched[],
  ): { news: News; changed: () => void; stop: AbortController } {
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const news = new News()
    const watch = end.carrier.watch(lines, news.onNews, stop.signal)
    return { news, stop, changed: () => watch.changed() }
  }

  it('serves the addresses that it gives, and no others', async () => {
    const { alice } = await twoEnds()
    expect(alice.carrier.name).toBe(subject.name)
    expect(alice.carrier.serves(alice.address.where[0]!.url)).toBe(true)
    for (const url of ['veilid:abc', 'folder:', 'folder:0123456789ABCDEF', 'ftp://relay.example/', ''])
      expect(alice.carrier.serves(url), url).toBe(false)
  })

  it('gives each data as it was left, in order', async () => {
    const { alice, bob } = await twoEnds()
    // Data of the type of a first message would be one, so the type is a frame's.
    const noise = formatData(BOX_TYPE.frame, new Uint8Array(randomBytes(500)))
    const sent = [...range(1, 5), frame(6, 12_000), frame(7, 4), noise]
    expect(await alice.send(bob, ...sent)).toBe('left')
    await bob.send(alice, frame(9))
    expect((await bob.readAll(alice)).data).toEqual(sent)
    expect((await alice.readAll(bob)).data).toEqual([frame(9)])
  })

  it('takes the greatest data, and refuses what is larger', async () => {
    const { alice, bob } = await twoEnds()
    expect(alice.carrier.limits.maxDataBytes).toBe(MAX_DATA_BYTES)
    await alice.send(bob, frame(1, MAX_DATA_BYTES - 1))
    expect((await bob.readAll(alice)).data[0]).toHaveLength(MAX_DATA_BYTES)
    expect(await codeOf(alice.send(bob, frame(1, MAX_DATA_BYTES)))).toBe('DATA_TOO_LARGE')
  })

  it('stands data that is left again, and its reader still comes to an end', async () => {
    const { alice, bob } = await twoEnds()
    await alice.send(bob, ...range(1, 3))
    const { cursor } = await bob.readAll(alice)
    await alice.send(bob, ...range(1, 3), frame(4))
    const { data } = await bob.readAll(alice, cursor)
    expect(data).toContainEqual(frame(4))
    expect(data.length).toBeLessThanOrEqual(4)
  })

  it('goes on after the last cursor when its reader starts anew, and brings nothing that is not after it', async () => {
    const { alice, bob } = await twoEnds()
    await alice.send(bob, ...range(1, 6))
    const arrivals = await bob.receive(alice)
    bob.restart()
    expect((await bob.readAll(alice, arrivals[2]!.cursor)).data).toEqual(range(4, 6))
    const { cursor } = await bob.readAll(alice, arrivals[2]!.cursor)
    bob.restart()
    await alice.send(bob, frame(7))
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(7)])
  })

  it('keeps what was left when its writer starts anew, and takes more', async () => {
    const { alice, bob } = await twoEnds()
    await alice.send(bob, ...range(1, 3))
    alice.restart()
    await alice.send(bob, frame(2), frame(4))
    const { data } = await bob.readAll(alice)
    for (const each of range(1, 4)) expect(data).toContainEqual(each)
    expect(data.length).toBe(4)
  })

  it('deletes nothing that its reader has not named as processed', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, ...range(1, 5))
    for (let n = 0; n < 3; n++) expect((await bob.receive(alice)).map(({ data }) => data)).toEqual(range(1, 5))
    bob.restart()
    expect((await bob.receive(alice)).map(({ data }) => data)).toEqual(range(1, 5))
    expect(await place.count()).toBe(5)
  })

  it('has room again for what was processed and is no longer in flight', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, ...range(1, 5))
    const arrivals = await bob.receive(alice)
    await bob.carrier.processed(bob.lineTo(alice), bob.intake, arrivals[2]!.cursor)
    await alice.carrier.settled(alice.lineTo(bob), range(4, 5))
    expect(await place.count()).toBe(2)
    expect((await bob.readAll(alice, arrivals[2]!.cursor)).data).toEqual(range(4, 5))
  })

  it('has short cursors, however much is on its way', async () => {
    const { alice, bob } = await twoEnds()
    let cursor = ''
    let count = 0
    for (let n = 1; n <= 8; n++) {
      await alice.send(bob, ...range(n * 16, n * 16 + 15))
      for (
        let arrivals = await bob.receive(alice, cursor);
        arrivals.length > 0;
        arrivals = await bob.receive(alice, cursor)
      ) {
        cursor = arrivals.at(-1)!.cursor
        count += arrivals.length
        expect(cursor.length).toBeLessThanOrEqual(MAX_CURSOR_CHARS)
      }
    }
    expect(count).toBe(128)
  })

  it('reads from the beginning with the cursor of another carrier', async () => {
    const { alice, bob } = await twoEnds()
    await alice.send(bob, frame(1))
    for (const cursor of ['no cursor', '-1', `${'z'.repeat(9)}.aaa`, 'x'.repeat(10_000)])
      expect((await bob.receive(alice, cursor)).map(({ data }) => data)).toEqual([frame(1)])
  })

  it('answers "used" for a retired intake, and both ends still get what lies there', async () => {
    const { alice, bob } = await twoEnds()
    await alice.send(bob, frame(1))
    await bob.send(alice, frame(2))
    await bob.carrier.retire(bob.lineTo(alice), bob.intake)
    expect(await alice.send(bob, frame(3))).toBe('used')
    alice.restart()
    bob.restart()
    expect(await alice.send(bob, frame(3))).toBe('used')
    expect((await bob.readAll(alice)).data).toContainEqual(frame(1))
    expect((await alice.readAll(bob)).data).toEqual([frame(2)])
    expect(await bob.send(alice, frame(4))).toBe('left')
    await bob.carrier.retire(bob.lineTo(alice), bob.intake)
  })

  it('brings the first messages of all guests to a host, and the answer to each', async () => {
    const { place, alice: host, bob } = await twoEnds()
    const carol = await TestEnd.at(place)
    expect((await host.readAll(null)).data).toEqual([])
    await bob.send(host, firstMessage(1))
    await bob.send(host, firstMessage(1))
    await carol.send(host, firstMessage(2))
    const firsts = await host.readAll(null)
    expect(firsts.data).toHaveLength(2)
    for (const n of [1, 2]) expect(firsts.data).toContainEqual(firstMessage(n))
    await host.send(bob, frame(11))
    await host.send(carol, frame(12))
    expect((await bob.readAll(host)).data).toContainEqual(frame(11))
    expect((await carol.readAll(host)).data).toContainEqual(frame(12))
    host.restart()
    expect((await host.readAll(null, firsts.cursor)).data).toEqual([])
    await host.carrier.retire(host.lineTo(null), host.intake)
    expect(await (await TestEnd.at(place)).send(host, firstMessage(3))).toBe('used')
  })

  it('clears away the first message of a guest that is no longer in flight', async () => {
    const { place, alice: host, bob } = await twoEnds()
    await bob.send(host, firstMessage(1))
    const { cursor } = await host.readAll(null)
    await host.carrier.processed(host.lineTo(null), host.intake, cursor)
    bob.restart()
    await bob.carrier.settled(bob.lineTo(host), [firstMessage(1)])
    await bob.send(host, frame(2))
    await bob.carrier.settled(bob.lineTo(host), [frame(2)])
    expect((await host.receive(null, cursor)).length).toBeLessThanOrEqual(1)
    expect(await place.count()).toBe(1)
  })

  it('goes on over a move: the peer who knows the new address, and the one who does not yet, get everything', async () => {
    const { alice, bob } = await twoEnds()
    await alice.send(bob, frame(1))
    const old = bob.address
    const oldIntake = bob.intake
    await bob.move()
    const { carrier } = alice
    await carrier.send({ ...alice.lineTo(bob), peer: old }, old.where[0]!, frame(2))
    await alice.send(bob, frame(3))
    const read = await Promise.all(ownIntakes(bob).map(async (own) => await bob.receive(alice, '', own)))
    const data = read.flat().map((arrival) => arrival.data)
    for (const each of range(1, 3)) expect(data).toContainEqual(each)
    await bob.send(alice, frame(4))
    for (const peer of [old, bob.address]) {
      const line = { ...alice.lineTo(bob), peer }
      expect((await carrier.receive(line, alice.intake, '')).map((arrival) => arrival.data)).toEqual([frame(4)])
    }
    await bob.carrier.retire(bob.lineTo(alice), oldIntake)
    expect(await carrier.send({ ...alice.lineTo(bob), peer: old }, old.where[0]!, frame(5))).toBe('used')
    expect(await alice.send(bob, frame(6))).toBe('left')
    await bob.carrier.forget(oldIntake)
    bob.own.shift()
    expect((await alice.readAll(bob)).data).toEqual([frame(4)])
  })

  it('passes by what others put there, and gives what is of its form only within bounds', async () => {
    const { place, alice, bob } = await twoEnds()
    await place.spoil(bob.address, alice.address)
    await alice.send(bob, ...range(1, 3))
    const { data } = await bob.readAll(alice)
    for (const each of range(1, 3)) expect(data).toContainEqual(each)
    for (const each of data) expect(each.length).toBeLessThanOrEqual(17 * 1024)
    expect(data.length).toBeLessThanOrEqual(5)
    expect((await bob.readAll(null)).data.length).toBeLessThanOrEqual(5)
    await place.spoil(alice.address, bob.address)
    await bob.send(alice, frame(4))
    await bob.carrier.settled(bob.lineTo(alice), [])
  })

  it('says that the place is away, and loses nothing until it is back', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1))
    const comeBack = place.takeAway()
    const failed = await alice.send(bob, frame(2)).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(CarrierError)
    expect(failed).toMatchObject({ code: 'CARRIER_AWAY', passes: true })
    expect((failed as CarrierError).retryAfterMs).toBeGreaterThan(0)
    expect(await codeOf(bob.receive(alice))).toBe('CARRIER_AWAY')
    expect(await codeOf(bob.carrier.retire(bob.lineTo(alice), bob.intake))).toBe('CARRIER_AWAY')
    comeBack()
    for (const end of [alice, bob]) end.restart()
    await alice.send(bob, frame(2))
    expect((await bob.readAll(alice)).data).toEqual(range(1, 2))
  })

  it('wakes its reader: for what lay there, for what comes, and for lines that are added', async () => {
    const { place, alice, bob } = await twoEnds()
    const carol = await TestEnd.at(place)
    await alice.send(bob, frame(1))
    const lines: Watched[] = [{ line: bob.lineTo(alice), own: bob.intake }]
    const { news, changed, stop } = watchFor(bob, () => lines)
    await news.of(bob.lineTo(alice).id)
    await bob.readAll(alice)
    await alice.send(bob, frame(2))
    await news.of(bob.lineTo(alice).id)
    lines.push({ line: carol.lineTo(alice), own: carol.intake })
    changed()
    await alice.send(carol, frame(3))
    await news.of(carol.lineTo(alice).id)
    await alice.send(bob, frame(4))
    await news.of(bob.lineTo(alice).id)
    stop.abort()
    changed()
    await alice.send(bob, frame(5))
    expect((await bob.readAll(alice)).data).toContainEqual(frame(5))
    expect(news.told).toEqual([])
  })

  it('wakes a host for the first message of a guest', async () => {
    const { alice: host, bob } = await twoEnds()
    const { news } = watchFor(host, () => [{ line: host.lineTo(null), own: host.intake }])
    if (subject.name === 'folder') await news.of(host.lineTo(null).id)
    await bob.send(host, firstMessage(1))
    await news.of(host.lineTo(null).id)
    expect((await host.readAll(null)).data).toEqual([firstMessage(1)])
  })
})
