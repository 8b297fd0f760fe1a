/** README's quickstart and the guide pages, typed into a shell beside a real daemon. */
import { describe, expect, test } from 'vitest'
import { PLAYED_PAGES, playPage, playQuickstart, readPage, withoutChance } from '../support/guide.ts'

const TIMEOUT_MS = 120_000 // sanity: a page takes a few seconds on an idle machine

describe('README', () => {
  test(
    'every command of the quickstart works, in its order',
    async () => {
      const played = await playQuickstart()
      expect(played.length).toBeGreaterThan(5)
      expect(played.at(-1)).toMatch(/^persona device list\n[^]*\nphone …\S+ +\S{64} .*active\nlaptop …/)
    },
    TIMEOUT_MS,
  )
})

describe('the guide', () => {
  test.each(Object.keys(PLAYED_PAGES))(
    '%s shows the output that the programs print (else: node test/generate/guide.ts)',
    async (page) => {
      const { text, typed } = await playPage(page)
      expect(typed).toBeGreaterThan(0)
      expect(withoutChance(text)).toBe(withoutChance(readPage(page)))
    },
    TIMEOUT_MS,
  )

  test('other output is noticed, other keys and times are not', () => {
    const [one, other] = ['A'.repeat(64), 'B'.repeat(64)]
    expect(withoutChance(`phone ${one}, 2026-11-21 10:00 (just now)`)).toBe(
      withoutChance(`phone ${other}, 2026-12-01 11:30 (3 seconds ago)`),
    )
    expect(withoutChance(`phone ${one}`)).not.toBe(withoutChance(`laptop ${one}`))
    expect(withoutChance(`phone ${one}`)).not.toBe(withoutChance('phone AAAA'))
  })
})
