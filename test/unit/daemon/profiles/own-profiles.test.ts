import { beforeEach, expect, test } from 'vitest'
import { newKnown, type KnownProfile } from '../../../../src/daemon/profiles/known.ts'
import { ownProfiles, rememberPlace } from '../../../../src/daemon/profiles/own-profiles.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey } from '../../../support/person.ts'

let keeper: TestKeeper

beforeEach(async () => {
  keeper = await TestKeeper.withPersona()
  await keeper.call('device.add', { name: 'phone', key: OWN_PHONE })
})

function watched(path: string, key: string, problem: KnownProfile['view']['problem'] = null): KnownProfile {
  const known = newKnown(path)
  return { ...known, view: { ...known.view, key, problem } }
}

function places(all: readonly KnownProfile[] = []): unknown[] {
  return ownProfiles(all, keeper.keeper).map(({ device, path, isWatched }) => [device, path, isWatched])
}

test('each own device has a line, in the order of the table, also before its profile is known', () => {
  expect(places()).toEqual([
    ['laptop', null, false],
    ['phone', null, false],
  ])
})

test('the last path that was named for an own device is remembered', async () => {
  expect(await rememberPlace(OWN_PHONE, '/old/phone.tox', keeper.keeper)).toBe('phone')
  await rememberPlace(OWN_PHONE, '/new/phone.tox', keeper.keeper)
  expect(places()[1]).toEqual(['phone', '/new/phone.tox', false])
})

test('no path is remembered for a device of somebody else', async () => {
  expect(await rememberPlace(deviceKey('bob'), '/bob.tox', keeper.keeper)).toBeNull()
  await keeper.call('device.add', { name: 'bob', key: deviceKey('bob') })
  expect(places()[2]).toEqual(['bob', null, false])
})

test('a watched profile counts before a path that was named, and the named one counts among several watched', async () => {
  await rememberPlace(OWN_LAPTOP, '/named.tox', keeper.keeper)
  expect(places([watched('/b.tox', OWN_LAPTOP), watched('/a.tox', OWN_LAPTOP)])[0]).toEqual(['laptop', '/a.tox', true])
  const both = [watched('/a.tox', OWN_LAPTOP), watched('/named.tox', OWN_LAPTOP)]
  expect(places(both)[0]).toEqual(['laptop', '/named.tox', true])
})

test('a watched profile that cannot be read does not count', async () => {
  await rememberPlace(OWN_LAPTOP, '/named.tox', keeper.keeper)
  const unread = watched('/a.tox', OWN_LAPTOP, { code: 'TOX_EMPTY', message: 'empty' })
  expect(places([unread])[0]).toEqual(['laptop', '/named.tox', false])
})
