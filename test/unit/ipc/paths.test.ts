import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configHome, resolvePaths } from '../../../src/ipc/paths.ts'

const HOME = { HOME: '/home/alice' }

describe('where things are', () => {
  test('--home puts state, config and run below one directory', () => {
    expect(resolvePaths({ home: '/srv/p', env: { ...HOME, PERSONAD_HOME: '/other', XDG_STATE_HOME: '/x' } })).toEqual({
      stateDir: '/srv/p/state',
      configFile: '/srv/p/config/personad.yaml',
      runDir: '/srv/p/run',
      adminDir: '/srv/p/run/admin',
      appSocket: '/srv/p/run/app.sock',
      adminSocket: '/srv/p/run/admin/admin.sock',
    })
  })

  test('PERSONAD_HOME does the same, and --home wins over it', () => {
    expect(resolvePaths({ env: { PERSONAD_HOME: '/srv/q' } }).stateDir).toBe('/srv/q/state')
    expect(resolvePaths({ home: '/srv/p', env: { PERSONAD_HOME: '/srv/q' } }).stateDir).toBe('/srv/p/state')
  })

  test('a relative --home is one below the working directory', () => {
    expect(resolvePaths({ home: 'demo', env: {} }).runDir).toBe(resolve('demo/run'))
  })

  test('an empty --home is refused, an empty PERSONAD_HOME is none', () => {
    expect(() => resolvePaths({ home: '', env: HOME })).toThrow(expect.objectContaining({ code: 'HOME_EMPTY' }))
    expect(resolvePaths({ env: { ...HOME, PERSONAD_HOME: '' } }).stateDir).toBe('/home/alice/.local/state/personad')
  })

  test('without either, the XDG directories are taken', () => {
    const env = { ...HOME, XDG_STATE_HOME: '/s', XDG_CONFIG_HOME: '/c', XDG_RUNTIME_DIR: '/run/user/7/' }
    expect(resolvePaths({ env })).toEqual({
      stateDir: '/s/personad',
      configFile: '/c/personad/personad.yaml',
      runDir: '/run/user/7/personad',
      adminDir: '/run/user/7/personad/admin',
      appSocket: '/run/user/7/personad/app.sock',
      adminSocket: '/run/user/7/personad/admin/admin.sock',
    })
    expect(configHome(env)).toBe('/c')
  })

  test.each([
    ['unset', undefined],
    ['empty', ''],
    ['relative', 'state'],
    ['relative with a dot', './state'],
    ['a tilde that no shell expanded', '~/state'],
  ])('an XDG value that is %s is ignored', (_title, value) => {
    const env = { ...HOME, XDG_STATE_HOME: value, XDG_CONFIG_HOME: value, XDG_RUNTIME_DIR: value }
    const paths = resolvePaths({ env })
    expect(paths.stateDir).toBe('/home/alice/.local/state/personad')
    expect(paths.configFile).toBe('/home/alice/.config/personad/personad.yaml')
    expect(paths.runDir).toBe('/home/alice/.local/state/personad/run')
  })

  test('without a usable HOME the password database is asked', () => {
    const expected = join(userInfo().homedir, '.local/state/personad')
    expect(resolvePaths({ env: {} }).stateDir).toBe(expected)
    expect(resolvePaths({ env: { HOME: 'relative' } }).stateDir).toBe(expected)
  })
})
