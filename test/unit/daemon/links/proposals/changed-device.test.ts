/** Proposals where one device of a link is hostile: its program is changed, and its link lies (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { ANNOUNCED, PASSED, PROPOSAL } from '../../../../../src/daemon/links/proposals/kinds.ts'
import { kept, said, speak } from '../../../../support/changed-device.ts'
import { all, proposed, unlink, type Story } from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'

/** Both people are proposed to each other, and the device of Leo with the target app turns hostile. */
async function turned(): Promise<Story & { readonly about: readonly [string, string]; readonly invite: string }> {
  const story = await proposed(2, 1)
  const { leo } = story
  const [passed] = await kept(leo.source, PASSED)
  const [own] = await kept(leo.target, PROPOSAL)
  await leo.target.proposals.close()
  return { ...story, about: [passed!.persona, passed!.device], invite: own!.proposal.own.offer!.invite }
}

describe('a hostile target daemon', () => {
  test('uses up no numbers: the owner unlinks at the other device, and the other person hears of it', async () => {
    const { post, leo, kim, about, invite } = await turned()
    const [persona, device] = about
    const text = said({ n: Number.MAX_SAFE_INTEGER, says: 'offer', invite })
    await speak(leo.target, { kind: 'say', persona, device, text })
    await quiet(post, ...all(leo, kim))
    await unlink(leo.source)
    await quiet(post, ...all(leo, kim))
    expect(await kim.target.states()).toEqual(['offered'])
    expect((await kept(kim.target, PROPOSAL))[0]!.proposal.peer).toMatchObject({ saying: { says: 'withdraw' } })
  })
})

describe('a hostile source daemon', () => {
  test('gives no name that breaks a line or hides characters', async () => {
    const { post, leo, kim } = await proposed(2, 1)
    const [announced] = await kept(leo.target, ANNOUNCED)
    const name = 'Ki\u001B[31m\n\u202Em'
    const device = 'AA'.repeat(32)
    const about = { persona: announced!.persona, device, channel: 'two' }
    await speak(leo.source, { kind: 'contact', ...about, name, isProvided: true, n: 0 })
    await quiet(post, ...all(leo, kim))
    expect((await kept(leo.target, PROPOSAL)).map((each) => each.name).toSorted()).toEqual(['Ki [31m m', 'Kim'])
  })
})
