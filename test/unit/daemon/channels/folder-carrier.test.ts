import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FolderCarrier } from '../../../../src/daemon/channels/carriers/folder-carrier.ts'
import {
  decodeFile,
  encodeFile,
  MAX_FILE_BYTES,
  readFileData,
} from '../../../../src/daemon/channels/carriers/folder-files.ts'
import {
  parseFirstName,
  parseFolderUrl,
  parseFrameName,
} from '../../../../src/daemon/channels/carriers/folder-names.ts'
import { MAX_THINGS } from '../../../../src/daemon/channels/carriers/seen-cursor.ts'
import { systemClock } from '../../../../src/process/pulse.ts'
import { firstMessage, folderPlace, frame, TestEnd, type TestPlace } from '../../../support/carrier-places.ts'
import { codeOf } from '../../../support/code-of.ts'
import { mountSmallDisk, NO_SMALL_DISK } from '../../../support/small-disk.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const digitsOf = (end: TestEnd): string => parseFolderUrl(end.address.where[0]!.url)!
const directoryOf = (place: TestPlace, end: TestEnd): string => join(place.at, digitsOf(end))
const framesIn = (directory: string): string[] => readdirSync(directory).filter((name) => name.endsWith('.frame'))

async function twoEnds(place = folderPlace()): Promise<{ place: TestPlace; alice: TestEnd; bob: TestEnd }> {
  return { place, alice: await TestEnd.at(place), bob: await TestEnd.at(place) }
}

/** A place of several folders, for an end that has them in this order. */
function placeOf(folders: readonly string[], at = folders[0]!): TestPlace {
  return {
    ...folderPlace(),
    at,
    start: () => new FolderCarrier({ folders, clock: systemClock, wallMs: Date.now }),
  }
}

describe('names in a folder', () => {
  it('are exactly those that are written', () => {
    expect(parseFrameName('1.frame')).toBe(1)
    expect(parseFrameName('9007199254740991.frame')).toBe(Number.MAX_SAFE_INTEGER)
    for (const name of [
      '0.frame',
      '01.frame',
      '9007199254740992.frame',
      '-1.frame',
      '1.frame.tmp',
      '1.FRAME',
      'a.frame',
      '1\n.frame',
    ])
      expect(parseFrameName(name), name).toBeNull()
    const [host, guest] = ['0123456789abcdef', 'fedcba9876543210']
    expect(parseFirstName(`${host}-${guest}.m1`)).toEqual({ host, guest })
    for (const name of [
      `${host}.m1`,
      `${host}-${guest}`,
      `../${host}-${guest}.m1`,
      `${host.toUpperCase()}-${guest}.m1`,
    ])
      expect(parseFirstName(name), name).toBeNull()
    for (const url of ['folder:..', `folder:${host}/`, `folder:${host}0`, host])
      expect(parseFolderUrl(url), url).toBeNull()
  })
})

describe('a file in a folder', () => {
  it('is whole only if its end is the hash of what stands before', () => {
    const file = encodeFile(frame(1))
    expect(decodeFile(file)).toEqual(frame(1))
    for (let length = 0; length < file.length; length++)
      expect(decodeFile(file.subarray(0, length)), `${length}`).toBeNull()
    for (const at of [0, 100, file.length - 1]) {
      const changed = Uint8Array.from(file)
      changed[at]! ^= 1
      expect(decodeFile(changed)).toBeNull()
    }
  })

  it.each([
    [MAX_FILE_BYTES - 1, true],
    [MAX_FILE_BYTES, true],
    [MAX_FILE_BYTES + 1, false],
  ])('of %i bytes is read: %s', async (length, isRead) => {
    const path = join(tempDir(), 'file')
    writeFileSync(path, encodeFile(new Uint8Array(length - 16)))
    expect((await readFileData(path)) !== null).toBe(isRead)
  })

  it('that another program is still copying is read once it is whole', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1), frame(2))
    const [first] = framesIn(directoryOf(place, alice)).toSorted()
    const path = join(directoryOf(place, alice), first!)
    const whole = readFileSync(path)
    truncateSync(path, 100)
    const { data, cursor } = await bob.readAll(alice)
    expect(data).toEqual([frame(2)])
    writeFileSync(path, whole)
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(1)])
  })

  it('that comes after a later one is read, as programs that copy keep no order', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1), frame(2), frame(3))
    const [, second] = framesIn(directoryOf(place, alice)).toSorted()
    const aside = join(place.at, 'aside')
    renameSync(join(directoryOf(place, alice), second!), aside)
    const { data, cursor } = await bob.readAll(alice)
    expect(data).toEqual([frame(1), frame(3)])
    renameSync(aside, join(directoryOf(place, alice), second!))
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(2)])
  })

  it('can be read by other users of the machine, and written by its owner alone', async () => {
    const before = process.umask(0o077)
    onTestFinished(() => void process.umask(before))
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1))
    const directory = directoryOf(place, alice)
    expect(statSync(directory).mode & 0o777).toBe(0o755)
    const files = framesIn(directory)
    expect(files.map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([0o644])
  })
})

describe('the subdirectory of an end', () => {
  it('keeps the newest file, which may be an ack that nobody repeats', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1), frame(2))
    await alice.carrier.settled(alice.lineTo(bob), [])
    expect((await bob.readAll(alice)).data).toEqual([frame(2)])
    await alice.send(bob, frame(3))
    await alice.carrier.settled(alice.lineTo(bob), [])
    expect(framesIn(directoryOf(place, alice))).toHaveLength(1)
  })

  it('has each data once, and a repeat under a new number', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1), frame(2))
    const before = framesIn(directoryOf(place, alice))
    await alice.send(bob, frame(1))
    const after = framesIn(directoryOf(place, alice))
    expect(after).toHaveLength(2)
    expect(after.toSorted()).not.toEqual(before.toSorted())
    expect((await bob.readAll(alice)).data).toEqual([frame(2), frame(1)])
  })

  it('gets a file again that somebody changed or removed', async () => {
    const { place, alice, bob } = await twoEnds()
    const all = [frame(1), frame(2), frame(3)]
    await alice.send(bob, ...all)
    const [first, second, third] = framesIn(directoryOf(place, alice)).toSorted()
    writeFileSync(join(directoryOf(place, alice), first!), 'rubbish')
    rmSync(join(directoryOf(place, alice), second!))
    writeFileSync(join(directoryOf(place, alice), third!), encodeFile(frame(9)))
    await alice.send(bob, ...all)
    const { data } = await bob.readAll(alice)
    for (const each of all) expect(data).toContainEqual(each)
  })

  it('is made again where somebody emptied the folder, at both ends', async () => {
    const { place, alice, bob } = await twoEnds()
    await alice.send(bob, frame(1))
    const { cursor } = await bob.readAll(alice)
    for (const name of readdirSync(place.at)) rmSync(join(place.at, name), { recursive: true })
    expect(await codeOf(alice.send(bob, frame(2)))).toBe('CARRIER_AWAY')
    expect((await bob.readAll(alice, cursor)).data).toEqual([])
    await alice.readAll(bob)
    await alice.send(bob, frame(1), frame(2))
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(1), frame(2)])
  })

  it('loses what a killed writer left half done, and nothing of others', async () => {
    const { place, alice, bob } = await twoEnds()
    const directory = directoryOf(place, alice)
    const half = `.personad-${'0'.repeat(32)}.tmp`
    for (const name of [half, 'notes.txt']) writeFileSync(join(directory, name), 'x')
    writeFileSync(join(place.at, half), 'of another writer')
    alice.restart()
    await alice.send(bob, frame(1))
    expect(readdirSync(directory).filter((name) => !name.endsWith('.frame'))).toEqual(['notes.txt'])
    await alice.carrier.retire(alice.lineTo(bob), alice.intake)
    await alice.carrier.forget(alice.intake)
    expect(readdirSync(directory)).toEqual(['notes.txt'])
    await bob.carrier.forget(bob.intake)
    expect(existsSync(directoryOf(place, bob))).toBe(false)
    expect(readFileSync(join(place.at, half), 'utf8')).toBe('of another writer')
  })

  it('is never written where a link leads, and a peer is never read there', async () => {
    const { place, alice, bob } = await twoEnds()
    const elsewhere = tempDir()
    writeFileSync(join(elsewhere, '7.frame'), encodeFile(frame(7)))
    const swap = (end: TestEnd): void => {
      rmSync(directoryOf(place, end), { recursive: true })
      symlinkSync(elsewhere, directoryOf(place, end))
    }
    swap(alice)
    expect(await codeOf(alice.send(bob, frame(1)))).toBe('CARRIER_DENIED')
    expect((await bob.readAll(alice)).data).toEqual([])
    swap(bob)
    expect(await codeOf(alice.send(bob, frame(1)))).toBe('CARRIER_AWAY')
    await bob.carrier.forget(bob.intake)
    expect(readdirSync(elsewhere)).toEqual(['7.frame'])
  })
})

describe('a hostile peer', () => {
  it('with thousands of files gets as many read as a cursor can name', async () => {
    const { place, alice, bob } = await twoEnds()
    for (let n = 1; n <= 1100; n++)
      writeFileSync(join(directoryOf(place, alice), `${n}.frame`), encodeFile(frame(n, 256)))
    const { data, cursor } = await bob.readAll(alice)
    expect(data).toHaveLength(MAX_THINGS)
    expect((await bob.readAll(alice, cursor)).data).toEqual([])
  })

  it('with thousands of first messages gets as many read as a cursor can name', async () => {
    const { place, alice: host } = await twoEnds()
    for (let n = 1; n <= 500; n++) {
      const name = `${digitsOf(host)}-${String(n).padStart(16, '0')}.m1`
      writeFileSync(join(place.at, name), encodeFile(firstMessage(n)))
    }
    const { data, cursor } = await host.readAll(null)
    expect(data).toHaveLength(MAX_THINGS)
    expect((await host.readAll(null, cursor)).data).toEqual([])
  })
})

describe('several folders', () => {
  const folders = (): [string, string] => {
    const parent = tempDir()
    return [mkdtempSync(join(parent, 'one-')), mkdtempSync(join(parent, 'two-'))]
  }

  it('are told apart by the subdirectory of the peer, also for the first message of a guest', async () => {
    const [one, two] = folders()
    const host = await TestEnd.at(placeOf([one, two], two))
    const guest = await TestEnd.at(placeOf([one, two], one))
    await guest.send(host, firstMessage(1))
    expect((await host.readAll(null)).data).toEqual([firstMessage(1)])
    await host.send(guest, frame(2))
    expect((await guest.readAll(host)).data).toEqual([frame(2)])
    await guest.send(host, frame(3))
    expect((await host.readAll(guest)).data).toEqual([frame(3)])
    expect(framesIn(join(two, digitsOf(guest)))).toHaveLength(1)
  })

  it('do not take the place of one that is away', async () => {
    const [one, two] = folders()
    const alice = await TestEnd.at(placeOf([two, one], one))
    const bob = await TestEnd.at(placeOf([two, one], one))
    renameSync(one, `${one}-pulled`)
    expect(await codeOf(alice.send(bob, frame(1)))).toBe('CARRIER_AWAY')
    expect(await codeOf(alice.receive(bob))).toBe('CARRIER_AWAY')
    expect(readdirSync(two)).toEqual([])
  })

  it('that both ends have, in another order, work after they were emptied', async () => {
    const [one, two] = folders()
    const alice = await TestEnd.at(placeOf([one, two], one))
    const bob = await TestEnd.at(placeOf([two, one], one))
    for (const folder of [one, two])
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
    for (let n = 0; n < 2; n++) await Promise.all([alice.readAll(bob), bob.readAll(alice)])
    await alice.send(bob, frame(1))
    await bob.send(alice, frame(2))
    expect((await bob.readAll(alice)).data).toEqual([frame(1)])
    expect((await alice.readAll(bob)).data).toEqual([frame(2)])
  })

  it('are used only as configured, by ends that have a place in one', async () => {
    const [one, two] = folders()
    const alice = await TestEnd.at(placeOf([one]))
    expect(await codeOf(alice.carrier.open(two, alice.address.pub, alice.own[0]!.secret))).toBe('CARRIER_UNKNOWN')
    const bob = await TestEnd.at(placeOf([one]))
    const noPlace = { ...alice.lineTo(bob), own: [] }
    expect(await codeOf(alice.carrier.send(noPlace, bob.address.where[0]!, frame(1)))).toBe('CARRIER_UNKNOWN')
    const away = new FolderCarrier({ folders: [join(one, 'away')], clock: systemClock, wallMs: Date.now })
    expect(await codeOf(away.open(join(one, 'away')))).toBe('CARRIER_AWAY')
  })
})

describe.skipIf(NO_SMALL_DISK !== '')('a disk', () => {
  async function onSmallDisk(): Promise<{
    disk: ReturnType<typeof mountSmallDisk>
    mount: string
    alice: TestEnd
    bob: TestEnd
  }> {
    const home = tempDir()
    const disk = mountSmallDisk(home, 'bytes', 1)
    onTestFinished(() => disk.unmount())
    const mount = join(home, 'state')
    const shared = join(mount, 'shared')
    mkdirSync(shared)
    const place = placeOf([shared])
    return { disk, mount, alice: await TestEnd.at(place), bob: await TestEnd.at(place) }
  }

  it('that is full refuses for now, and takes the same data once there is room', async () => {
    const { disk, alice, bob } = await onSmallDisk()
    await alice.send(bob, frame(1))
    disk.fill()
    const failed = await alice.send(bob, frame(2, 12_000)).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'CARRIER_FULL', passes: true, retryAfterMs: 60_000 })
    expect((await bob.readAll(alice)).data).toEqual([frame(1)])
    disk.free()
    await alice.send(bob, frame(2, 12_000))
    expect((await bob.readAll(alice)).data).toEqual([frame(1), frame(2, 12_000)])
  })

  it('that can only be read refuses for now, and is still read', async () => {
    const { mount, alice, bob } = await onSmallDisk()
    await alice.send(bob, frame(1))
    const remount = (how: string): unknown => execFileSync('mount', ['-o', `remount,${how}`, mount])
    remount('ro')
    const failed = await alice.send(bob, frame(2)).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'CARRIER_READ_ONLY', passes: true })
    expect(await codeOf(alice.carrier.settled(alice.lineTo(bob), []))).toBe('done')
    expect((await bob.readAll(alice)).data).toEqual([frame(1)])
    remount('rw')
    await alice.send(bob, frame(2))
    expect((await bob.readAll(alice)).data).toEqual([frame(1), frame(2)])
  })
})
