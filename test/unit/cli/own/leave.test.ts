/** What leaving tells the owner to do elsewhere. */
import { expect, test } from 'vitest'
import { formatLeft, removals } from '../../../../src/cli/own/leave.ts'

const PERSONA_ID = 'AB'.repeat(32)
const LAPTOP = { name: 'laptop', key: '1'.repeat(64) }
const PHONE = { name: "Bob's phone", key: '2'.repeat(64) }

test('a device whose last table is signed says how another one takes it', () => {
  const said = formatLeft({ personaId: PERSONA_ID, status: 'persona:x', local: [LAPTOP], remaining: [PHONE] }).join(
    '\n',
  )
  expect(said).toContain('persona sibling sync -')
  expect(said).not.toContain('device remove')
})

test('a device that is listed still, since no table could be signed, is taken out elsewhere, by a command that can be typed', () => {
  const said = formatLeft({ personaId: PERSONA_ID, status: null, local: [PHONE], remaining: [LAPTOP, PHONE] })
  expect(said.at(-1)).toBe(String.raw`  persona device remove 'Bob'\''s phone' --retired`)
  expect(said.join('\n')).not.toContain('nothing to publish')
})

test('a device that the table left out before leaves nothing to do', () => {
  for (const local of [[], [LAPTOP]]) {
    const said = formatLeft({ personaId: PERSONA_ID, status: null, local, remaining: [PHONE] })
    expect(said.at(-1)).toBe('the table left it out already: there is nothing to publish')
  }
})

test('a nickname that needs no quotes has none', () => {
  expect(removals([LAPTOP])).toEqual(['  persona device remove laptop --retired'])
})
