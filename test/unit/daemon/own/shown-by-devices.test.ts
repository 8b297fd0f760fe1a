import { expect, test } from 'vitest'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'

test('each own device has the state of the table that it was last seen showing, and this device is marked', async () => {
  const keeper = await TestKeeper.withPersona()
  await keeper.call('device.add', { name: 'phone', key: OWN_PHONE })
  const states = async (): Promise<unknown[]> =>
    (await keeper.call('device.shown')).devices.map(({ key, isHere, state, seq }) => [key, isHere, state, seq])
  expect(await states()).toEqual([
    [OWN_LAPTOP, true, 'unseen', null],
    [OWN_PHONE, false, 'unseen', null],
  ])
  const { text } = await keeper.call('blob.get', {})
  await keeper.sees(OWN_PHONE, text)
  expect((await states())[1]).toEqual([OWN_PHONE, false, 'current', 2])
  await keeper.call('device.rename', { device: 'phone', name: 'handy' })
  expect((await states())[1]).toEqual([OWN_PHONE, false, 'older', 2])
})
