import { describe, expect, it } from 'vitest'
import { startPatiently } from '../../../src/daemon/start.ts'
import type { DaemonOptions } from '../../../src/daemon/daemon.ts'
import { DurableError } from '../../../src/durable/file.ts'
import { DatabaseError, databaseErrorOf } from '../../../src/relayd/postgres/errors.ts'
import { mayPass } from '../../../src/process/passing.ts'
import { EXIT_FAILED, EXIT_REFUSED, exitStatusOf } from '../../../src/process/supervise.ts'
import { StoreError, storeErrorOf } from '../../../src/store/errors.ts'

const errno = (code: string): Error => Object.assign(new Error(`${code}: something, write`), { code })
const level = (text: string): Error => new Error('Database failed to open', { cause: new Error(text) })

describe('an error of ours that passes by itself', () => {
  it.each([
    storeErrorOf(errno('ENOSPC'), 'write', '/s'),
    storeErrorOf(errno('EMFILE'), 'open', '/s'),
    storeErrorOf(level('IO error: /s/LOCK: Too many open files'), 'open', '/s'),
    storeErrorOf(level('IO error: /s/000005.log: No space left on device'), 'open', '/s'),
    storeErrorOf(level('IO error: /s/000005.log: Input/output error'), 'open', '/s'),
    new DurableError('DURABLE_DISK_FULL', '/s', 'full', { cause: errno('EDQUOT') }),
    new DurableError('DURABLE_READ_ONLY', '/s', 'read-only', { cause: errno('EROFS') }),
    databaseErrorOf(errno('ECONNREFUSED')),
    databaseErrorOf(errno('57P03')),
    databaseErrorOf(errno('53300')),
    new DatabaseError('DATABASE_MOVING', 'somebody moves a relay'),
  ])('is not a refusal for systemd: %s', (error) => {
    expect(mayPass(error)).toBe(true)
    expect(exitStatusOf(error)).toBe(EXIT_FAILED)
  })

  it.each([
    new StoreError('STORE_CORRUPT', 'the store is damaged'),
    new StoreError('STORE_LOCKED', 'another process has it', {
      cause: level('IO error: lock /s/lock/LOCK: Resource temporarily unavailable'),
    }),
    storeErrorOf(errno('EACCES'), 'open', '/s'),
    storeErrorOf(errno('ENOTDIR'), 'make', '/s'),
    databaseErrorOf(errno('28P01')),
    databaseErrorOf(errno('3D000')),
    databaseErrorOf(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')),
  ])('differs from one that stays: %s', (error) => {
    expect(mayPass(error)).toBe(false)
    expect(exitStatusOf(error)).toBe(EXIT_REFUSED)
  })

  it('is found below all causes, also in a ring of them', () => {
    const ring = new Error('a')
    ring.cause = ring
    expect(mayPass(ring)).toBe(false)
    expect(mayPass(new Error('a', { cause: new Error('b', { cause: errno('ENFILE') }) }))).toBe(true)
  })
})

/** Options with which every start fails: the state directory cannot be a file. */
function failing(notices: string[]): DaemonOptions {
  const log = { warn: (event: string) => notices.push(event), info: () => {}, error: () => {} }
  const paths = { stateDir: '/dev/null/state' }
  return { paths, config: { engine: 'auto' }, log, supervisor: { stop: () => {} } } as unknown as DaemonOptions
}

it('a start that is refused is not tried twice', async () => {
  const notices: string[] = []
  const pauses: number[] = []
  const sleep = (seconds: number): Promise<void> => {
    pauses.push(seconds)
    return Promise.resolve()
  }
  await expect(startPatiently(failing(notices), sleep)).rejects.toMatchObject({ code: 'STORE_IO' })
  expect([notices, pauses]).toEqual([[], []])
})
