/** The text after leaving: what the owner must do on other devices. */
import { expect, test } from 'vitest'
import { formatLeft, removals } from '../../../../src/cli/own/leave.ts'
import { formatUnreached } from '../../../../src/cli/own/unreached.ts'

const PERSONA_ID = 'AB'.repeat(32)
const LAPTOP = { name: 'laptop', key: '1'.repeat(64) }
const PHONE = { name: "Bob's phone", key: '2'.repeat(64) }

test('after the last table is signed, the text names the command that brings it to another device', () => {
  const text = formatLeft({ personaId: PERSONA_ID, status: 'persona:x', local: [LAPTOP], remaining: [PHONE] }).join(
    '\n',
  )
  expect(text).toContain('persona sibling sync -')
  expect(text).not.toContain('device remove')
})

test('without a signed last table, the text gives a quoted command that removes the device elsewhere', () => {
  const text = formatLeft({ personaId: PERSONA_ID, status: null, local: [PHONE], remaining: [LAPTOP, PHONE] })
  expect(text.at(-1)).toBe(String.raw`  persona device remove 'Bob'\''s phone' --retired`)
  expect(text.join('\n')).not.toContain('nothing to publish')
})

test('a device that the table did not list leaves nothing to do', () => {
  for (const local of [[], [LAPTOP]]) {
    const text = formatLeft({ personaId: PERSONA_ID, status: null, local, remaining: [PHONE] })
    expect(text.at(-1)).toBe('the table did not list this device, so there is nothing to publish')
  }
})

test('a plain nickname is not quoted', () => {
  expect(removals([LAPTOP])).toEqual(['  persona device remove laptop --retired'])
})

test('channels, invites and cards that could not be reached are listed by their names, and nothing is printed without one', () => {
  expect(formatUnreached([])).toEqual([])
  const lines = formatUnreached([
    { kind: 'channel', id: '0'.repeat(16), app: 'chat', name: 'Bob\u001B' },
    { kind: 'invite', id: '1'.repeat(16), app: 'org.example.bot', name: 'Carol' },
    { kind: 'card', id: 'https://relay.example/', app: 'chat', name: 'https://relay.example/' },
    { kind: 'card', id: '', app: 'chat', name: '' },
  ])
  expect(lines.slice(1)).toEqual([
    String.raw`  channel Bob\u{1B} (chat)`,
    '  invite Carol (org.example.bot)',
    '  your card at https://relay.example/ (chat)',
    '  your card, which could not be signed (chat)',
  ])
})
