import { describe, expect, it } from 'vitest'
import type { Policy } from '../../../../src/core/consent.ts'
import type { AdvisedDevice } from '../../../../src/ipc/shapes/advice.ts'
import { contactDevices, contactDevicesParams } from '../../../../src/ipc/shapes/advice.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { Person, person, START_SEC } from '../../../support/person.ts'

const nameAndAdvice = ({ name, advice }: AdvisedDevice): string => `${name} ${advice}`

/** Bob lists phone, laptop and tablet in this order. The tablet itself has not shown the table. */
async function withBob(policy: Policy = 'auto'): Promise<{ test: TestKeeper; bob: Person }> {
  const test = await TestKeeper.withPersona({ defaultPolicy: policy })
  const bob = person('Bob')
  const table = bob.table(['phone', 'laptop', 'tablet'])
  await test.sees(bob.key('laptop'), table, { name: 'Bob' })
  await test.later(60).sees(bob.key('phone'), table)
  return { test, bob }
}

async function advice(test: TestKeeper, contact: string, known?: readonly string[]): Promise<string[]> {
  const params = { contact, ...(known === undefined ? {} : { known: [...known] }) }
  const result = await test.call('contact.devices', params)
  expect(contactDevices.parse(result)).toStrictEqual(result)
  return result.devices.map(nameAndAdvice)
}

describe('contact.devices', () => {
  it('lists the confirmed devices, the active one first, each with its last sighting and the advice for a client', async () => {
    const { test, bob } = await withBob()
    const [phone, laptop, tablet] = [bob.key('phone'), bob.key('laptop'), bob.key('tablet')]
    expect(await test.call('contact.devices', { contact: 'Bob', known: [laptop] })).toStrictEqual({
      kind: 'persona',
      name: 'Bob',
      personaId: bob.id,
      blocked: false,
      active: phone,
      sendTo: laptop,
      devices: [
        {
          name: 'phone',
          key: phone,
          state: 'confirmed',
          seenAtSec: START_SEC + 60,
          known: false,
          advice: 'add',
          says: `add ToxPk ${phone}; messages go there from then on`,
        },
        {
          name: 'laptop',
          key: laptop,
          state: 'confirmed',
          seenAtSec: START_SEC,
          known: true,
          advice: 'send',
          says: `message goes to ${laptop}`,
        },
        {
          name: 'tablet',
          key: tablet,
          state: 'claimed',
          seenAtSec: null,
          known: false,
          advice: 'add',
          says: `add ToxPk ${tablet}; it has not shown itself that it belongs here: send nothing there before`,
        },
      ],
    })
  })

  it('accepts a name, a device key, a PersonaID or the first digits of a key', async () => {
    const { test, bob } = await withBob()
    const all = await advice(test, 'Bob')
    for (const query of [bob.id, bob.key('phone'), bob.key('laptop').slice(0, 8)]) {
      expect(await advice(test, query)).toStrictEqual(all)
    }
    await expect(advice(test, person('nobody').id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('advises to send to the active device once it is a friend, and to keep the others', async () => {
    const { test, bob } = await withBob()
    const known = [bob.key('laptop'), bob.key('phone'), bob.key('tablet')]
    expect(await advice(test, 'Bob', known)).toStrictEqual(['phone send', 'laptop keep', 'tablet wait'])
    expect(await advice(test, 'Bob')).toStrictEqual(['phone send', 'laptop keep', 'tablet wait'])
  })

  it('advises to add a device only to a friend of a confirmed one, and under ask and pin only to the user', async () => {
    const { test, bob } = await withBob()
    expect(await advice(test, 'Bob', [])).toStrictEqual(['phone ask', 'laptop ask', 'tablet wait'])
    expect(await advice(test, 'Bob', [bob.key('tablet')])).toStrictEqual(['phone ask', 'laptop ask', 'tablet wait'])
    for (const policy of ['ask', 'pin'] as const) {
      await test.call('contact.policy', { contact: 'Bob', policy })
      const known = [bob.key('laptop')]
      expect(await advice(test, 'Bob', known)).toStrictEqual(['phone ask', 'laptop send', 'tablet ask'])
    }
  })

  it('advises against a former device, and names the device to use instead', async () => {
    const { test, bob } = await withBob()
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    const { devices } = await test.call('contact.devices', { contact: 'Bob', known: [bob.key('laptop')] })
    expect(devices.map(nameAndAdvice)).toStrictEqual(['phone ask', 'laptop avoid'])
    expect(devices[1]!.says).toBe('former: do not use')
    const both = await test.call('contact.devices', { contact: 'Bob' })
    expect(both.devices[1]!.says).toBe(`former: do not use; message goes to ${bob.key('phone')}`)
  })

  it("never advises to add somebody else's device, or an unconfirmed device that is known elsewhere", async () => {
    const { test, bob } = await withBob()
    const mallory = person('Mallory')
    const phone = { name: 'phone', key: bob.key('phone') }
    await test.sees(mallory.key('laptop'), mallory.table(['laptop', phone]), { name: 'Mallory' })
    const friends = [mallory.key('laptop')]
    expect(await advice(test, 'Mallory', friends)).toStrictEqual(['laptop send', 'phone avoid'])
    const shown = await test.call('contact.devices', { contact: bob.key('phone'), known: friends })
    expect(shown.name).toBe('Bob')
  })

  it('lists no device to use for a blocked contact', async () => {
    const { test, bob } = await withBob()
    await test.call('contact.block', { contact: 'Bob' })
    const blocked = await test.call('contact.devices', { contact: bob.id, known: [bob.key('laptop')] })
    expect(blocked).toMatchObject({ blocked: true, active: null, sendTo: null })
    expect(blocked.devices.map(nameAndAdvice)).toStrictEqual(['phone avoid', 'laptop avoid', 'tablet avoid'])
    for (const { says } of blocked.devices) expect(says).toBe('blocked by the user: do not use')
  })

  it('never advises to add a companion or to send to one', async () => {
    const test = await TestKeeper.withPersona()
    const zoe = person('Zoe')
    const table = zoe.table([
      { ...zoe.device('aside'), companion: true },
      'phone',
      { ...zoe.device('far'), companion: true },
    ])
    await test.sees(zoe.key('aside'), table, { name: 'Zoe' })
    const alone = await test.call('contact.devices', { contact: 'Zoe', known: [zoe.key('aside')] })
    expect([alone.active, alone.sendTo]).toStrictEqual([null, null])
    await test.sees(zoe.key('phone'), table)
    expect(await advice(test, 'Zoe', [zoe.key('phone')])).toStrictEqual(['phone send', 'aside keep', 'far wait'])
  })

  it('treats the own devices alike, and a friend without a persona as a single device', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', { name: 'phone', key: OWN_PHONE })
    expect(await advice(test, OWN_PHONE, [OWN_LAPTOP])).toStrictEqual(['laptop send', 'phone add'])
    const key = person('plain').key('laptop')
    await test.sees(key, 'hello', { name: 'Plain' })
    const plain = await test.call('contact.devices', { contact: 'Plain', known: [key] })
    expect(plain).toMatchObject({ kind: 'provisional', personaId: null, sendTo: key })
    expect(plain.devices.map(nameAndAdvice)).toStrictEqual(['Plain send'])
  })

  it('accepts up to 10 000 friends, and only keys', () => {
    const key = OWN_LAPTOP
    const fits = (known: readonly string[]): boolean =>
      contactDevicesParams.safeParse({ contact: 'Bob', known }).success
    expect(fits(Array.from({ length: 10_000 }, () => key))).toBe(true)
    expect(fits(Array.from({ length: 10_001 }, () => key))).toBe(false)
    for (const wrong of ['', 'Bob', key.toLowerCase(), `${key}00`]) expect(fits([wrong])).toBe(false)
  })
})
