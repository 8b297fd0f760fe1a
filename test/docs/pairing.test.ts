/** docs/pairing.md against the code. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HANDSHAKE_MS, MESSAGE_MS } from '../../src/cli/pairing/connection.ts'
import { DISCOVERY_PORT, encodeAnnouncement } from '../../src/cli/pairing/discovery.ts'
import { encodeLeg } from '../../src/cli/pairing/files.ts'
import { STEP_SECONDS } from '../../src/daemon/pairing/pairing.ts'
import { CODE_BYTES, CODE_WORDS } from '../../src/pairing/code.ts'
import { MAX_GREETING_BYTES } from '../../src/pairing/handshake.ts'
import { MAX_MESSAGES, MAX_NOISE_BYTES } from '../../src/pairing/session.ts'

const DOC = readFileSync(new URL('../../docs/pairing.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ')

test.each([
  ['N random bytes, drawn by the old daemon', CODE_BYTES],
  ['N words of the English list', CODE_WORDS],
  ['it is good for N seconds', STEP_SECONDS.connection],
  ['(N when files are carried)', STEP_SECONDS.files],
  ['at most N bytes of JSON', MAX_GREETING_BYTES],
  ['each at most N bytes, nonces', MAX_NOISE_BYTES],
  ['at most N in a direction', MAX_MESSAGES],
  ['A peer has N seconds for its leg', HANDSHAKE_MS / 1000],
  ['and N seconds for each later message', MESSAGE_MS / 1000],
  ['to UDP port N of', DISCOVERY_PORT],
  ['it is N bytes without a name', encodeAnnouncement(new Uint8Array(32), 1).length],
])('the number in "%s" is the one of the code', (sentence, value) => {
  expect(DOC).toContain(sentence.replace('N', String(value)))
})

test('a file has the header that section 6 gives', () => {
  expect(Buffer.from(encodeLeg(3, [Uint8Array.of(7)])).toString('latin1')).toBe(
    'persona-pair\x03\x00\x00\x00\x03\x00\x01\x07',
  )
})
