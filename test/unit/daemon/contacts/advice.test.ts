import { describe, expect, it } from 'vitest'
import type { Policy } from '../../../../src/core/trust.ts'
import type { AdvisedDevice } from '../../../../src/ipc/shapes/advice.ts'
import { contactDevices, contactDevicesParams } from '../../../../src/ipc/shapes/advice.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { Person, person, START_SEC } from '../../../support/person.ts'

const nameAndAdvice = ({ name, advice }: AdvisedDevice): string => `${name} ${advice}`

/** Bob shows phone, laptop and tablet in this order, the tablet not by itself. */
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
  it('gives the confirmed devices in order, the active one first, when each was last seen, and what is to be done', async () => {
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

  it('is asked by a name, a device key, a PersonaID or the beginning of a key', async () => {
    const { test, bob } = await withBob()
    const all = await advice(test, 'Bob')
    for (const query of [bob.id, bob.key('phone'), bob.key('laptop').slice(0, 8)]) {
      expect(await advice(test, query)).toStrictEqual(all)
    }
    await expect(advice(test, person('nobody').id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('sends to the active device once the client has it, and keeps the others', async () => {
    const { test, bob } = await withBob()
    const known = [bob.key('laptop'), bob.key('phone'), bob.key('tablet')]
    expect(await advice(test, 'Bob', known)).toStrictEqual(['phone send', 'laptop keep', 'tablet wait'])
    expect(await advice(test, 'Bob')).toStrictEqual(['phone send', 'laptop keep', 'tablet wait'])
  })

  it('has a device added only for who has a confirmed one already, and under ask and pin only by the user', async () => {
    const { test, bob } = await withBob()
    expect(await advice(test, 'Bob', [])).toStrictEqual(['phone ask', 'laptop ask', 'tablet wait'])
    expect(await advice(test, 'Bob', [bob.key('tablet')])).toStrictEqual(['phone ask', 'laptop ask', 'tablet wait'])
    for (const policy of ['ask', 'pin'] as const) {
      await test.call('contact.policy', { contact: 'Bob', policy })
      const known = [bob.key('laptop')]
      expect(await advice(test, 'Bob', known)).toStrictEqual(['phone ask', 'laptop send', 'tablet ask'])
    }
  })

  it('says of a former device not to use it and where messages go instead', async () => {
    const { test, bob } = await withBob()
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    const { devices } = await test.call('contact.devices', { contact: 'Bob', known: [bob.key('laptop')] })
    expect(devices.map(nameAndAdvice)).toStrictEqual(['phone ask', 'laptop avoid'])
    expect(devices[1]!.says).toBe('former: do not use')
    const both = await test.call('contact.devices', { contact: 'Bob' })
    expect(both.devices[1]!.says).toBe(`former: do not use; message goes to ${bob.key('phone')}`)
  })

  it("never has somebody else's device added, nor one that a table merely claims of somebody", async () => {
    const { test, bob } = await withBob()
    const mallory = person('Mallory')
    const phone = { name: 'phone', key: bob.key('phone') }
    await test.sees(mallory.key('laptop'), mallory.table(['laptop', phone]), { name: 'Mallory' })
    const friends = [mallory.key('laptop')]
    expect(await advice(test, 'Mallory', friends)).toStrictEqual(['laptop send', 'phone avoid'])
    const shown = await test.call('contact.devices', { contact: bob.key('phone'), known: friends })
    expect(shown.name).toBe('Bob')
  })

  it('of somebody whom the user has blocked gives nothing to use', async () => {
    const { test, bob } = await withBob()
    await test.call('contact.block', { contact: 'Bob' })
    const blocked = await test.call('contact.devices', { contact: bob.id, known: [bob.key('laptop')] })
    expect(blocked).toMatchObject({ blocked: true, active: null, sendTo: null })
    expect(blocked.devices.map(nameAndAdvice)).toStrictEqual(['phone avoid', 'laptop avoid', 'tablet avoid'])
    for (const { says } of blocked.devices) expect(says).toBe('blocked by the user: do not use')
  })

  it('says nothing of adding a companion, and never sends there', async () => {
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

  it('gives the own devices in the same way, and a friend without a persona as the one device that it is', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', { name: 'phone', key: OWN_PHONE })
    expect(await advice(test, OWN_PHONE, [OWN_LAPTOP])).toStrictEqual(['laptop send', 'phone add'])
    const key = person('plain').key('laptop')
    await test.sees(key, 'hello', { name: 'Plain' })
    const plain = await test.call('contact.devices', { contact: 'Plain', known: [key] })
    expect(plain).toMatchObject({ kind: 'provisional', personaId: null, sendTo: key })
    expect(plain.devices.map(nameAndAdvice)).toStrictEqual(['Plain send'])
  })

  it('takes 10 000 friends, and keys only', () => {
    const key = OWN_LAPTOP
    const fits = (known: readonly string[]): boolean =>
      contactDevicesParams.safeParse({ contact: 'Bob', known }).success
    expect(fits(Array.from({ length: 10_000 }, () => key))).toBe(true)
    expect(fits(Array.from({ length: 10_001 }, () => key))).toBe(false)
    for (const wrong of ['', 'Bob', key.toLowerCase(), `${key}00`]) expect(fits([wrong])).toBe(false)
  })
})
