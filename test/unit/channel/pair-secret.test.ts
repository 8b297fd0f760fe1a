import { expect, test } from 'vitest'
import { formatChatKey, formatInvite, parseChatKey } from '../../../src/channel/invite/invite-text.ts'
import { pairSecret } from '../../../src/channel/ratchet/pair-secret.ts'
import { formatBase64url, formatHex, parseHex } from '../../../src/core/encoding/bytes.ts'
import { engine } from '../../support/person.ts'

const [alice, bob, carol] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const publicOf = (secretKey: Uint8Array): Uint8Array => engine.boxPublicKey(secretKey)
const invite = {
  address: { pub: publicOf(alice), where: [{ url: 'folder:d4be134bb020f11a', ext: null }] },
  k: pairSecret(engine, alice, publicOf(bob))!,
  app: 'persona-chat',
  expiresAtSec: 1_796_755_263,
}

test('both sides make the same secret of 16 bytes, and each pair of keys has its own', () => {
  const ofAlice = pairSecret(engine, alice, publicOf(bob))!
  expect(formatHex(ofAlice)).toBe(formatHex(pairSecret(engine, bob, publicOf(alice))!))
  expect(ofAlice).toHaveLength(16)
  expect(formatHex(ofAlice)).not.toBe(formatHex(pairSecret(engine, carol, publicOf(bob))!))
  expect(pairSecret(engine, alice, new Uint8Array(32))).toBeNull()
})

test('a chat key has no secret, and with that of the pair it is the invite', () => {
  const text = formatChatKey(invite)
  const json = Buffer.from(text.slice('persona-chat:'.length), 'base64url').toString()
  expect(Object.keys(JSON.parse(json) as object)).toEqual(['app', 'expires', 'pub', 'v', 'where'])
  const read = parseChatKey(` ${text.slice(0, 40)}\n${text.slice(40)}`, invite.k)
  expect(read.kind === 'invite' && formatInvite(read.invite)).toBe(formatInvite(invite))
})

test('an invite, and a chat key with a secret in it, are refused', () => {
  const withK = formatInvite(invite).replace('persona-invite:', 'persona-chat:')
  expect(() => parseChatKey(withK, invite.k)).toThrow(/damaged/)
  expect(() => parseChatKey(formatInvite(invite), invite.k)).toThrow(/not a chat key/)
  expect(() => parseChatKey(`persona-chat:${formatBase64url(parseHex('FF')!)}`, invite.k)).toThrow(/damaged/)
})
