/** The text about announcements. */
import { expect, test } from 'vitest'
import { formatAnnounce, formatRefreshed } from '../../../../src/cli/own/announce.ts'
import type { AnnouncedItem, AnnounceStatus } from '../../../../src/ipc/methods/announce.ts'
import { HOSTILE, NOT_ANNOUNCED, NOW } from '../../../support/views.ts'

const ITEM: AnnouncedItem = { epoch: 1, forward: false, putSec: NOW - 720, nodes: 8, problem: null }
const ON: AnnounceStatus = {
  ...NOT_ANNOUNCED,
  kind: 'contacts',
  readingKey: true,
  network: true,
  items: [ITEM, { ...ITEM, epoch: 0, forward: true }],
  following: 31,
  bytesToday: 7_300_000,
  bytesYesterday: 19_000_000,
}

test('one sentence says who can read the table, where it is, how many contacts announce, and what that costs', () => {
  expect(formatAnnounce(ON, 40, NOW)).toEqual([
    'your table is announced to your contacts: on 8 nodes, put 2023-11-14 22:01 (12 minutes ago); 31 of 40 contacts announce; 19.0 MB yesterday, 7.3 MB today',
    '1 further announcement for contacts who know an earlier key of yours',
  ])
})

test('the kinds devices and public name contacts too, or everybody', () => {
  expect(formatAnnounce({ ...ON, kind: 'devices' }, 40, NOW)[0]).toMatch(
    /^your table is announced to your contacts, and everybody who knows/,
  )
  expect(formatAnnounce({ ...ON, kind: 'public' }, 40, NOW)[0]).toMatch(/^your table is announced to everybody/)
})

test('announcements that are off are one line, also without a network', () => {
  expect(formatAnnounce(NOT_ANNOUNCED, 3, NOW)).toEqual(['announcements are off'])
})

test('one contact is in the singular, and none is not counted', () => {
  const off = { ...NOT_ANNOUNCED, network: true, following: 1 }
  expect(formatAnnounce(off, 1, NOW)).toEqual(['announcements are off; 1 of 1 contact announces; 0 kB today'])
  expect(formatAnnounce({ ...off, following: 0 }, 0, NOW)).toEqual(['announcements are off; 0 kB today'])
})

test('an item that no node keeps is named with the reason, and so are devices that have no room', () => {
  const nowhere = { ...ITEM, nodes: 0, problem: 'no node answers' }
  const items = [nowhere, { ...nowhere, forward: true }, { ...ITEM, forward: true }]
  const lines = formatAnnounce({ ...ON, kind: 'devices', items, devicesLeftOut: 2 }, 0, NOW)
  expect(lines[0]).toContain(': on no node: no node answers; ')
  expect(lines.slice(1)).toEqual([
    '2 further announcements for contacts who know an earlier key of yours, 1 of them on no node',
    'it has no room for the keys of the last 2 of your devices: who knows only one of these cannot open it',
  ])
})

test('each hindrance has its own line, and no text of others reaches the terminal as it is', () => {
  const lines = formatAnnounce(
    {
      ...ON,
      readingKey: false,
      waitsForKey: true,
      network: false,
      items: [{ ...ITEM, nodes: null, problem: HOSTILE }],
    },
    1,
    NOW,
  )
  expect(lines).toHaveLength(5)
  expect(lines.join('')).not.toContain(HOSTILE)
  expect(lines[0]).toContain('not put')
})

test('a refresh names each contact and what came of it', () => {
  const of = { name: 'Alice', items: 1, changed: true, announced: true, problem: null }
  expect(
    formatRefreshed({
      contacts: [
        of,
        { ...of, items: 0, changed: false },
        { ...of, items: 0, changed: false, announced: false },
        { ...of, changed: false, announced: false },
        { ...of, items: null, problem: 'no node answers' },
      ],
    }),
  ).toEqual([
    'Alice: a newer table',
    'Alice: nothing found',
    'Alice: nothing found; you have seen no table of this contact that says that it is announced',
    'Alice: an announcement is there, and nothing known here opens it; a table of theirs does, or one of their devices as your friend in Tox',
    'Alice: not looked up: no node answers',
  ])
  expect(formatRefreshed({ contacts: [] })).toEqual(['no contact announces a table'])
})
