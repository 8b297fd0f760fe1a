/** The storage of the daemon keeps to the rules of every storage of channels. */
import { formatChannel } from '../../../../src/channel/exchange/state.ts'
import { loadEnd, saveEnd, type EndState } from '../../../../src/daemon/channels/ends/end-state.ts'
import { numbered, numbersIn } from '../../../../src/daemon/sealed/numbered.ts'
import { EARLY, FRAME, IN, OUT } from '../../../../src/daemon/channels/records/kinds.ts'
import type { SealedKind } from '../../../../src/daemon/sealed/sealed-kind.ts'
import { ChannelDaemon, openChannel } from '../../../support/channel-daemon.ts'
import { storageContract, type DiskPlayer } from '../../../support/disk-contract.ts'
import { diskStory, linesOf } from '../../../support/disk-story.ts'
import { sodium } from '../../../support/made-persona.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

const ID = 'story'

class DaemonPlayer implements DiskPlayer {
  #daemon: ChannelDaemon
  /** An end whose places and times the story takes. */
  readonly #like: EndState

  constructor(daemon: ChannelDaemon, like: EndState) {
    this.#daemon = daemon
    this.#like = like
  }

  async play(): Promise<string[][]> {
    const disks: string[][] = []
    for (const step of diskStory(sodium)) {
      await this.#daemon.test.keeper.change(() => this.#save(step))
      disks.push(await this.#lines())
    }
    this.#daemon = await this.#daemon.restarted()
    return [...disks, await this.#lines()]
  }

  async failToWrite(): Promise<[string[], string[]]> {
    const before = await this.#lines()
    const change = this.#daemon.test.keeper.change(() => {
      this.#save(diskStory(sodium)[1]!)
      throw new Error('a write that fails')
    })
    await change.catch(() => {})
    return [before, await this.#lines()]
  }

  async opensElsewhere(): Promise<boolean> {
    const { keeper } = this.#daemon.test
    const [place] = await Array.fromAsync(keeper.onDisk.sealed.iterate({ prefix: `${FRAME.name}/${ID}/` }))
    const other = numbered(ID, 99)
    await keeper.change(() => {
      keeper.state.stage(keeper.state.records.sealed.put(`${FRAME.name}/${other}`, place![1]))
    })
    return this.#daemon.sealed.records.onDisk(FRAME).get(other) !== undefined
  }

  async raw(): Promise<string> {
    const all = await Array.fromAsync(this.#daemon.test.keeper.onDisk.sealed.iterate({ prefix: '' }))
    return all.map(([, bytes]) => Buffer.from(bytes).toString('latin1')).join()
  }

  #save({ channel, writes }: ReturnType<typeof diskStory>[number]): void {
    const { records } = this.#daemon.sealed
    const parts = writes.filter((each) => each.write === 'part')
    const after = { ...this.#like, channel, uploads: new Map() }
    saveEnd(ID, { before: loadEnd(ID, records) ?? null, after, parts }, 0, records)
  }

  async #lines(): Promise<string[]> {
    const ins = new Map<number, Uint8Array[]>()
    for (const [[number], { bytes }] of await this.#all(IN)) ins.set(number!, [...(ins.get(number!) ?? []), bytes])
    const numbers = async <T>(kind: SealedKind<T>): Promise<[number, T][]> =>
      (await this.#all(kind)).map(([[number], value]) => [number!, value])
    return linesOf({
      state: formatChannel(loadEnd(ID, this.#daemon.sealed.records)!.channel),
      frames: new Map(await numbers(FRAME)),
      early: new Map(await numbers(EARLY)),
      contents: new Map((await numbers(OUT)).map(([number, { bytes }]) => [number, bytes!])),
      parts: ins,
    })
  }

  /** The records of the story, by their numbers. */
  async #all<T>(kind: SealedKind<T>): Promise<[number[], T][]> {
    const all = await Array.fromAsync(this.#daemon.sealed.records.onDisk(kind).iterate(`${ID}/`))
    return all.map(([id, value]) => [numbersIn(id), value])
  }
}

storageContract('the storage of the daemon', async () => {
  const post = new MemoryPost()
  const { host, hostId } = await openChannel(post, await ChannelDaemon.open(post), await ChannelDaemon.open(post))
  return new DaemonPlayer(host, loadEnd(hostId, host.sealed.records)!)
})
