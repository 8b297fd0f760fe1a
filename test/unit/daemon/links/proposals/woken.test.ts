/** Which proposals a change is about. */
import { describe, expect, test } from 'vitest'
import { changedPersonas, Woken, type Touched } from '../../../../../src/daemon/links/proposals/woken.ts'
import { TestKeeper } from '../../../../support/keeper.ts'
import { person } from '../../../../support/person.ts'

const [LEO, KIM, PAT] = ['A1', 'B2', 'C3']

function about(persona: string, ...channels: string[]): Touched {
  return { persona, channels }
}

/** Has nothing of what changed before the daemon began. */
function begun(): Woken {
  const woken = new Woken()
  woken.take()
  return woken
}

/** Hears what this does to contacts. @param work gets the PersonaID of Kim */
async function heard(work: (keeper: TestKeeper, kim: string) => Promise<unknown>): Promise<Woken> {
  const [keeper, woken, somebody] = [await TestKeeper.withPersona(), begun(), person('Kim')]
  await keeper.sees(somebody.key('phone'), somebody.table(['phone']), { name: 'Kim' })
  keeper.onEvent = (event) => {
    const personas = changedPersonas(event)
    if (personas !== null) woken.contact(personas)
  }
  await work(keeper, somebody.id)
  return woken
}

describe('a change', () => {
  test('before the first round is about all, and so is one about everything', () => {
    const woken = new Woken()
    expect(woken.take()(about(LEO, 'one'))).toBe(true)
    expect(woken.isNone).toBe(true)
    expect(woken.take()(about(LEO, 'one'))).toBe(false)
    woken.all()
    expect(woken.take()(about(LEO, 'one'))).toBe(true)
  })

  test('of a channel is about the proposals that have it, and about no others', () => {
    const woken = begun()
    woken.channel('one')
    const isMeant = woken.take()
    expect([isMeant(about(LEO, 'two', 'one')), isMeant(about(KIM, 'three'))]).toEqual([true, false])
  })
})

describe('a change of a contact', () => {
  test.each(['contact.rename', 'contact.block', 'contact.forget'] as const)(
    'by %s is about them alone',
    async (method) => {
      const woken = await heard(async (keeper, contact) => {
        if (method === 'contact.rename') await keeper.call(method, { contact, name: 'Kimmy' })
        else await keeper.call(method, { contact })
      })
      const isMeant = woken.take()
      expect([isMeant(about(person('Kim').id)), isMeant(about(LEO))]).toEqual([true, false])
    },
  )

  test('is about those too who wait for a name, which the contact may have given up', async () => {
    const woken = await heard(
      async (keeper, contact) => await keeper.call('contact.rename', { contact, name: 'Kimmy' }),
    )
    const isMeant = woken.take()
    expect([isMeant({ ...about(LEO), isHeld: true }), isMeant({ ...about(PAT), isHeld: false })]).toEqual([true, false])
    expect(woken.take()({ ...about(LEO), isHeld: true })).toBe(false)
  })

  test('who goes on under another persona is about both', () => {
    const data = { personaId: LEO, successor: KIM, name: 'Leo' }
    const woken = begun()
    woken.contact(changedPersonas({ event: 'contact.replaced', data, id: 1, atSec: 1 }) ?? [])
    const isMeant = woken.take()
    expect([LEO, KIM, PAT].map((persona) => isMeant(about(persona)))).toEqual([true, true, false])
  })
})
