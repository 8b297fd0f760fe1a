/** One listing of a folder for many who ask: a thousand open invites read the same one. */
import { promises, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { FirstMessages } from '../../../../src/daemon/channels/carriers/first-messages.ts'
import { firstName } from '../../../../src/daemon/channels/carriers/folder-names.ts'
import { codeOf } from '../../../support/code-of.ts'
import { folderPlace, frame, TestEnd } from '../../../support/carrier-places.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const [HOST, GUEST] = ['0123456789abcdef', 'fedcba9876543210']

/** Counts the directories that are listed. */
function countListings(): { readonly of: (path: string) => number } {
  const spy = vi.spyOn(promises, 'opendir')
  onTestFinished(() => spy.mockRestore())
  return { of: (path) => spy.mock.calls.filter(([listed]) => listed === path).length }
}

it('a listing has first messages by their host and by their guest, and no other names', async () => {
  const folder = tempDir()
  for (const name of [firstName(HOST, GUEST), firstName(HOST, HOST), HOST, 'photo.jpg'])
    writeFileSync(join(folder, name), '')
  const { byHost, byGuest } = await new FirstMessages().list(folder)
  expect([...byHost].map(([host, names]) => [host, names.toSorted()])).toEqual([
    [HOST, [firstName(HOST, HOST), firstName(HOST, GUEST)]],
  ])
  expect(new Map(byGuest)).toEqual(
    new Map([
      [HOST, [firstName(HOST, HOST)]],
      [GUEST, [firstName(HOST, GUEST)]],
    ]),
  )
})

it('whoever asks while a folder is listed shares the next listing, which has the files that came by then', async () => {
  const folder = tempDir()
  const listings = countListings()
  const firsts = new FirstMessages()
  const first = Array.from({ length: 10 }, () => firsts.list(folder))
  // The listing of these ten has begun.
  await Promise.resolve()
  await Promise.resolve()
  expect(listings.of(folder)).toBe(1)
  writeFileSync(join(folder, firstName(HOST, GUEST)), '')
  const later = Array.from({ length: 10 }, () => firsts.list(folder))
  await Promise.all(first)
  for (const each of later) expect((await each).byHost.has(HOST)).toBe(true)
  expect(listings.of(folder)).toBe(2)
})

it('a listing that fails is made again for the next who ask', async () => {
  const folder = join(tempDir(), 'away')
  const firsts = new FirstMessages()
  const failed = [firsts.list(folder), firsts.list(folder)]
  for (const each of failed) expect(await codeOf(each)).toBe('ENOENT')
  await promises.mkdir(folder)
  expect((await firsts.list(folder)).byHost.size).toBe(0)
})

it('a new intake lists no folder, and one of an earlier start lists it once', async () => {
  const place = folderPlace()
  const listings = countListings()
  const [alice, bob] = [await TestEnd.at(place), await TestEnd.at(place)]
  await alice.send(bob, frame(1))
  expect(listings.of(place.at)).toBe(0)
  alice.restart()
  await alice.send(bob, frame(2), frame(3))
  expect(listings.of(place.at)).toBe(1)
})
