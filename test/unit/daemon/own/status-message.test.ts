/** The owner's short status: when there is one, what it leads to, and own devices that show it (docs/announce.md, section 10). */
import { beforeEach, describe, expect, it } from 'vitest'
import { announcing, SharedDht } from '../../../support/announcing.ts'
import { codeOf } from '../../../support/code-of.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey } from '../../../support/person.ts'
import { hears, rotates, siblings } from '../../../support/rotation.ts'
import type { Announcer } from '../../../../src/daemon/announce/announcer.ts'

const SHORT_BYTES = 99

let dht: SharedDht
let laptop: TestKeeper
let phone: TestKeeper
let words: string
let announcer: Announcer

beforeEach(async () => {
  dht = new SharedDht()
  ;({ laptop, phone, words } = await siblings())
  ;({ announcer } = await announcing(laptop, dht))
})

async function shortText(test: TestKeeper, own = ''): Promise<string> {
  return (await test.call('blob.get', { words: own, short: true })).text
}

describe('the short status of the owner', () => {
  it('is refused while announcements are off', async () => {
    expect(await codeOf(laptop.call('blob.get', { short: true }))).toBe('NOT_ANNOUNCED')
    await announcer.on('contacts')
    expect(await codeOf(laptop.call('blob.get', { short: true }))).toBe('done')
    await announcer.off()
    expect(await codeOf(laptop.call('blob.get', { short: true }))).toBe('NOT_ANNOUNCED')
  })

  it('is never the default, and has the same bytes for every table of its key', async () => {
    await announcer.on('contacts')
    const before = await shortText(laptop)
    expect(new TextEncoder().encode(before)).toHaveLength(SHORT_BYTES)
    for (let i = 0; i < 10; i++)
      await laptop.later(10).call('device.add', { name: `d${i}`, key: deviceKey(`own ${i}`) })
    expect(await shortText(laptop)).toBe(before)
    const { text, token, bytes, words: own } = await laptop.call('blob.get', { words: 'at home', short: true })
    expect({ text, token, bytes, own }).toEqual({
      text: `at home ${before}`,
      token: before,
      bytes: 107,
      own: 'at home',
    })
    expect((await laptop.call('blob.get')).text.length).toBeGreaterThan(500)
  })

  it('takes the place of a table or of another short status among the words', async () => {
    await announcer.on('contacts')
    const short = await shortText(laptop)
    const { text: table } = await laptop.call('blob.get', { words: 'at home' })
    expect(await shortText(laptop, table)).toBe(`at home ${short}`)
    expect((await laptop.call('blob.get', { words: `at home ${short}` })).text).toBe(table)
  })

  it('judged on its own has no table, and says where that is', async () => {
    await announcer.on('contacts')
    const short = await shortText(laptop, 'at home')
    const judged = await laptop.call('verify', { text: short })
    expect(judged).toMatchObject({ valid: false, code: 'NO_TOKEN', blob: null, words: 'at home' })
    expect(judged.message).toContain('names a table on the DHT')
    const damaged = await laptop.call('verify', { text: short.replace(/.$/, '!') })
    expect(damaged).toMatchObject({ code: 'NO_TOKEN', message: 'the text has no persona token' })
  })

  it('is refused with words that leave no room for it, by their bytes', async () => {
    await announcer.on('contacts')
    expect(await codeOf(laptop.call('blob.get', { words: 'x'.repeat(906), short: true }))).toBe('done')
    const over = laptop.call('blob.get', { words: 'x'.repeat(907), short: true })
    await expect(over).rejects.toMatchObject({ code: 'WORDS_TOO_LONG', details: { bytesOver: 1 } })
  })

  it('is another one after a reread and after a rotation', async () => {
    await announcer.on('contacts')
    const first = await shortText(laptop)
    await announcer.reread()
    const second = await shortText(laptop.later(100))
    await rotates(laptop, words, { epoch: 1 })
    const third = await shortText(laptop.later(100))
    expect(new Set([first, second, third]).size).toBe(3)
    const word = (text: string): string => text.slice('persona:'.length)
    const judged = [first, second, third, third.replace(/.$/, '!')].map((text) => laptop.keeper.shownShort(word(text)))
    expect(judged).toEqual(['older', 'older', 'current', null])
  })

  it('of a rotation that another device made is newer, and any once nothing is announced is older', async () => {
    await announcer.on('contacts')
    await hears(phone, OWN_LAPTOP, laptop)
    await rotates(laptop.later(100), words, { epoch: 1 })
    const text = (await shortText(laptop)).slice('persona:'.length)
    expect(phone.keeper.shownShort(text)).toBe('newer')
    await announcer.off()
    expect(laptop.keeper.shownShort(text)).toBe('older')
    expect((await TestKeeper.withPersona()).keeper.shownShort(text)).toBe('other')
    expect((await TestKeeper.open()).keeper.shownShort(text)).toBeNull()
  })
})

describe('an own device that shows the short status', () => {
  it('counts as showing a table of the owner, and never as behind', async () => {
    await announcer.on('contacts')
    const text = await shortText(laptop)
    expect(await laptop.later(100).sees(OWN_PHONE, text)).toMatchObject({ shown: 'valid', state: 'confirmed' })
    await laptop.later(100).call('device.add', { name: 'tablet', key: deviceKey('own tablet') })
    const { devices } = await laptop.call('device.shown')
    expect(devices.find(({ key }) => key === OWN_PHONE)).toMatchObject({ state: 'unnumbered', seq: null })
    const { findings } = await laptop.call('status')
    expect(findings.filter(({ code }) => code === 'DEVICE_OLDER')).toEqual([])
  })

  it('brings the rotation that another device made, from the DHT', async () => {
    await announcer.on('contacts')
    await hears(phone, OWN_LAPTOP, laptop)
    const { clock } = await announcing(phone, dht)
    await rotates(laptop.later(100), words, { epoch: 1 })
    await announcer.now()
    expect(await phone.later(300).sees(OWN_LAPTOP, await shortText(laptop))).toMatchObject({ shown: 'short' })
    await clock.advance(0)
    expect(await phone.call('device.list')).toMatchObject({ epoch: 1 })
  })
})
