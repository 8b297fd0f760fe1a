/** docs/channel.md against the code: its numbers and codes. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MAX_EXT_BYTES, MAX_INTAKES, MAX_URL_BYTES } from '../../src/channel/address.ts'
import { INVITE_LIFE_SEC, K_BYTES } from '../../src/channel/invite.ts'
import { INVITE_SCHEME, MAX_INVITE_CHARS } from '../../src/channel/invite-text.ts'
import { codesOf } from '../support/error-codes.ts'

const DOC = readFileSync(new URL('../../docs/channel.md', import.meta.url), 'utf8')

function section(number: number): string {
  const found = new RegExp(`\n## ${number}\\. .*\n([^]*?)(?=\n## |$)`).exec(DOC)
  if (found === null) throw new Error(`there is no section ${number}`)
  return found[1]!.replaceAll(/(?<=\S)\n *(?=\S)/g, ' ')
}

describe('docs/channel.md', () => {
  it('has the numbers of the code in its text', () => {
    const sentences: readonly (readonly [number, string])[] = [
      [2, `1 to ${MAX_INTAKES} intakes`],
      [2, `at most ${MAX_URL_BYTES} bytes`],
      [2, `\`ext\` of 1 to ${MAX_EXT_BYTES} bytes`],
      [2, `base64url of ${K_BYTES} random bytes`],
      [2, `${INVITE_LIFE_SEC / 86_400} days after it was made`],
      [2, `\`${INVITE_SCHEME}\``],
      [2, `at most ${MAX_INVITE_CHARS} characters`],
    ]
    for (const [number, text] of sentences) expect(section(number), text).toContain(text)
    expect(sentences.length).toBe(7)
  })

  it('lists every code', () => {
    const listed = [...section(11).matchAll(/\| `([A-Z_]+)`/g)].map(([, code]) => code)
    expect(listed).toEqual(codesOf('InviteErrorCode', 'channel/errors.ts'))
  })
})
