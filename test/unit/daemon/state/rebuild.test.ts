/** The state after salvage: whichever record is lost, the daemon starts, lists all others, and signs nothing before it is reconciled. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { MARK_SALVAGED } from '../../../../src/store/salvage/mark.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import type { Entry } from '../../../../src/store/store.ts'
import { OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const PEOPLE = ['ann', 'bob', 'carl']
const FRIEND = person('friend without a persona')

let whole: readonly Entry[] = []
let stateDir = ''
let nowSec = 0
const names = ['Ann', 'Bob', 'Carl', 'Friend']

/** A state with records of every kind that a daemon without wings writes. */
async function makeState(): Promise<void> {
  const story = await TestKeeper.withPersona()
  await story.call('device.add', { name: 'phone', key: OWN_PHONE })
  for (const [i, name] of PEOPLE.entries()) {
    const other = person(`${name} in a salvaged store`)
    await story.sees(other.key('phone'), other.table(['phone', 'laptop']), { name: names[i]! })
  }
  await story.sees(FRIEND.key('phone'), 'hello', { name: 'Friend' })
  const bob = person('bob in a salvaged store')
  await story.call('contact.policy', { contact: 'Bob', policy: 'ask' })
  bob.table(['phone', 'laptop'])
  await story.later(60).sees(bob.key('phone'), bob.table(['phone', 'tablet']))
  await story.later(60).sees(bob.key('phone'), bob.thief().table(['phone'], { after: null }))
  await story.call('app.allow', { name: 'toxbot', can: ['read'] })
  whole = await Array.fromAsync(story.store.iterate({ prefix: '' }))
  ;({ stateDir, nowSec } = story)
}

/** Opens what salvage would have written without some records. */
async function openWithout(isLost: (key: string) => boolean): Promise<TestKeeper> {
  const store = openMemoryStore()
  const kept = whole.filter(({ key }) => !isLost(key))
  await store.commit([MARK_SALVAGED, ...kept])
  const copy = join(tempDir(), 'state')
  cpSync(stateDir, copy, { recursive: true })
  return await TestKeeper.open({ store, stateDir: copy, nowSec })
}

async function listed(story: TestKeeper): Promise<string[]> {
  const { contacts } = await story.call('contact.list', {})
  return contacts.map(({ name }) => name).toSorted()
}

beforeEach(makeState)

describe('a salvaged state', () => {
  test('without a loss is the same as before, but for the mark', async () => {
    const story = await openWithout(() => false)
    const after = await Array.fromAsync(story.store.iterate({ prefix: '' }))
    const changed = after.filter(({ key, value }) => {
      const before = whole.find((entry) => entry.key === key)
      return before === undefined || !Buffer.from(before.value).equals(value)
    })
    expect(changed.map(({ key }) => key)).toEqual(['salvaged/here'])
    expect(after).toHaveLength(whole.length + 1)
  })

  test('starts without any one of its records, and lists every contact that was not hit', async () => {
    const keys = whole.map(({ key }) => key).filter((key) => !key.startsWith('own/'))
    const kinds = new Set(keys.map((key) => key.split('/')[0]))
    for (const kind of ['persona', 'device', 'name', 'counts', 'pending', 'history', 'tip', 'alarm', 'app', 'clock'])
      expect(kinds, kind).toContain(kind)
    const own = new TextDecoder().decode(whole.find(({ key }) => key === 'own/own')!.value)
    let ran = 0
    for (const key of keys) {
      if (own.includes(key.slice('persona/'.length)) && key.startsWith('persona/')) continue
      const story = await openWithout((each) => each === key)
      const lost = names.filter((name) => isHit(key, name))
      expect(await listed(story), key).toEqual(names.filter((name) => !lost.includes(name)))
      const { findings } = await story.call('status')
      expect(
        findings.map(({ code }) => code),
        key,
      ).not.toContain('HISTORY_BROKEN')
      expect(await story.call('log.verify'), key).toMatchObject({ intact: true })
      const { counts } = await story.call('status')
      expect([counts.contacts + counts.provisional, counts.devices > 0], key).toEqual([4 - lost.length, true])
      // Everything goes on from there.
      await story.later(60).sees(FRIEND.key('phone'), 'still here', { name: 'Friend' })
      ran++
    }
    expect(ran).toBeGreaterThan(30)
  })

  test('without any names, indexes or history is listed as before', async () => {
    const story = await openWithout((key) => /^(name|counts|pending|history|tip|clock)\//.test(key))
    expect(await listed(story)).toEqual(names)
    expect((await story.call('pending.list', {})).pending.map(({ contact }) => contact)).toEqual(['Bob'])
    expect(await story.call('log.verify')).toMatchObject({ intact: true, entries: 0 })
  })

  test('whose history has a gap keeps the entries after it', async () => {
    const entries = whole.filter(({ key }) => key.startsWith('history/'))
    const gap = entries.at(-4)!.key
    const story = await openWithout((key) => key === gap)
    // The first entry after the gap cannot be verified, so it goes too.
    expect(await story.call('log.verify')).toMatchObject({ intact: true, entries: 2, newest: entries.length })
  })

  test('whose own table is lost refuses to start with the keys of the persona, and keeps them', async () => {
    await expect(openWithout((key) => key === 'own/own')).rejects.toMatchObject({ code: 'SECRETS_FOREIGN' })
    const own = new TextDecoder().decode(whole.find(({ key }) => key === 'own/own')!.value)
    const isOwn = (key: string): boolean => key.startsWith('persona/') && own.includes(key.slice('persona/'.length))
    expect(whole.filter(({ key }) => isOwn(key))).toHaveLength(1)
    await expect(openWithout(isOwn)).rejects.toMatchObject({ code: 'SECRETS_FOREIGN' })
  })

  test('in which an older record has the name of another contact gives it a number', async () => {
    const isAnn = (key: string): boolean => isHit(key, 'Ann') && key.startsWith('persona/')
    const ann = whole.find(({ key }) => isAnn(key))!
    const text = new TextDecoder().decode(ann.value.subarray(1)).replace('"name":"Ann"', '"name":"Bob"')
    const value = Uint8Array.from([ann.value[0]!, ...new TextEncoder().encode(text)])
    const before = whole
    whole = [...whole.filter((entry) => entry !== ann), { key: ann.key, value }]
    try {
      const story = await openWithout(() => false)
      const found = await listed(story)
      expect(found).toEqual(['Bob', 'Bob#2', 'Carl', 'Friend'])
      for (const name of found) expect((await story.call('lookup', { query: name })).contact?.name).toBe(name)
    } finally {
      whole = before
    }
  })
})

/** Whether the contact of this name cannot be listed without the record. */
function isHit(key: string, name: string): boolean {
  if (name === 'Friend') return key === `device/${FRIEND.key('phone')}`
  return key === `persona/${person(`${name.toLowerCase()} in a salvaged store`).id}`
}
