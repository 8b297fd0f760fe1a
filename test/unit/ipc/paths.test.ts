import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configHome, resolvePaths } from '../../../src/ipc/paths.ts'

const HOME = { HOME: '/home/alice' }

describe('resolvePaths', () => {
  test('puts state, config and run below --home', () => {
    expect(resolvePaths({ home: '/srv/p', env: { ...HOME, PERSONAD_HOME: '/other', XDG_STATE_HOME: '/x' } })).toEqual({
      stateDir: '/srv/p/state',
      configFile: '/srv/p/config/personad.yaml',
      runDir: '/srv/p/run',
      adminDir: '/srv/p/run/admin',
      appSocket: '/srv/p/run/app.sock',
      adminSocket: '/srv/p/run/admin/admin.sock',
    })
  })

  test('puts them below PERSONAD_HOME too, and --home overrides it', () => {
    expect(resolvePaths({ env: { PERSONAD_HOME: '/srv/q' } }).stateDir).toBe('/srv/q/state')
    expect(resolvePaths({ home: '/srv/p', env: { PERSONAD_HOME: '/srv/q' } }).stateDir).toBe('/srv/p/state')
  })

  test('resolves a relative --home against the working directory', () => {
    expect(resolvePaths({ home: 'demo', env: {} }).runDir).toBe(resolve('demo/run'))
  })

  test('refuses an empty --home and ignores an empty PERSONAD_HOME', () => {
    expect(() => resolvePaths({ home: '', env: HOME })).toThrow(expect.objectContaining({ code: 'HOME_EMPTY' }))
    expect(resolvePaths({ env: { ...HOME, PERSONAD_HOME: '' } }).stateDir).toBe('/home/alice/.local/state/personad')
  })

  test('uses the XDG directories without either', () => {
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
  ])('ignores an XDG value that is %s', (_title, value) => {
    const env = { ...HOME, XDG_STATE_HOME: value, XDG_CONFIG_HOME: value, XDG_RUNTIME_DIR: value }
    const paths = resolvePaths({ env })
    expect(paths.stateDir).toBe('/home/alice/.local/state/personad')
    expect(paths.configFile).toBe('/home/alice/.config/personad/personad.yaml')
    expect(paths.runDir).toBe('/home/alice/.local/state/personad/run')
  })

  test('asks the password database without a usable HOME', () => {
    const expected = join(userInfo().homedir, '.local/state/personad')
    expect(resolvePaths({ env: {} }).stateDir).toBe(expected)
    expect(resolvePaths({ env: { HOME: 'relative' } }).stateDir).toBe(expected)
  })
})
