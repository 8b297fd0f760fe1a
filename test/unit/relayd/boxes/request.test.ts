import { ECDH, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { RELAY_LIMITS } from '../../../../src/relay/limits.ts'
import { parseAt, readCall } from '../../../../src/relayd/boxes/request.ts'
import { TestOwner } from '../../../support/relay-boxes.ts'

const owner = await TestOwner.of('alice')
const send = owner.send('AAAA')
const check = owner.check()
const receive = owner.receiveBody('x')
const retire = owner.retireBody('x')

function read(body: unknown): unknown {
  const call = readCall(body, RELAY_LIMITS)
  return typeof call === 'string' ? call : { ...call, key: undefined }
}

test('each action is read', () => {
  expect(read(send)).toMatchObject({ action: 'send', box: owner.pub, data: 'AAAA', ext: null })
  expect(read(check)).toMatchObject({ action: 'check', box: owner.pub, at: 0, ask: false })
  expect(read(receive)).toMatchObject({ action: 'receive', box: owner.pub, answer: 'x', at: 0, limit: 1 })
  expect(read(retire)).toMatchObject({ action: 'retire', box: owner.pub, answer: 'x' })
})

test('a body that is no object, or names no action, is a bad request', () => {
  for (const body of [
    undefined,
    null,
    1,
    'text',
    [],
    [send],
    {},
    { ...send, action: 'delete' },
    { ...send, action: {} },
  ]) {
    expect(read(body)).toBe('Bad request')
  }
  for (const action of ['toString', '__proto__', 'constructor']) expect(read({ ...send, action })).toBe('Bad request')
})

test('a member that the action does not know is a bad request', () => {
  for (const body of [send, check, receive, retire]) expect(read({ ...body, more: 1 })).toBe('Bad request')
  expect(read({ ...send, at: 0 })).toBe('Bad request')
  expect(read({ ...check, data: 'AAAA' })).toBe('Bad request')
  expect(read(JSON.parse(`{"__proto__": {}, ${JSON.stringify(send).slice(1)}`))).toBe('Bad request')
})

test('a missing ext is as null', () => {
  for (const body of [send, check, receive, retire]) {
    const { ext: _, ...rest } = body
    expect(read(rest)).toEqual(read(body))
  }
})

test.each([
  ['a number', 5, 'Bad request'],
  ['an object', {}, 'Bad request'],
  ['not base64url', 'a+b', 'Bad ext'],
])('an ext that is %s is refused', (_, ext, error) => {
  for (const body of [send, check, receive, retire]) expect(read({ ...body, ext })).toBe(error)
})

test('a pub that is no key is a bad request', () => {
  for (const pub of [undefined, null, 5, '', 'AAAA', '123abc', `${owner.pub}=`, 'A'.repeat(43), 'A'.repeat(20_000)]) {
    expect(read({ ...send, pub })).toBe('Bad request')
  }
})

test('all forms of a P-384 key name one box', () => {
  const spki = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({ format: 'der', type: 'spki' })
  const whole = spki.subarray(-97)
  const short = ECDH.convertKey(whole, 'secp384r1', undefined, undefined, 'compressed') as Buffer
  for (const form of [spki, whole, short]) {
    expect(read({ ...send, pub: form.toString('base64url') })).toMatchObject({ box: short.toString('base64url') })
  }
})

test('a short P-384 key without a point is refused where a question would be sealed to it', () => {
  const answers = Array.from({ length: 8 }, (_, x) => {
    const pub = Buffer.from(`02${x.toString(16).padStart(96, '0')}`, 'hex').toString('base64url')
    expect(read({ ...send, pub })).toMatchObject({ action: 'send' })
    const call = read({ ...check, pub })
    return typeof call === 'string' ? call : 'read'
  })
  expect(new Set(answers)).toEqual(new Set(['read', 'Bad request']))
})

test.each([
  [0, 0],
  [1, 1],
  [2 ** 53 - 1, 2 ** 53 - 1],
  ['0', 0],
  ['1700000000000000', 1_700_000_000_000_000],
  [String(2 ** 53 - 1), 2 ** 53 - 1],
  [2 ** 53, null],
  [String(2 ** 53), null],
  [JSON.parse('20221231235959123456'), null],
  ['20221231235959123456', null],
  [-1, null],
  [-0, null],
  [0.5, null],
  [NaN, null],
  ['', null],
  ['-1', null],
  ['+1', null],
  ['01', null],
  ['1.0', null],
  ['1e3', null],
  [' 1', null],
  ['0x1', null],
  [null, null],
  [undefined, null],
  [true, null],
  [[1], null],
])('the moment %j is read as %j', (given, moment) => {
  expect(parseAt(given)).toBe(moment)
  for (const body of [check, receive]) {
    const call = read({ ...body, at: given })
    if (moment === null) expect(call).toBe('Bad at')
    else expect(call).toMatchObject({ at: moment })
  }
})

test('data is base64url without padding, not empty, and bounded', () => {
  const max = RELAY_LIMITS.maxDataChars
  expect(read({ ...send, data: 'A'.repeat(max) })).toMatchObject({ action: 'send' })
  expect(read({ ...send, data: 'A'.repeat(max + 4) })).toBe('Too big')
  for (const data of [undefined, null, 7, '', 'A', 'AAAA=', 'a+b/', 'AA AA', 'AAAB\n', 'AB', 'ä'.repeat(4)]) {
    expect(read({ ...send, data })).toBe('Bad request')
  }
})

test('limit is 1 where it is missing, and at most that of the relay', () => {
  const { limit: _, ...rest } = receive
  expect(read(rest)).toMatchObject({ limit: 1 })
  expect(read({ ...receive, limit: 2 })).toMatchObject({ limit: 2 })
  expect(read({ ...receive, limit: 1e9 })).toMatchObject({ limit: RELAY_LIMITS.maxReceive })
  for (const limit of [0, -1, 1.5, '1', null, 1e300]) expect(read({ ...receive, limit })).toBe('Bad request')
})

test('a stream is named by a text of some length, beside an answer alone', () => {
  for (const stream of ['', 'x'.repeat(64)]) expect(read({ ...receive, stream })).toMatchObject({ action: 'receive' })
  for (const stream of ['x'.repeat(65), 5, null]) expect(read({ ...receive, stream })).toBe('Bad request')
  for (const other of [send, check, retire]) expect(read({ ...other, stream: 'x' })).toBe('Bad request')
})

test('an answer that is no text, or an ask that is no truth, is a bad request', () => {
  for (const answer of [undefined, null, 5, {}]) {
    expect(read({ ...receive, answer })).toBe('Bad request')
    expect(read({ ...retire, answer })).toBe('Bad request')
  }
  for (const ask of [null, 1, 'true']) expect(read({ ...check, ask })).toBe('Bad request')
  expect(read({ ...check, ask: true })).toMatchObject({ ask: true })
})
