import { expect, test } from 'vitest'
import { readArguments, USAGE, UsageError } from '../../../../src/relayd/program/arguments.ts'
import { databaseUrlProblem } from '../../../../src/relayd/program/database-url.ts'

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
  expect(secret).toThrow(
    /^--to takes the URL of a database, such as .*; in this one there is a password, .* PGPASSFILE names$/,
  )
  expect(secret).not.toThrow(/secret/)
})

test.each([
  'postgres://relay@db.example/relay',
  'postgresql://relay@db.example:5432/relay?sslmode=verify-full&options=-c%20search_path%3Da',
  'postgres://relay@/relay?host=/run/postgresql',
  'postgres://relay@[::1]:65535/relay',
  'postgres://relay@db.example:5433/relay?application_name=a@b:c',
  'postgres://db.example',
])('%s is the URL of a database', (url) => {
  expect(databaseUrlProblem(url)).toBe(null)
})

test.each([
  ['https://db.example', 'the beginning is not postgres://'],
  ['postgres:/relay@db.example/relay', 'the beginning is not postgres://'],
  [`postgres://relay@db.example/${'r'.repeat(1000)}`, 'there are more than 1000 characters'],
  ['postgres://relay:word@db.example/relay', 'there is a password'],
  ['postgres://relay:wo/rd@db.example/relay', 'there is a password'],
  ['postgres://relay:wo#rd@db.example/relay', 'there is a password'],
  ['postgres://relay@db.example/relay?password=word', 'there is a password'],
  ['postgres://relay@db.example:port/relay', 'the port is no number'],
  ['postgres://relay@db.example:0/relay', 'the port is no number'],
  ['postgres://relay@db.example:65536/relay', 'the port is no number'],
  ['postgres://relay@db.example:/relay', 'the port is no number'],
  ['postgres://relay@one.example,two.example/relay', 'there are several hosts: name one'],
  ['postgres://relay@one.example:1,two.example:2/relay', 'there are several hosts: name one'],
  ['postgres://relay@db.example/relay#1', 'there is a "#": write %23'],
  ['postgres://relay@db.example/re%lay', 'there is a "%" without two digits of hex'],
  ['postgres://relay@db example/relay', 'the host is no name and no address'],
])('%s is none, and the refusal says what is wrong', (url, what) => {
  const problem = databaseUrlProblem(url)
  expect(problem).toContain(what)
  expect(problem).not.toMatch(/relay|example/)
})
