import { expect, test } from 'vitest'
import { CliError, describeFailure, exitStatus, type CliErrorCode } from '../../../../src/cli/io/errors.ts'
import { BlobError, TableError } from '../../../../src/core/errors.ts'
import { CryptoError } from '../../../../src/crypto/errors.ts'
import { DurableError } from '../../../../src/durable/file.ts'
import { IpcError } from '../../../../src/ipc/wire/errors.ts'
import { PathsError } from '../../../../src/ipc/paths.ts'
import { RpcError } from '../../../../src/ipc/wire/rpc.ts'
import { ServiceError } from '../../../../src/cli/daemon/service-unit.ts'
import { ToxError } from '../../../../src/tox/save/errors.ts'

const ours: readonly (Error & { readonly code: string })[] = [
  new CliError('CANCELLED', 'm'),
  new RpcError('NO_PERSONA', 'm'),
  new IpcError('TIMEOUT', 'm'),
  new PathsError('HOME_EMPTY', 'm'),
  new ToxError('TOX_TRUNCATED', 'm'),
  new BlobError('TOKEN_TWICE', 'm'),
  new TableError('DEVICE_LISTED', 'm'),
  new CryptoError('ENGINE_UNAVAILABLE', 'm'),
  new DurableError('DURABLE_DENIED', '/x', 'm'),
  new ServiceError('SERVICE_NOT_OURS', 'm'),
]

test('an error of each layer keeps its code and message', () => {
  expect(ours).toHaveLength(10)
  for (const error of ours) expect(describeFailure(error)).toMatchObject({ code: error.code, message: 'm' })
})

test('the hint of an error is kept, and the command for its code is added', () => {
  expect(describeFailure(new RpcError('NO_PERSONA', 'm', { hint: 'make one' })).hint).toBe(
    'make one: persona init --device NAME --tox-profile FILE',
  )
  expect(describeFailure(new CliError('CANCELLED', 'm')).hint).toBeNull()
})

test('a file that the system refuses has a hint, unless its own layer has one, and nothing else gets it', () => {
  const hintOf = (code: CliErrorCode, errno: string, hint?: string): string | null => {
    const cause = Object.assign(new Error('secret'), { code: errno })
    return describeFailure(new CliError(code, 'm', { cause, ...(hint === undefined ? {} : { hint }) })).hint
  }
  expect(hintOf('FILE_UNREADABLE', 'EISDIR')).toBe('this is a directory: name a file')
  for (const errno of ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC'])
    expect([errno, hintOf('BACKUP_FILE', errno)]).toEqual([errno, expect.any(String)])
  expect(hintOf('FILE_UNREADABLE', 'ENOENT', 'own')).toBe('own')
  expect([hintOf('FILE_UNREADABLE', 'EIO'), hintOf('PAIRING_CONNECTION', 'EACCES')]).toEqual([null, null])
})

test('the hint of DAEMON_UNREACHABLE says how to start the daemon', () => {
  const { hint } = describeFailure(new IpcError('DAEMON_UNREACHABLE', 'm', { hint: 'other' }))
  for (const way of ['personad', 'persona service install', 'npm start']) expect(hint).toContain(way)
})

test('an unknown error is INTERNAL, without its message, which may quote a secret', () => {
  for (const error of [
    new TypeError('secret abandon'),
    Object.assign(new Error('secret'), { code: 'EACCES' }),
    'secret',
  ]) {
    const failure = describeFailure(error)
    expect(failure.code).toBe('INTERNAL')
    expect(JSON.stringify(failure)).not.toContain('secret')
  }
  expect(describeFailure(Object.assign(new Error('secret'), { code: 'EACCES' })).message).toContain('EACCES')
})

test('wrong usage exits with 2, a missing daemon with 3, everything else with 1', () => {
  expect(['USAGE', 'DAEMON_UNREACHABLE', 'TIMEOUT', 'NO_PERSONA', 'INTERNAL'].map(exitStatus)).toEqual([2, 3, 1, 1, 1])
})
