import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/daemon/config.ts'
import { describeError, isOwnError } from '../../../src/process/describe-error.ts'
import { IpcError } from '../../../src/ipc/wire/errors.ts'

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
  void error.stack // made at the first look
  error.message = later
  error.name = name
  throw error
}

describe('an error in the log', () => {
  test('of our own has its message, code and causes', () => {
    const cause = Object.assign(new Error(CANARY), { code: 'ENOSPC', syscall: 'write' })
    const error = new ConfigError('CONFIG_UNREADABLE', 'cannot read it', null, { cause })
    expect(describeError(error)).toEqual({
      message: 'cannot read it',
      error: 'ConfigError CONFIG_UNREADABLE',
      causes: 'Error ENOSPC write',
    })
  })

  test('of our own says what to do where it knows, since the log is all that is seen of a start', () => {
    const error = new IpcError('SOCKET_PATH_TOO_LONG', 'too long', { hint: 'choose a shorter directory' })
    expect(describeError(error)).toMatchObject({ message: 'too long', hint: 'choose a shorter directory' })
    expect(describeError(Object.assign(new Error(), { hint: CANARY }))).not.toHaveProperty('hint')
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

  test.each(foreign)('of somebody else is told without its text, which may quote a secret: %s', (_title, work) => {
    const error = thrownBy(work)
    const described = JSON.stringify(describeError(error))
    expect(`${String(error)}${(error as Error).stack}${JSON.stringify(error)}`).toContain(CANARY.slice(0, 11))
    expect(described).not.toContain('abandon')
  })

  test('of somebody else says where it was thrown', () => {
    expect(describeError(thrownBy(() => JSON.parse('{')))).toMatchObject({
      error: 'SyntaxError',
      frames: expect.stringMatching(/JSON\.parse|describe-error\.test\.ts:\d+:\d+/),
    })
    expect(describeError(new Error())).toMatchObject({ frames: expect.stringContaining('describe-error.test.ts') })
  })

  test('that is no Error is told by its type alone', () => {
    expect(describeError(CANARY)).toEqual({ error: 'a thrown string' })
    expect(describeError(null)).toEqual({ error: 'a thrown null' })
    expect(describeError({ code: CANARY })).toEqual({ error: 'a thrown object' })
  })

  test('whose causes form a ring is still told', () => {
    const error = new Error('a')
    error.cause = error
    expect(describeError(error)).toMatchObject({ causes: 'Error < Error < Error < Error' })
  })
})

test('every error class that src exports has the base of our errors, or its messages would be missing from the log', () => {
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
