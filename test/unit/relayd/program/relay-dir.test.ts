import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { resolveRelayDir } from '../../../../src/relayd/program/relay-dir.ts'
import { tempDir } from '../../../support/temp-dir.ts'

it('the directory of the service manager counts with what its link leads to: with DynamicUser= it is a link, and the store refuses links', () => {
  const base = tempDir()
  mkdirSync(join(base, 'private/persona-relay'), { recursive: true })
  symlinkSync('private/persona-relay', join(base, 'persona-relay'))
  const managed = { STATE_DIRECTORY: `${join(base, 'persona-relay')}:${join(base, 'other')}` }
  expect(resolveRelayDir(undefined, managed).path).toBe(join(base, 'private/persona-relay'))
  expect(resolveRelayDir(undefined, { STATE_DIRECTORY: join(base, 'new') }).path).toBe(join(base, 'new'))
})

it('a directory of --dir comes before that of the service manager, and stays a link, which the store refuses', () => {
  const base = tempDir()
  mkdirSync(join(base, 'real'))
  symlinkSync('real', join(base, 'link'))
  const env = { STATE_DIRECTORY: join(base, 'real') }
  expect(resolveRelayDir(join(base, 'link'), env).path).toBe(join(base, 'link'))
})
