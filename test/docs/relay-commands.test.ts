/** The command lines of persona-relay in the documents, read by its own command line. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readArguments } from '../../src/relayd/program/arguments.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

function linesOf(text: string): string[] {
  const found = [...text.matchAll(/^ *(?:\.Dl )?(?:sudo )?persona-relay( [^|\n]*)?$|`persona-relay ([a-z][^`]*)`/gm)]
  return found.map(([, line, quoted]) => (line ?? quoted ?? '').trim())
}

test.each([
  ['docs/operating-a-relay.md', 9],
  ['docs/man/persona-relay.1', 4],
])('every command line in %s is one that persona-relay understands', (page, count) => {
  const lines = linesOf(read(page))
  expect(lines.length).toBeGreaterThanOrEqual(count)
  for (const line of lines)
    expect(() => readArguments(line.split(' ').filter((word) => word !== '')), line).not.toThrow()
})

test('a line that it does not understand is noticed', () => {
  const [line] = linesOf('    persona-relay frobnicate --gone')
  expect(() => readArguments(line!.split(' '))).toThrow('gone')
})

test('the limits in the page for operators are the built-in ones', () => {
  const page = read('docs/operating-a-relay.md')
  const yaml = read('config/persona-relay.yaml')
  for (const [row, key] of [
    ['16384 characters', 'data_chars: 16384'],
    ['128 messages, 1 MiB', 'box_messages: 128'],
    ['1 hour', 'message_seconds: 3600'],
    ['30 days', 'box_seconds: 2592000'],
    ['60 at once, then 1 a second', 'box_per_second: 1\n'],
    ['60 at once, then 10 a second', 'address_per_second: 10'],
    ['4096, and 64 of one address', 'streams: 4096'],
    ['8192, and 256 of one address', 'connections: 8192'],
    ['`disk_max`, 1 GiB', 'disk_max: 1 GiB'],
  ] as const) {
    expect(page).toContain(`| ${row} |`)
    expect(yaml).toContain(key)
  }
})
