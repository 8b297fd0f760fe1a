import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { busSockets } from '../../../../src/daemon/notify/bus-address.ts'
import { tempDir } from '../../../support/temp-dir.ts'

test.each<[address: string, sockets: string[]]>([
  ['unix:path=/run/user/1000/bus', ['/run/user/1000/bus']],
  ['unix:path=/run/user/1000/bus,guid=0123456789abcdef', ['/run/user/1000/bus']],
  ['unix:abstract=/tmp/dbus-x,guid=01', ['\0/tmp/dbus-x']],
  ['unix:path=/a%20b%3bc', ['/a b;c']],
  ['tcp:host=localhost,port=1;unix:path=/second', ['/second']],
  ['unix:path=/a;unix:path=/b', ['/a', '/b']],
  ['disabled:', []],
  ['', []],
  ['unix:', []],
  ['unix:path=', []],
  ['unix:path=%zz', []],
  ['unix:tmpdir=/tmp', []],
])('the address %j names the sockets %j', (address, sockets) => {
  expect(busSockets({ DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: '/run/user/1000' })).toEqual(sockets)
})

test('without the variable the socket of the service manager counts, if it is there', () => {
  const runtimeDir = tempDir()
  expect(busSockets({ XDG_RUNTIME_DIR: runtimeDir })).toEqual([])
  writeFileSync(join(runtimeDir, 'bus'), '')
  expect(busSockets({ XDG_RUNTIME_DIR: runtimeDir })).toEqual([join(runtimeDir, 'bus')])
  expect(busSockets({})).toEqual([])
})
