import { expect, test } from 'vitest'
import { readScripted, readTyped, type Typed } from '../../../../src/cli/chat/typed.ts'

test.each<[string, Typed]>([
  ['', { is: 'nothing' }],
  ['  \t', { is: 'nothing' }],
  ['hello', { is: 'line', text: 'hello' }],
  ['  hello /quit ', { is: 'line', text: '  hello /quit ' }],
  ['//etc/passwd', { is: 'line', text: '/etc/passwd' }],
  ['/quit', { is: 'quit' }],
  [' /quit ', { is: 'quit' }],
  ['/to Carol Smith', { is: 'to', name: 'Carol Smith' }],
  ['/history', { is: 'history', count: null }],
  ['/history 50', { is: 'history', count: 50 }],
  ['/history 500', { is: 'history', count: 500 }],
])('a person who types %j', (typed, expected) => {
  expect(readTyped(typed)).toEqual(expected)
})

test.each([
  ['/history abc', '/history [NUMBER]'],
  ['/history 0', '/history [NUMBER]'],
  ['/history 501', '500 at most'],
  ['/history 5 5', '/history [NUMBER]'],
  ['/history -1', '/history [NUMBER]'],
  ['/to', '/to NAME'],
  ['/help', '/quit ends'],
  ['/Quit', '/quit ends'],
  ['/etc/passwd', '// begins a line with /'],
])('%j says how the command goes', (typed, usage) => {
  expect(readTyped(typed)).toEqual({ is: 'help', text: expect.stringContaining(usage) as string })
})

test.each<[string, Typed]>([
  ['', { is: 'nothing' }],
  ['/quit', { is: 'quit' }],
  ['/history abc', { is: 'line', text: '/history abc' }],
  ['//two', { is: 'line', text: '//two' }],
])('a script that writes %j', (typed, expected) => {
  expect(readScripted(typed)).toEqual(expected)
})
