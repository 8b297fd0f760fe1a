/** The grammar of the document: a case for every rule, and for every refusal with its code. */
import { parseDocument as parseYaml } from 'yaml'
import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { formatDocument, parseDocument, readNames, type Document } from '../../../src/core/document.ts'
import { BlobError } from '../../../src/core/errors.ts'

function verdict(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

const parse = (text: string): unknown => verdict(() => parseDocument(encodeUtf8(text)))
const names = (text: string, devices: number): unknown =>
  verdict(() => readNames(parseDocument(encodeUtf8(text)), devices))
const format = (document: Document): unknown => verdict(() => Buffer.from(formatDocument(document)).toString())

const read: [text: string, document: Document][] = [
  ['', []],
  ['names: []', [['names', []]]],
  ['names: [ ]', [['names', []]]],
  ['names: [a]', [['names', ['a']]]],
  ['names: [a,b]\n', [['names', ['a', 'b']]]],
  ['names: [ a , "b" , \'c\' ]', [['names', ['a', 'b', 'c']]]],
  ['names:   [a]', [['names', ['a']]]],
  [
    "names: [Anna's, a  b, a-b, a!b, a&b*c|d>e%f@g`h]",
    [['names', ["Anna's", 'a  b', 'a-b', 'a!b', 'a&b*c|d>e%f@g`h']]],
  ],
  [
    'names: [12,true,null,~,1e3,0x1F,.inf,2001-01-01,<<,=]',
    [['names', '12,true,null,~,1e3,0x1F,.inf,2001-01-01,<<,='.split(',')]],
  ],
  ['names: ["",\'\',"\\"\\\\\\u0041\\u00e9\\u0000",\'it\'\'s "\\\']', [['names', ['', '', '"\\Aé\0', 'it\'s "\\']]]],
  ['names: ["a,b]{}: #?",\'a,b]{}: #?\']', [['names', ['a,b]{}: #?', 'a,b]{}: #?']]]],
  ['constructor: x\nhasOwnProperty: [y]', [['constructor', 'x'], ['hasOwnProperty', ['y']]]], // prettier-ignore
  ['x.y_Z-1: \u00a0\u3000é\u{1f4f1}', [['x.y_Z-1', '\u00a0\u3000é\u{1f4f1}']]],
  [`${'k'.repeat(63)}: x`, [['k'.repeat(63), 'x']]],
]

test('the reader accepts everything that the grammar allows, and reads every scalar as a string', () => {
  for (const [text, document] of read) expect(parse(text), text).toEqual(document)
  expect(read).toHaveLength(14)
})

// prettier-ignore
const notInTheGrammar = [
  // lines and keys
  '\n', ' ', 'names', 'names:', 'names: ', 'names:[a]', 'names :  [a]', ' names: [a]', 'names: [a] ', 'x: a ', 'x: a\n\ny: b', 'x: a\n\n',
  '\nx: a', 'x: a\r\ny: b', 'x: a\r', 'x:\ta', 'x: a\tb', 'x: a\n y', '[a]', 'a', '"names": [a]', "'names': [a]", '? names', '- a',
  `${'k'.repeat(64)}: x`, 'é: x', '1: x', '_a: x', '<<: x', '~: x', '.x: y', '-x: y', '__proto__: x', 'a b: x', 'a!b: x', 'a!!: x',
  'null: x', 'True: x', 'FALSE: x', 'yes: x', 'No: x', 'on: x', 'off: x', 'y: x', 'N: x',
  // features of YAML that this grammar does not have
  '# comment', 'x: a #', 'x: #a', '%YAML 1.2\n---\nx: a', '---\nx: a', '---', 'x: a\n---\nx: a', 'x: a\n...', '...', 'x: |\n a', 'x: >\n a',
  'x: |', 'x: &a b', 'x: *a', 'x: !t a', 'x: !!binary aGk=', 'x: {a: b}', 'x: {}', 'x: [[a]]', 'x: [a,[b]]', 'x: [{a: b}]', 'x: [a: b]',
  'x: ["a": b]', 'x: ["a":b]', 'x: [? a]', 'x: a: b', 'x: a:b', 'x: - a', 'x: @a', 'x: `a', 'x: a?', 'x: a,b', 'x: a]', 'x: %a',
  // lists
  'x: [', 'x: [a', 'x: [a,', 'x: [a,]', 'x: [,]', 'x: [,a]', 'x: [a,,b]', 'x: [a b', 'x: [a]b', 'x: [a][b]', 'x: [a\n,b]', 'x: [a\n]',
  'x: ["a"b]', 'x: [a"b"]', 'x: [\ta]',
  // quotes and escapes
  'x: "a', "x: 'a", 'x: "a\n"', "x: 'a\n'", 'x: "a"b', 'x: "\\x41"', 'x: "\\n"', 'x: "\\/"', 'x: "\\U0001F4F1"', 'x: "\\u12"', 'x: "\\u12g4"',
  'x: "\\ud83d"', 'x: "\\udf00"', 'x: "\\uD83D\\uDE00"', 'x: a\\b', 'x: a"b', "x: 'a'b'", "x: ''''x'",
  // characters
  ...['\ufeff', '\0', '\x1b', '\x7f', '\x80', '\x85', '\x9f', '\u2028', '\u2029', '\ufffe', '\uffff', '\t'].flatMap((character) => [
    `x: a${character}b`, `x: 'a${character}b'`, `x: "a${character}b"`, `x: [a${character}]`, `${character}x: a`,
  ]),
  // names
  'names: a', 'names: "[a]"',
]

test('all other YAML is refused as DOCUMENT_SYNTAX', () => {
  for (const text of notInTheGrammar) expect(parse(text), JSON.stringify(text)).toBe('DOCUMENT_SYNTAX')
  expect(notInTheGrammar).toHaveLength(174)
})

test('a text that is not UTF-8 is refused, including overlong forms and surrogates', () => {
  const texts = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xef, 0xbb]]
  for (const bytes of texts) {
    expect(verdict(() => parseDocument(Uint8Array.of(...encodeUtf8('x: a'), ...bytes)))).toBe('DOCUMENT_NOT_UTF8')
  }
  expect(texts).toHaveLength(6)
})

test('a key occurs only once, ignoring case', () => {
  expect(parse('x: a\nx: b')).toBe('DOCUMENT_DUPLICATE_KEY')
  expect(parse('names: [a]\nNAMES: [b]')).toBe('DOCUMENT_DUPLICATE_KEY')
  expect(format([['x', 'a'], ['X', 'b']])).toBe('DOCUMENT_DUPLICATE_KEY') // prettier-ignore
})

test('an unknown key that ends in "!" refuses the document, a value that ends in "!" does not', () => {
  expect(parse('names: [a]\nsealed!: x')).toBe('DOCUMENT_UNKNOWN_CRITICAL_KEY')
  expect(parse('names!: [a]')).toBe('DOCUMENT_UNKNOWN_CRITICAL_KEY')
  expect(parse('x: sealed!')).toEqual([['x', 'sealed!']])
  expect(format([['sealed!', 'x']])).toBe('DOCUMENT_UNKNOWN_CRITICAL_KEY')
})

test('the writer leaves scalars plain where YAML reads a string, and quotes all others', () => {
  const plain = [
    'a',
    'old phone',
    "Anna's",
    'x-1',
    '3ds',
    'Ünï',
    '📱',
    '手机',
    'a/b',
    '(x)',
    '$1',
    'nullable',
    'one',
    'a=b',
    '9th',
  ]
  const quoted = [
    '',
    ' ',
    ' a',
    'a ',
    '12',
    '1e3',
    '0x1F',
    '0o7',
    '0b1',
    '1_000',
    '2001-01-01',
    '+1',
    '.5',
    '.inf',
    '.',
    '-',
    '-a',
    '-1',
  ]
  quoted.push(
    'null',
    'Null',
    'TRUE',
    'yes',
    'No',
    'on',
    'y',
    '~',
    '=',
    '<<',
    '?',
    '? a',
    'a?',
    ':',
    'a:',
    'a: b',
    'a #b',
    '#',
    '1:30',
  )
  quoted.push("'a", '[a', 'a,b', '{', '&a', '*a', '!a', '|', '>', '%a', '@a', '`a')
  for (const text of plain) expect(format([['x', [text]]])).toBe(`x: [${text}]`)
  for (const text of quoted) expect(format([['x', [text]]])).toBe(`x: ["${text}"]`)
  expect([plain.length, quoted.length]).toEqual([15, 49])
  expect(format([['x', 'a"b\\c\n\0\u2028\ufeff\x7f']])).toBe('x: "a\\"b\\\\c\\u000a\\u0000\\u2028\\ufeff\\u007f"')
})

test('a document has one key on a line and line feeds only between lines, and is empty without keys', () => {
  expect(format([])).toBe('')
  expect(format([['names', ['a', 'b']], ['x', ''], ['z', []]])).toBe('names: [a,b]\nx: ""\nz: []') // prettier-ignore
})

test('the writer refuses everything that no reader would accept', () => {
  for (const key of ['', 'a b', '__proto__', 'é', 'null', 'Y', 'x: y', 'k'.repeat(64), 'a\n']) {
    expect(format([[key, 'a']]), key).toBe('DOCUMENT_SYNTAX')
  }
  expect(format([['names', 'a']])).toBe('DOCUMENT_SYNTAX')
  expect(format([['x', '\ud800']])).toBe('DOCUMENT_SYNTAX')
  expect(format([['x', ['a', 'b\udc00']]])).toBe('DOCUMENT_SYNTAX')
})

test('names are checked, and must be as many as the devices', () => {
  expect(names('names: [a,b]', 2)).toEqual(['a', 'b'])
  expect(names('names: []', 0)).toEqual([])
  expect(names('', 2)).toBeNull()
  expect(names('x: [a,b]\nNames: [c]', 2)).toBeNull()
  for (const devices of [0, 1, 3]) expect(names('names: [a,b]', devices)).toBe('NAMES_COUNT')
  expect(names('names: [a,A]', 2)).toBe('NICKNAME_TWICE')
  expect(names('names: ["a\\u0000"]', 1)).toBe('NICKNAME_CHARACTER')
  expect(names('names: ["\\u202e"]', 1)).toBe('NICKNAME_CHARACTER')
  expect(names('names: [""]', 1)).toBe('NICKNAME_EMPTY')
  expect(names('names: [__proto__,constructor]', 2)).toEqual(['__proto__', 'constructor'])
})

test('an alias bomb is refused at its first anchor', () => {
  const bomb = 'a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]'
  expect(parseYaml(bomb).errors).toHaveLength(0)
  expect(parse(bomb)).toBe('DOCUMENT_SYNTAX')
})

test('an unterminated quoted text is refused in linear time', () => {
  expect(parse(`x: "${'\\"'.repeat(100_000)}`)).toBe('DOCUMENT_SYNTAX')
  expect(parse(`x: a${' '.repeat(100_000)}`)).toBe('DOCUMENT_SYNTAX')
})
