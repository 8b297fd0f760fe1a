/** Tables written by a thief of the current key, and the rotation that follows them. */
import { describe, expect, it } from 'vitest'
import { parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { decodeVerified } from '../../../../src/core/verify.ts'
import type { Document } from '../../../../src/core/document.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine } from '../../../support/person.ts'
import { rotates, withWords } from '../../../support/rotation.ts'
import { forge, type Forgery } from '../../../support/thief.ts'

async function robbed(): Promise<{ laptop: TestKeeper; words: string }> {
  const { laptop, words } = await withWords()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  return { laptop, words }
}

/** The thief's table, shown on the stolen phone. */
async function forges(laptop: TestKeeper, forgery: Partial<Forgery>): Promise<void> {
  const keys = [OWN_LAPTOP, OWN_PHONE]
  const text = forge(laptop, { keys, document: '', step: 1, timeSec: laptop.nowSec, follows: true, ...forgery })
  expect((await laptop.later(100).sees(OWN_PHONE, text!)).verdict).toBe('accept')
}

function documentOf(laptop: TestKeeper): Document {
  const { personaId } = laptop.records.own.get('own')!
  const { content } = decodeVerified(parseBase64url(laptop.records.personas.get(personaId)!.head!)!, engine)
  return content.ok ? content.document : []
}

describe('a table of a thief', () => {
  it('with a key that fills the document stops neither an edit nor a rotation, and the plan shows that it goes', async () => {
    const { laptop, words } = await robbed()
    await forges(laptop, { keys: [OWN_PHONE], document: `x: ${'a'.repeat(2045)}` })
    const { planned } = await rotates(laptop, words, { epoch: 1, without: [OWN_PHONE] })
    expect(planned).toMatchObject({ gaveUp: ['keys'], devices: [{ key: OWN_LAPTOP }] })
    expect(documentOf(laptop)).toEqual([['names', ['laptop']]])
    await laptop.call('device.add', { name: 'tablet', key: deviceKey('tablet') })
  })

  it('with a key of another case than ours stops no edit', async () => {
    const { laptop } = await robbed()
    await forges(laptop, { document: 'Names: x\nCOMPANIONS: y' })
    const edited = await laptop.call('device.rename', { device: 'laptop', name: 'desk' })
    expect([edited.gaveUp, documentOf(laptop)]).toEqual([[], [['names', ['desk', 'phone']]]])
  })

  it('keeps foreign keys while they fit, and gives them up before names', async () => {
    const { laptop } = await robbed()
    await forges(laptop, { document: `x: ${'b'.repeat(2040)}` })
    expect((await laptop.call('device.activate', { device: 'phone' })).gaveUp).toEqual(['keys'])
    await forges(laptop, { document: 'x: y' })
    expect((await laptop.call('device.activate', { device: 'laptop' })).gaveUp).toEqual([])
    expect(documentOf(laptop)).toContainEqual(['x', 'y'])
  })

  it('with the mark of a companion on a device is put right by the next edit, and by a rotation', async () => {
    const { laptop, words } = await robbed()
    const mark = `companions: ["${OWN_LAPTOP.slice(0, 4).toLowerCase()}"]`
    await forges(laptop, { document: mark })
    expect((await laptop.call('device.list')).devices[0]).toMatchObject({ companion: true })
    await laptop.call('device.activate', { device: 'laptop' })
    expect((await laptop.call('device.list')).devices[0]).toStrictEqual({ name: 'laptop', key: OWN_LAPTOP })
    // In two steps: the device goes, and comes back with the mark.
    await forges(laptop, { keys: [OWN_PHONE] })
    await forges(laptop, { document: mark })
    const { planned, table } = await rotates(laptop, words, { epoch: 1, without: [OWN_PHONE] })
    expect(planned.devices).toStrictEqual([{ name: 'laptop', key: OWN_LAPTOP }])
    expect(table.devices).toStrictEqual(planned.devices)
  })

  it('without the mark of a companion does not make it chat', async () => {
    const { laptop } = await robbed()
    const node = { name: 'node', key: deviceKey('node') }
    await laptop.call('device.add', node)
    await forges(laptop, {
      keys: [OWN_LAPTOP, node.key],
      document: `companions: ["${node.key.slice(0, 4).toLowerCase()}"]`,
    })
    await forges(laptop, { keys: [node.key, OWN_LAPTOP] })
    const { table } = await laptop.call('device.rename', { device: 'laptop', name: 'desk' })
    expect(table.devices[0]).toStrictEqual(node)
  })

  it('that takes the phone out brings it back by no earlier edit: the rotation signs the shown table and no other', async () => {
    const { laptop, words } = await robbed()
    // A second table of the seq by which the laptop added the phone.
    const text = forge(laptop, { keys: [], document: '', step: 0, timeSec: 0, follows: false })
    expect((await laptop.later(100).sees(OWN_PHONE, text!)).verdict).toBe('fork')
    await laptop.call('device.list')
    const { planned, table } = await rotates(laptop, words, { epoch: 1 })
    expect([planned.devices.map(({ key }) => key), table.seq]).toStrictEqual([[OWN_LAPTOP], 1])
    expect(table.devices.map(({ key }) => key)).toStrictEqual([OWN_LAPTOP])
    expect((await (await TestKeeper.open()).sees(OWN_LAPTOP, await ownText(laptop))).verdict).toBe('new')
  })
})
