/** Short statuses by the real programs, in profiles, with the table on nodes of bittorrent-dht. All of it stays on loopback. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import type { PublishReport } from '../../src/cli/tox/publish.ts'
import { readName, readStatusMessage } from '../../src/tox/save/savefile.ts'
import { AnnounceNet } from '../support/announce-net.ts'
import { BOB, keyOf, LAPTOP, putProfiles, readSave, seeFriend, whose } from '../support/people.ts'
import type { Home } from '../support/persona.ts'
import { deviceKey } from '../support/person.ts'
import { Toxic, toxicAbsence } from '../support/toxic.ts'

const SHORT_BYTES = 99 // `persona:` and 91 characters
const MOST_DEVICES = 15
const absence = toxicAbsence()

// A story runs thirty commands, and other tests run beside it.
vi.setConfig({ testTimeout: 60_000 })

let net: AnnounceNet
beforeAll(async () => {
  net = await AnnounceNet.start()
})
afterAll(() => net.close())

const shownBy = (home: Home, file: string): string => readStatusMessage(readSave(join(home.directory, file))).text

/** Alice announces from her laptop, whose profile shows a short status. */
async function announcingAlice(): Promise<{ alice: Home; report: PublishReport }> {
  const alice = net.home()
  putProfiles(alice.directory)
  await alice.start()
  await alice.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
  expect(await alice.failure(['tox', 'publish', LAPTOP, '--short'])).toBe('1 NOT_ANNOUNCED')
  expect(await alice.failure(['blob', '--short'])).toBe('1 NOT_ANNOUNCED')
  await alice.done(['announce', 'on'])
  const report = (await alice.json(['tox', 'publish', LAPTOP, '--short'])) as PublishReport
  return { alice, report }
}

/** Fills the table. */
async function addDevices(alice: Home): Promise<void> {
  for (let i = 2; i <= MOST_DEVICES; i++)
    await alice.done(['device', 'add', `d${i}`, '--key', deviceKey(`device ${i} of Alice`)])
  const { devices } = (await alice.json(['device', 'list'])) as { devices: unknown[] }
  expect(devices).toHaveLength(MOST_DEVICES)
}

describe(`a short status, in ${whose}`, () => {
  test('has the same length for 1 and 15 devices, and leads a stranger to the newest table', async () => {
    const { alice, report } = await announcingAlice()
    const words = report.status.words
    expect(report).toMatchObject({ short: true, written: true, wordsDropped: false })
    expect(report.status.token).toHaveLength(SHORT_BYTES)
    const text = shownBy(alice, LAPTOP)
    expect(text).toBe(`${words} ${report.status.token}`)

    expect(await alice.json(['blob', '--short', '--text', 'for my phone'])).toEqual({
      ...report.status,
      words: 'for my phone',
      text: `for my phone ${report.status.token}`,
      bytes: SHORT_BYTES + 'for my phone '.length,
    })

    await addDevices(alice)
    const again = await alice.done(['tox', 'publish', LAPTOP, '--short'])
    expect(again).toContain(`${LAPTOP} already shows your short status; it was not changed`)
    expect(again).toContain('friends with personad 0.1 see a damaged table')
    expect(shownBy(alice, LAPTOP)).toBe(text)
    // Neither words nor another command loses it.
    await alice.done(['tox', 'set', LAPTOP, 'status', 'indoors'])
    expect(shownBy(alice, LAPTOP)).toBe(`indoors ${report.status.token}`)
    await alice.done(['publish'])
    expect(shownBy(alice, LAPTOP)).toBe(`indoors ${report.status.token}`)
    expect(await alice.done(['announce'])).toContain(`on ${net.nodes} nodes`)

    // Bob has never seen a table of hers. All her devices are off.
    const bob = net.home()
    putProfiles(bob.directory)
    const minuteAgo = Math.floor(Date.now() / 1000) - 60
    seeFriend(join(bob.directory, BOB), keyOf(join(alice.directory, LAPTOP)), shownBy(alice, LAPTOP), minuteAgo)
    await alice.stop()
    await bob.start()
    const scanned = await bob.done(['tox', 'scan', BOB])
    expect(scanned).toContain('1 short status of a persona that is not known here yet')
    await bob.done(['contact', 'refresh'])
    const { personaId } = report.status.table
    const shown = (await bob.json(['contact', 'show', personaId])) as {
      devices: { name: string; state: string; key: string }[]
      claims: unknown[]
    }
    const laptop = formatHex(keyOf(join(alice.directory, LAPTOP)))
    expect(shown.devices).toMatchObject([{ name: 'laptop', state: 'confirmed', key: laptop }])
    expect(shown.claims).toHaveLength(MOST_DEVICES - 1)
    const followed = (await bob.json(['tox', 'follow', BOB])) as { added: unknown[] }
    expect(followed.added).toHaveLength(MOST_DEVICES - 1)
  })

  test('gives way to the table when the owner publishes without --short', async () => {
    const { alice, report } = await announcingAlice()
    await alice.done(['tox', 'publish', LAPTOP])
    expect(shownBy(alice, LAPTOP)).toMatch(new RegExp(`^${report.status.words} persona:\\S{208,}$`))
    await alice.done(['tox', 'publish', LAPTOP, '--short'])
    await alice.done(['announce', 'off'])
    await alice.done(['publish'])
    expect(shownBy(alice, LAPTOP)).toMatch(new RegExp(`^${report.status.words} persona:\\S{208,}$`))
  })
})

describe.skipIf(absence !== null)(`toxic ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test.runIf(process.env['STORIES'] !== undefined)(
    'shows a short status of 1 device and of 15, and saves it as it was',
    async () => {
      const { alice, report } = await announcingAlice()
      const path = join(alice.directory, LAPTOP)
      await addDevices(alice)
      await alice.done(['tox', 'publish', LAPTOP, '--short'])
      await alice.stop()
      const before = readSave(path)
      const toxic = new Toxic(alice.directory, path)
      await toxic.shows(`] ${readName(before).text} `)
      await toxic.shows(report.status.token)
      toxic.type('/nick Changed')
      await toxic.shows('] Changed ')
      await toxic.exit()
      const after = readSave(path)
      expect(readName(after).text).toBe('Changed')
      expect(readStatusMessage(after).bytes).toEqual(readStatusMessage(before).bytes)
    },
  )
})
