/** An owner who has the recovery words on paper, and daemons that rotate with them. */
import type { EditResult } from '../../src/ipc/shapes/own.ts'
import type { RotationPlan, RotationWishes } from '../../src/ipc/shapes/rotation.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper, type KeeperStory } from './keeper.ts'

/** A laptop's daemon whose owner wrote down and confirmed the words, so the seed is erased. */
export async function withWords(
  story: KeeperStory & { readonly passphrase?: string } = {},
): Promise<{ laptop: TestKeeper; words: string }> {
  const laptop = await TestKeeper.open(story)
  const sealed = story.passphrase === undefined ? {} : { passphrase: story.passphrase }
  await laptop.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, ...sealed })
  const words = await confirmWords(laptop)
  laptop.events.length = 0
  return { laptop, words }
}

/** Confirms the words that this device still has. @returns them */
export async function confirmWords(test: TestKeeper): Promise<string> {
  const { words } = await test.call('recovery.show')
  await test.call('recovery.confirm', {
    words: [3, 11, 24].map((position) => ({ position, word: words[position - 1]! })),
  })
  return words.join(' ')
}

/** The same owner's laptop and phone, each with its own daemon and the current key. */
export async function siblings(): Promise<{ laptop: TestKeeper; phone: TestKeeper; words: string }> {
  const { laptop, words } = await withWords()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  const phone = await laptop.copied(OWN_PHONE)
  laptop.events.length = 0
  return { laptop, phone, words }
}

/** Shows one daemon's table to the other, on the first one's device. */
export async function hears(test: TestKeeper, from: string, other: TestKeeper): Promise<void> {
  await test.later(100).sees(from, await ownText(other))
}

/** Gets the plan and applies it. */
export async function rotates(
  test: TestKeeper,
  words: string | null,
  wishes: RotationWishes = {},
): Promise<EditResult & { planned: RotationPlan }> {
  const planned = await test.call('rotation.plan', wishes)
  const given = words === null ? {} : { words }
  return { planned, ...(await test.call('rotation.apply', { ...wishes, plan: planned.plan, ...given })) }
}
