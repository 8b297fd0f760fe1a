import { expect, test } from 'vitest'
import { readArguments, USAGE, UsageError } from '../../../../src/relayd/program/arguments.ts'

test.each([
  [[], { name: 'serve', dir: undefined, config: undefined }],
  [['--dir', 'd'], { name: 'serve', dir: 'd', config: undefined }],
  [['serve', '--config', 'c'], { name: 'serve', dir: undefined, config: 'c' }],
  [['init', 'd', '--url', 'https://relay.example'], { name: 'init', directory: 'd', url: 'https://relay.example' }],
  [['check', 'u', '--ca', 'f'], { name: 'check', url: 'u', ca: 'f', tokenFile: undefined }],
  [
    ['token', 'add', 'bob', '--json'],
    { name: 'call', call: { name: 'token-add', parameters: { name: 'bob' } }, dir: undefined, isJson: true },
  ],
  [['token', 'list'], { name: 'call', call: { name: 'token-list', parameters: {} }, dir: undefined, isJson: false }],
  [
    ['forget', 'p', '--dir', 'd'],
    { name: 'call', call: { name: 'forget', parameters: { pub: 'p' } }, dir: 'd', isJson: false },
  ],
  [['stats', '--help'], { name: 'help' }],
  [['--version'], { name: 'version' }],
])('%j is understood', (args, command) => {
  expect(readArguments(args)).toEqual(command)
})

test.each([
  [['nonsense'], 'there is no command "nonsense"'],
  [['serve', 'x'], 'a word too many: "x"'],
  [['init'], 'DIR is missing'],
  [['init', 'd'], '--url'],
  [['check'], 'URL is missing'],
  [['token'], 'token takes'],
  [['token', 'add'], 'NAME is missing'],
  [['token', 'list', 'x'], 'a word too many'],
  [['token', 'make', 'x'], 'token takes'],
  [['forget'], 'PUB is missing'],
  [['stats', '--url', 'x'], 'stats has no option --url'],
  [['--ca', 'x'], 'serve has no option --ca'],
  [['--frobnicate'], 'frobnicate'],
  [['--dir'], 'dir'],
])('%j is wrong usage', (args, what) => {
  expect(() => readArguments(args)).toThrow(UsageError)
  expect(() => readArguments(args)).toThrow(what)
})

test('the usage fits on 132 columns and names every option', () => {
  expect(USAGE.split('\n').filter((line) => line.length > 132)).toEqual([])
  for (const option of ['dir', 'config', 'url', 'ca', 'token-file', 'json', 'version', 'help'])
    expect(USAGE).toContain(`--${option}`)
})

test('a move takes one database, whose URL has no password, and shows none', () => {
  const url = 'postgres://relay@db.example/relay'
  expect(readArguments(['move', '--from', url, '--dir', 'd'])).toEqual({ name: 'move', dir: 'd', url, isTo: false })
  for (const args of [['move'], ['move', '--to', url, '--from', url], ['move', '--to', 'https://db.example']])
    expect(() => readArguments(args)).toThrow(UsageError)
  const secret = (): unknown => readArguments(['move', '--to', 'postgres://relay:secret@db.example/relay'])
  expect(secret).toThrow(/^--to takes the URL of a database, .* without a password/)
  expect(secret).not.toThrow(/secret/)
})
