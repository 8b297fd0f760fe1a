/** A real relay whose disk becomes full, as its clients and its operator see it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { cardAt } from '../../src/card/place.ts'
import { callRelay } from '../../src/relayd/program/call-relay.ts'
import { BoxOwner, madeUpKey } from '../support/box-owner.ts'
import { APP, verifiedCard } from '../support/cards.ts'
import { makePersona, sodium } from '../support/made-persona.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { mountSmallDisk, NO_SMALL_DISK } from '../support/small-disk.ts'
import { tempDir } from '../support/temp-dir.ts'

const REASON = NO_SMALL_DISK === '' ? '' : ` (skipped: ${NO_SMALL_DISK})`
const FAST =
  'limits:\n  unchecked_boxes: 1000000\n  box_burst: 1000000\n  address_burst: 1000000\n  address_per_second: 1000000\n'
const FULL = { ok: false, error: 'Too often', retryAfter: 60 }
const DATA_CHARS = 12_000
const KEPT = 3 // messages of the owner
const MAX_SENDS = 2000 // sanity: the whole disk holds as many
const RESUME_MS = 60_000 // the relay looks for room each half minute

/** Puts a card that is good from now on. @returns the status and the error */
async function putCard(url: string): Promise<[number, unknown]> {
  const { text, root, chain } = verifiedCard(makePersona(1), { issuedAtSec: Math.floor(Date.now() / 1000) })
  const at = cardAt(root, chain.personaId, APP, sodium)
  const answer = await fetch(`${url}/card/${at}`, { method: 'PUT', body: text })
  return [answer.status, ((await answer.json()) as { error?: string }).error]
}

// The store's own tests fill its disk in each run.
it.skipIf(REASON !== '' || process.env['STORIES'] === undefined)(
  `a full disk refuses sends in the right words, reads go on, and the relay takes more once there is room${REASON}`,
  async () => {
    const home = tempDir()
    const disk = mountSmallDisk(home, 'bytes')
    onTestFinished(() => disk.unmount())
    const dataDir = join(home, 'state')
    const relay = await RelayProcess.start({ home, dataDir, config: FAST })
    const post = (body: unknown): Promise<unknown> => relay.post(body)
    const owner = await BoxOwner.make()
    const send = (n: number, pub: string): Promise<unknown> =>
      post({ pub, ext: null, action: 'send', data: String(n).padStart(DATA_CHARS, 'A') })
    const stats = (): Promise<unknown> => callRelay(join(dataDir, 'control.sock'), 'stats', {})
    await owner.receive(post, relay.url)
    for (let n = 0; n < KEPT; n++) expect(await send(n, owner.pub)).toEqual({ ok: true })
    disk.fill()
    // LevelDB still writes to the end of the page that its log has.
    let answer: unknown = { ok: true }
    for (let n = 0; n < MAX_SENDS && JSON.stringify(answer) === '{"ok":true}'; n++)
      answer = await send(n, madeUpKey(randomBytes))
    expect(answer).toEqual(FULL)
    expect(await stats()).toMatchObject({ isFull: true })
    expect(await send(KEPT, owner.pub)).toEqual(FULL)
    expect(await post({ pub: owner.pub, ext: null, action: 'check', at: 0 })).toMatchObject({ ok: true, found: true })
    expect(await putCard(relay.url)).toEqual([507, 'Full'])
    const messages = await owner.receive(post, relay.url)
    expect(messages.map(({ data }) => Number(data.replaceAll('A', '')))).toEqual(
      Array.from({ length: KEPT }, (_, n) => n),
    )
    // Naming them as processed deletes nothing on a full disk, and is no failure either.
    expect(await owner.receive(post, relay.url, messages.at(-1)!.at)).toEqual([])
    expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
    disk.free()
    await expect.poll(() => send(1000, owner.pub), { timeout: RESUME_MS, interval: 500 }).toEqual({ ok: true })
    expect(await stats()).toMatchObject({ isFull: false })
    expect((await putCard(relay.url))[0]).toBe(200)
    expect(await owner.receive(post, relay.url, messages.at(-1)!.at)).toHaveLength(1)
    expect(await relay.kill('SIGTERM')).toBe(0)
    const again = await RelayProcess.start({ home, dataDir, config: FAST })
    expect(await owner.receive((body) => again.post(body), again.url)).toHaveLength(1)
  },
  120_000,
)
