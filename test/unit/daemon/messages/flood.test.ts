/** A relay that announces more than its inbox can hold. */
import { expect, test } from 'vitest'
import { formatBase64url, parseHex } from '../../../../src/core/encoding/bytes.ts'
import { JOB } from '../../../../src/daemon/messages/records/kinds.ts'
import { sealEntry } from '../../../../src/message/entry.ts'
import type { RelayResponse } from '../../../../src/relay/means.ts'
import { makeContacts, MessageDaemon, NOTES, recordsOf, twoPeople } from '../../../support/message-daemon.ts'
import { answerOf, listedEntry, neverAnswers } from '../../../support/message-relay.ts'
import { engine } from '../../../support/person.ts'

const FORGED = Number(process.env['FORGED_ENTRIES'] ?? 0) // `npm run test:slow` asks for some: each is sealed, opened and kept

/** An entry for Bob that anybody can make who has his card: nothing in it proves its sender. */
async function forgedEntry(bob: MessageDaemon, from: string): Promise<string> {
  const { card } = bob.cards.deviceNow(NOTES)!
  const id = engine.randomBytes(32)
  const route = { from: parseHex(from)!, reader: parseHex(bob.personaId)!, app: NOTES }
  const keys = card.devices.map(({ enc }) => enc)
  return formatBase64url(await sealEntry({ kind: 'message', id, store: 0, hash: id }, route, keys))
}

test.runIf(FORGED > 0)(
  'a relay that makes entries up without end fills neither memory nor disk, and the message of another inbox comes',
  async () => {
    const { world, alices, bobs, alice, bob } = await twoPeople()
    const honest = await world.relay('honest')
    const carol = await MessageDaemon.open(world, 'Carol', [honest])
    await makeContacts(carol, bob)
    await carol.use()
    await bob.cards.setInboxes(NOTES, [bobs.url, honest.url])
    await world.settle()
    alices.instead = async (call) =>
      call.method === 'GET' && call.path.startsWith('/store/') ? await neverAnswers(call) : null
    let made = 0
    bobs.instead = async (call): Promise<RelayResponse | null> => {
      if (!call.path.startsWith(`/inbox/${bob.personaId}?`) || made >= FORGED) return null
      const entries = []
      for (let i = 0; i < 100; i++) {
        const encId = await forgedEntry(bob, alice.personaId)
        entries.push(listedEntry(++made, alice.personaId, NOTES, encId))
      }
      return answerOf(200, { ok: true, entries, next: made })
    }
    const back = await bob.restarted()
    await world.until(() => made >= FORGED)
    await carol.send(back, 'an honest one')
    expect(await back.arrived(1)).toEqual(['an honest one'])
    expect(await recordsOf(back, JOB)).toBeLessThan(1100)
  },
  400_000,
)
