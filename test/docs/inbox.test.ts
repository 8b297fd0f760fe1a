/** docs/inbox.md against the code: its numbers, words and example. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RELAY_LIMITS } from '../../src/relay/limits.ts'
import { INBOX_ERRORS } from '../../src/relay/wire.ts'
import { HTTP_LIMITS } from '../../src/relayd/http/http-limits.ts'
import { REPEAT_US } from '../../src/relayd/store/inbox-rules.ts'
import { INBOX_DOC, withInboxExample } from '../generate/inbox-example.ts'
import { flowingSectionOf, sectionOf } from '../support/doc-section.ts'

const DOC = readFileSync(INBOX_DOC, 'utf8')
const section = (number: number): string => flowingSectionOf(DOC, number)

describe('docs/inbox.md', () => {
  it('has its example up to date (else: node test/generate/inbox-example.ts)', async () => {
    expect(await withInboxExample(DOC)).toBe(DOC)
  })

  it('has the numbers of the code in its text', () => {
    const { inbox, boxSends, wait, maxList, maxEntryBytes, maxOwnerBytes } = RELAY_LIMITS
    const sentences: readonly (readonly [number, string])[] = [
      [2, `\`{"app", "encId"}\`, at most ${maxEntryBytes} bytes`],
      [2, `at most ${maxOwnerBytes} bytes where the table`],
      [3, `deleted within ${REPEAT_US === 86_400e6 ? 'a day' : '?'} after it came`],
      [3, `A page looks at \`limit\` entries, ${maxList} at most`],
      [3, `**ack** names up to ${maxList} entries`],
      [3, `within the last ${inbox.silentUs / 1e6} seconds`],
      [3, `deleted after ${inbox.entryUs / 1e6} seconds`],
      [4, `room for ${inbox.maxEntries} entries`],
      [4, `All strangers have ${inbox.maxStrangers} entries of these together, and ${inbox.maxOfStranger} each`],
      [4, `at most ${inbox.maxNamed} senders by name`],
      [5, `ends after ${HTTP_LIMITS.streamMs / 3600e3} hour`],
      [5, `within ${wait.commentSec} seconds`],
      [6, `${boxSends.burst} entries at once and then ${boxSends.perSec} a second`],
      [6, `${(inbox.entryUs + inbox.silentUs) / 1e6} seconds after the last call`],
    ]
    for (const [number, sentence] of sentences) expect(section(number)).toContain(sentence)
  })

  it('has a row for each reason to refuse a call, and no other', () => {
    const named = [...sectionOf(DOC, 6).matchAll(/^\| \d{3} \| `([^`]+)` \|/gm)].map(([, error]) => error)
    expect(named).toHaveLength(INBOX_ERRORS.length)
    expect(new Set(named)).toEqual(new Set(INBOX_ERRORS))
  })

  it('shows the members of an entry as the relay gives them', () => {
    const [, shown] = /"entries":\[(\{.*?\})\]/.exec(DOC)!
    const members = [...section(3).matchAll(/"(\w+)"/g)].map(([, name]) => name)
    for (const name of Object.keys(JSON.parse(shown!) as object)) expect(members).toContain(name)
  })
})
