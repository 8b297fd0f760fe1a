import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/process/config-file.ts'
import { describeError } from '../../../src/process/describe-error.ts'
import { IpcError } from '../../../src/ipc/wire/errors.ts'
import { StoreError } from '../../../src/store/errors.ts'

const CANARY = 'abandon ability able'

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

function failWith(message: string, later = message, name = 'Error'): never {
  const error = new Error(message)
  void error.stack // V8 formats it when it is first read
  error.message = later
  error.name = name
  throw error
}

describe('an error in the log', () => {
  test('shows message, code and causes if it is ours', () => {
    const cause = Object.assign(new Error(CANARY), { code: 'ENOSPC', syscall: 'write' })
    const error = new ConfigError('CONFIG_UNREADABLE', 'cannot read it', null, { cause })
    expect(describeError(error)).toEqual({
      message: 'cannot read it',
      error: 'ConfigError CONFIG_UNREADABLE',
      causes: 'Error ENOSPC write',
    })
  })

  test('shows the hint if it is ours, since a failed start shows only the log', () => {
    const error = new IpcError('SOCKET_PATH_TOO_LONG', 'too long', { hint: 'choose a shorter directory' })
    expect(describeError(error)).toMatchObject({ message: 'too long', hint: 'choose a shorter directory' })
    expect(describeError(Object.assign(new Error(), { hint: CANARY }))).not.toHaveProperty('hint')
  })

  test.each(['STORE_CORRUPT', 'STORE_MISSING', 'STORE_LOST_WRITES'] as const)(
    'shows the command that helps with %s, since the error itself names none',
    (code) => {
      expect(describeError(new StoreError(code, 'the log is damaged'))).toEqual({
        message: 'the log is damaged',
        hint: 'run "persona doctor"',
        error: `StoreError ${code}`,
      })
    },
  )

  test('shows no command for other codes of the store', () => {
    expect(describeError(new StoreError('STORE_DISK_FULL', 'full'))).not.toHaveProperty('hint')
  })

  const foreign: [string, () => unknown][] = [
    ['JSON.parse', () => JSON.parse(CANARY)],
    ['BigInt', () => BigInt(CANARY)],
    ['a check of Node', () => Buffer.from(CANARY).readUInt8(CANARY as unknown as number)],
    ['a URL', () => new URL(CANARY)],
    ['a message with lines like frames', () => failWith(`x\n    at ${CANARY} (file:///a.ts:1:2)\n    at f (b.ts:1:2)`)],
    ['a message that was changed later', () => failWith(`x\n    at ${CANARY} (file:///a.ts:1:2)`, 'short')],
    ['a name that is a text', () => failWith('x', 'x', CANARY)],
  ]

  test.each(foreign)('is logged without its text, which may quote a secret, if it is foreign: %s', (_title, work) => {
    const error = thrownBy(work)
    const described = JSON.stringify(describeError(error))
    expect(`${String(error)}${(error as Error).stack}${JSON.stringify(error)}`).toContain(CANARY.slice(0, 11))
    expect(described).not.toContain('abandon')
  })

  test('shows where it was thrown if it is foreign', () => {
    expect(describeError(thrownBy(() => JSON.parse('{')))).toMatchObject({
      error: 'SyntaxError',
      frames: expect.stringMatching(/JSON\.parse|describe-error\.test\.ts:\d+:\d+/),
    })
    expect(describeError(new Error())).toMatchObject({ frames: expect.stringContaining('describe-error.test.ts') })
  })

  test('that is not an Error shows only its type', () => {
    expect(describeError(CANARY)).toEqual({ error: 'a thrown string' })
    expect(describeError(null)).toEqual({ error: 'a thrown null' })
    expect(describeError({ code: CANARY })).toEqual({ error: 'a thrown object' })
  })

  test('whose causes form a ring is still logged', () => {
    const error = new Error('a')
    error.cause = error
    expect(describeError(error)).toMatchObject({ causes: 'Error < Error < Error < Error' })
  })
})

test('every error class of src extends our base class, so that the log shows its messages', () => {
  const foreign: string[] = []
  let ours = 0
  for (const entry of readdirSync(resolve('src'), { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue
    const source = readFileSync(join('src', entry), 'utf8')
    for (const [, name] of source.matchAll(/^export (?:abstract )?class (\w+)\b.* extends Error\b/gm))
      foreign.push(name!)
    ours += [...source.matchAll(/ extends (?:PersonadError|Refusal)\b/g)].length
  }
  expect(foreign).toEqual(['PersonadError'])
  expect(ours).toBeGreaterThan(20)
})
