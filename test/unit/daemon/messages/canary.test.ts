/** Nothing on the disk of a daemon tells a message, or leads to it (docs/messages.md, section 8). */
import { expect, test } from 'vitest'
import { parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { numbered } from '../../../../src/daemon/sealed/numbered.ts'
import { SENT } from '../../../../src/daemon/messages/records/kinds.ts'
import { formsOf } from '../../../support/canary.ts'
import { type MessageDaemon, NOTES, twoPeople } from '../../../support/message-daemon.ts'

const CANARY = 'canary-51c7 dinner at eight'
const KEY = 'canary-key-9d20'

/** All keys and values that were ever written. */
function writtenBy({ test: { store } }: MessageDaemon): Buffer {
  const writes = store.commits.flat()
  return Buffer.concat(
    writes.flatMap((write) => [
      Buffer.from(write.key),
      'value' in write ? Buffer.from(write.value ?? []) : Buffer.of(),
    ]),
  )
}

test('a daemon writes no text, no id and no key of a message to its store in the clear', async () => {
  const { alices, alice, bob } = await twoPeople()
  alices.isDown = true
  const number = await alice.send(bob, CANARY, KEY)
  const { id, hash } = alice.sealed.records.onDisk(SENT).get(numbered(NOTES, number))!
  alices.isDown = false
  await alice.untilSent(number, 'received')
  expect(await bob.texts()).toEqual([CANARY])
  const secrets = [Buffer.from(CANARY), Buffer.from(KEY), parseBase64url(id)!, parseBase64url(hash)!].map((secret) => [
    ...formsOf(secret),
  ])
  for (const daemon of [alice, bob]) {
    const written = writtenBy(daemon)
    expect(secrets.map((forms) => forms.some((form) => written.includes(form)))).toEqual([false, false, false, false])
    // The search finds what is there.
    expect(written.includes(NOTES)).toBe(true)
  }
})
