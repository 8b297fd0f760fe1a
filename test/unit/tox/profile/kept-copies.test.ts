import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DAYS_KEPT, KeptCopies, NEWEST_KEPT } from '../../../../src/tox/profile/kept-copies.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const KEY = 'A'.repeat(64)
const PATH = '/home/me/a.tox'
const DAY = 86_400
const START = 1_800_000_000 // 2027-01-15T08:00:00Z
const bytesOf = (number: number): Uint8Array => new TextEncoder().encode(`save ${number}`)

test('a copy has the date of the save, and the same save is kept once', async () => {
  const directory = join(tempDir(), 'kept')
  const kept = new KeptCopies(directory)
  expect(await kept.list()).toEqual([])
  for (const path of [PATH, '/home/me/moved.tox']) await kept.keep(KEY, path, bytesOf(1), START)
  await kept.keep(KEY, PATH, bytesOf(1), START + 5)
  const [profile, ...more] = await kept.list()
  expect(more).toEqual([])
  expect(profile).toMatchObject({ key: KEY, path: PATH, copies: [{ savedAtSec: START, bytes: 6 }] })
  expect(readFileSync(profile!.copies[0]!.file, 'utf8')).toBe('save 1')
})

test('the oldest, the newest and one of each of the last days stay', async () => {
  const directory = join(tempDir(), 'kept')
  const kept = new KeptCopies(directory)
  // 10 saves on each of 20 days.
  for (let number = 0; number < 200; number++) {
    await kept.keep(KEY, PATH, bytesOf(number), START + Math.floor(number / 10) * DAY + (number % 10) * 600)
    expect(readdirSync(join(directory, KEY)).length).toBeLessThanOrEqual(2 + NEWEST_KEPT + DAYS_KEPT)
  }
  const { copies } = (await kept.list())[0]!
  const saves = copies.map(({ file }) => readFileSync(file, 'utf8'))
  const lastOfDays = [13, 14, 15, 16, 17, 18].map((day) => `save ${day * 10 + 9}`)
  expect(saves).toEqual(['save 0', ...lastOfDays, 'save 196', 'save 197', 'save 198', 'save 199'])
})

test('a save with a date before all others is kept as the newest, and the first one stays the oldest', async () => {
  const kept = new KeptCopies(join(tempDir(), 'kept'))
  for (let number = 0; number < 20; number++) await kept.keep(KEY, PATH, bytesOf(number), START + number)
  const ends = async (): Promise<readonly (string | undefined)[]> => {
    const saves = (await kept.list())[0]!.copies.map(({ file }) => readFileSync(file, 'utf8'))
    return [saves[0], saves.at(-1)]
  }
  for (let number = 20; number < 40; number++) {
    await kept.keep(KEY, PATH, bytesOf(number), number * 3 - 100)
    expect(await ends()).toEqual(['save 0', `save ${number}`])
  }
  await kept.keep(KEY, PATH, bytesOf(97), 1e15)
  expect(await ends()).toEqual(['save 0', 'save 97'])
})
