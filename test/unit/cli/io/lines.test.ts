import { describe, expect, test } from 'vitest'
import { withHome, wrapLine } from '../../../../src/cli/io/lines.ts'

describe('the home that was given', () => {
  test.each([
    [
      'run: personad, or: persona service install',
      "run: personad --home '/tmp/x', or: persona --home '/tmp/x' service install",
    ],
    ['  -> persona alarms', "  -> persona --home '/tmp/x' alarms"],
    ['show it now: persona publish', "show it now: persona --home '/tmp/x' publish"],
    ['  persona tox publish FILE', "  persona --home '/tmp/x' tox publish FILE"],
    ['and run persona restore BACKUP; or', "and run persona --home '/tmp/x' restore BACKUP; or"],
    [
      'copy it: persona link, or persona pair',
      "copy it: persona --home '/tmp/x' link, or persona --home '/tmp/x' pair",
    ],
  ])('stands in each command: %s', (line, completed) => {
    expect(withHome(line, '/tmp/x')).toBe(completed)
    expect(withHome(line, undefined)).toBe(line)
  })

  test.each([
    'created your persona 833D31C7',
    'Your persona is here',
    'You know 1 persona, and 2 friends',
    'persona:AQBi',
    'send it to Bob; the other side runs: persona chat accept INVITE',
    'within 2 minutes, the other device runs: persona join one two three',
    'ask again: persona chat invite or persona channel invite, on their side',
    'ask again: persona chat invite or persona app link APP --invite, on the other side',
    'use it: persona app link APP --accept INVITE, on your other device',
  ])('stands in no other sentence: %s', (line) => expect(withHome(line, '/tmp/x')).toBe(line))
})

describe('a line that is wider than the terminal', () => {
  test('breaks between words, and a shorter one does not', () => {
    expect(wrapLine('one two three four five', 13)).toEqual(['one two three', 'four five'])
    expect(wrapLine('one two three', 13)).toEqual(['one two three'])
    expect(wrapLine('one two three four five', undefined)).toEqual(['one two three four five'])
    expect(wrapLine('one two three four five', 0)).toEqual(['one two three four five'])
  })

  test('goes on below its own text: after the indent, an arrow or a label', () => {
    expect(wrapLine('  words in a line that is indented', 24)).toEqual(['  words in a line that', '  is indented'])
    expect(wrapLine('  -> words behind an arrow here', 24)).toEqual(['  -> words behind an', '     arrow here'])
    expect(wrapLine('backup:  words below each other now', 29)).toEqual([
      'backup:  words below each',
      '         other now',
    ])
  })

  test('keeps a command in one part, so that it can be copied', () => {
    expect(wrapLine('write it down soon: persona recovery show', 30)).toEqual([
      'write it down soon:',
      'persona recovery show',
    ])
  })

  test('breaks also a command that is wider than the terminal', () => {
    const parts = wrapLine('run: persona device add laptop --tox-profile laptop.tox', 30)
    expect(parts.join(' ')).toBe('run: persona device add laptop --tox-profile laptop.tox')
    expect(parts.length).toBeGreaterThan(1)
  })

  test('stays whole if it is a row of a table or one long word', () => {
    const row = 'laptop  AAAAAAAAAAAA  active, this device'
    expect(wrapLine(row, 30)).toEqual([row])
    expect(wrapLine('A'.repeat(64), 30)).toEqual(['A'.repeat(64)])
  })

  test('is measured without its colours', () => {
    const red = '\x1b[31mPROBLEM\x1b[39m'
    expect(wrapLine(`${red}  one two`, 16)).toEqual([`${red}  one two`])
    expect(wrapLine(`${red}  one two three four five six`, 32)).toEqual([
      `${red}  one two three four five`,
      '         six',
    ])
  })
})
