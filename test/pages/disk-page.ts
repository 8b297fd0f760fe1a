/** The storage of a page as a player of the contract of disks, for a browser: a test calls what this leaves at `window`. */
import { formatChannel } from '../../src/channel/exchange/state.ts'
import { Disk } from '../../src/connectoid/disk.ts'
import { formatRecord, newRecord, parseRecord, type PeerRecord } from '../../src/connectoid/record.ts'
import { Turn } from '../../src/connectoid/turn.ts'
import { portableBoxes } from '../../src/crypto/portable-boxes.ts'
import { diskStory, linesOf } from '../support/disk-story.ts'

const NAME = 'contract of disks'
const ID = 'story'
const OTHER = 99 // a number of no frame

let disk: Disk
let record: PeerRecord = newRecord({ name: 'Bob', madeMs: 0, link: '', isOwnLink: false, replaces: null })

async function open(): Promise<void> {
  disk = await Disk.open(NAME, () => {})
}

function turnOf(step: ReturnType<typeof diskStory>[number]): Turn {
  const turn = new Turn(ID, record, 0)
  turn.step(step)
  turn.writes.push({ put: ['peer', ID], bytes: formatRecord(turn.record) })
  return turn
}

async function lines(): Promise<string[]> {
  const numbered = async (kind: 'frame' | 'early' | 'out'): Promise<Map<number, Uint8Array>> =>
    new Map((await disk.read(kind, ID)).map(([key, bytes]) => [Number(key[2]), bytes]))
  const [frames, early, contents] = [await numbered('frame'), await numbered('early'), await numbered('out')]
  const [[, peer]] = (await disk.read('peer', ID)) as [readonly [unknown, Uint8Array]]
  const parts = new Map<number, Uint8Array[]>()
  for (const [key, bytes] of await disk.read('in', ID))
    parts.set(Number(key[2]), [...(parts.get(Number(key[2])) ?? []), bytes])
  const { channel } = parseRecord(peer, new Map(), { frames, early, contents })
  return linesOf({ state: formatChannel(channel!), frames, early, contents, parts })
}

async function play(): Promise<string[][]> {
  await open()
  await disk.addSeal(ID)
  const disks: string[][] = []
  for (const step of diskStory(portableBoxes)) {
    const turn = turnOf(step)
    await disk.commit(ID, turn.writes)
    record = turn.record
    disks.push(await lines())
  }
  disk.close()
  await open()
  return [...disks, await lines()]
}

async function failToWrite(): Promise<[string[], string[]]> {
  const before = await lines()
  const turn = turnOf(diskStory(portableBoxes)[1]!)
  // Not a number is no key of IndexedDB.
  const bad = { put: ['frame', ID, Number.NaN], bytes: new Uint8Array() }
  await disk.commit(ID, [...turn.writes, bad]).catch(() => {})
  return [before, await lines()]
}

async function opensElsewhere(): Promise<boolean> {
  const opens = (): Promise<boolean> =>
    disk.read('frame', ID, OTHER).then(
      (found) => found.length > 0,
      ({ code }) => code !== 'UNREADABLE',
    )
  if (await opens()) throw new Error('there is a frame of that number')
  await (globalThis as unknown as { copyFrame(database: string, to: unknown): Promise<void> }).copyFrame(NAME, [
    'frame',
    ID,
    OTHER,
  ])
  return await opens()
}

Object.assign(globalThis, { play, failToWrite, opensElsewhere })
