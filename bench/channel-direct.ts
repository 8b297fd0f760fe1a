/** A transfer over a channel that goes directly, beside bare messages of node-datachannel between two connections of one process, in turn. */
import { DataConnection, LABEL, MAX_MESSAGE_BYTES } from '../src/channel/rtc/connection.ts'
import type { ConnectionListener } from '../src/channel/rtc/connections.ts'
import { MAX_PIECE_BYTES } from '../src/ipc/methods/app-params.ts'
import { systemClock } from '../src/process/pulse.ts'
import { isLibraryInstalled } from '../src/rtcnode/installed.ts'
import { loadLibrary, type Library } from '../src/rtcnode/library.ts'
import { netChildren } from '../test/support/net-children.ts'
import { meet, startPair, until, type Pair } from './channel-pair.ts'
import { cpuSec, makeHome, removeHome } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'

const IN_FLIGHT = 256 // bare messages, 3 MB: below what a connection may buffer
const SENDS_AT_A_TIME = 8 // as an app does that sends a file
const SETTINGS = { iceServers: [], bindAddress: '127.0.0.1', maxMessageSize: MAX_MESSAGE_BYTES }
const MIB = 1 << 20

/** Two connections in this process, which send as fast as the receiver takes messages. */
class Bare {
  readonly #sender: DataConnection
  readonly #receiver: DataConnection
  #taken: () => void = () => {}

  private constructor(sender: DataConnection, receiver: DataConnection) {
    this.#sender = sender
    this.#receiver = receiver
  }

  static async open(library: Library): Promise<Bare> {
    return await new Promise((resolve, reject) => {
      let bare: Bare
      let open = 0
      const connect = (sdp: string | null, described: (own: string) => void): DataConnection => {
        const listener: ConnectionListener = {
          described,
          connected: () => {
            if (++open === 2) resolve(bare)
          },
          message: () => bare.#taken(),
          closed: () => reject(new Error('a bare connection was closed')),
        }
        return new DataConnection(new library.PeerConnection(LABEL, SETTINGS), sdp, listener, systemClock)
      }
      const sender = connect(null, (offer) => {
        bare = new Bare(
          sender,
          connect(offer, (answer) => sender.answer(answer)),
        )
      })
    })
  }

  async transferMs(messages: number): Promise<number> {
    const message = new Uint8Array(MAX_MESSAGE_BYTES)
    let [sent, taken] = [0, 0]
    return await timedMs(
      async () =>
        await new Promise<void>((resolve) => {
          const send = (): void => {
            for (; sent < messages && sent - taken < IN_FLIGHT; sent++) this.#sender.send(message)
          }
          this.#taken = () => (++taken === messages ? resolve() : send())
          send()
        }),
    )
  }

  close(): void {
    this.#sender.close()
    this.#receiver.close()
  }
}

/** A channel between two daemons, whose apps send and read as fast as their daemons let them. */
class Transfer {
  readonly #pair: Pair
  readonly #hostId: string
  readonly #guestId: string
  #read = 0

  private constructor(pair: Pair, hostId: string, guestId: string) {
    this.#pair = pair
    this.#hostId = hostId
    this.#guestId = guestId
  }

  static async open(pair: Pair): Promise<Transfer> {
    const [guestId] = await meet(pair, 'transfer', 1, true)
    const { channels } = await pair.host.admin.call('channel.list', { app: 'transfer' })
    return new Transfer(pair, channels[0]!.id, guestId!)
  }

  async transferMs(contents: number): Promise<number> {
    return await timedMs(async () => await Promise.all([this.#send(contents), this.#receive(contents)]))
  }

  /** Whether the frames of the sender go by the direct way. */
  async isDirect(): Promise<boolean> {
    return (await this.#pair.host.admin.call('channel.show', { id: this.#hostId })).direct === 'open'
  }

  /** The processor time of both daemons, and of the personad-rtc of both, in seconds. */
  cpuSec(): [daemons: number, programs: number] {
    const pids = [this.#pair.host, this.#pair.guest].map((daemon) => daemon.process.pid!)
    const sum = (of: readonly number[]): number => of.map(cpuSec).reduce((a, b) => a + b, 0)
    return [sum(pids), sum(pids.flatMap((pid) => netChildren(pid, 'rtcnode')))]
  }

  async #send(contents: number): Promise<void> {
    const { admin } = this.#pair.host
    const content = Buffer.alloc(MAX_PIECE_BYTES, 'x').toString('base64')
    let left = contents
    await until(admin, ['channel.delivered'], async () => {
      while (left > 0) {
        const count = Math.min(left, SENDS_AT_A_TIME)
        const calls = Array.from({ length: count }, () => admin.call('channel.send', { id: this.#hostId, content }))
        const refused = (await Promise.allSettled(calls)).filter((each) => each.status === 'rejected')
        left -= count - refused.length
        for (const { reason } of refused) if ((reason as { code?: unknown }).code !== 'OUTBOX_FULL') throw reason
        if (refused.length > 0) return false
      }
      return true
    })
  }

  async #receive(contents: number): Promise<void> {
    const { admin } = this.#pair.guest
    const last = this.#read + contents
    let acked: Promise<unknown> = Promise.resolve()
    await until(admin, ['channel.content'], async () => {
      for (;;) {
        const { contents: some } = await admin.call('channel.read', { id: this.#guestId, after: this.#read })
        await acked
        if (some.length === 0) return this.#read >= last
        this.#read = some.at(-1)!.number
        acked = admin.call('channel.ack', { id: this.#guestId, upTo: this.#read })
      }
    })
  }
}

/** The times of the direct way and of the bare one for the same bytes. */
interface Round {
  readonly directMs: number
  readonly bareMs: number
  /** The processor times of the daemons, of both personad-rtc, and of the bare connections. */
  readonly cpuSec: readonly [number, number, number]
}

async function round(transfer: Transfer, bare: Bare, contents: number): Promise<Round> {
  const [daemonsBefore, programsBefore] = transfer.cpuSec()
  const directMs = await transfer.transferMs(contents)
  if (!(await transfer.isDirect())) throw new Error('the direct way was closed within a round')
  const [daemons, programs] = transfer.cpuSec()
  const bareBefore = cpuSec(process.pid)
  const bareMs = await bare.transferMs(Math.ceil((contents * MAX_PIECE_BYTES) / MAX_MESSAGE_BYTES))
  const bareSec = cpuSec(process.pid) - bareBefore
  return { directMs, bareMs, cpuSec: [daemons - daemonsBefore, programs - programsBefore, bareSec] }
}

export async function benchChannelDirect(isQuick: boolean): Promise<Row[]> {
  const what = 'transfer over the direct way, contents of 192 KiB'
  if (!isLibraryInstalled()) return [{ what, figure: 'skipped: node-datachannel is not installed' }]
  const contents = isQuick ? 8 : 128
  const folder = makeHome()
  const pair = await startPair({ folders: [folder], direct: true, direct_address: '127.0.0.1' })
  const bare = await Bare.open(await loadLibrary())
  try {
    const transfer = await Transfer.open(pair)
    // The first contents go by the folder.
    while (!(await transfer.isDirect())) await transfer.transferMs(1)
    const rounds: Round[] = []
    for (let i = 0; i < (isQuick ? 1 : 5); i++) rounds.push(await round(transfer, bare, contents))
    return rows(what, rounds, (contents * MAX_PIECE_BYTES) / MIB)
  } finally {
    bare.close()
    await pair.close()
    removeHome(folder)
  }
}

function rows(what: string, rounds: readonly Round[], mib: number): Row[] {
  const median = (of: (each: Round) => number): number => quantile(rounds.map(of), 0.5)
  const rate = (ms: number): string => ((mib * 1000) / ms).toFixed(1)
  const [directMs, bareMs] = [median((each) => each.directMs), median((each) => each.bareMs)]
  const [daemons, programs, ofBare] = [0, 1, 2].map((i) => (median((each) => each.cpuSec[i]!) * 1000) / mib) as [
    number,
    number,
    number,
  ]
  const ofAll = daemons + programs
  return [
    {
      what,
      figure: `${rate(directMs)} MiB/s; ${formatRatio(bareMs / directMs)} of bare ${rate(bareMs)} MiB/s (goal: 0.25 at least)`,
    },
    {
      what: 'the same, processor time a MiB',
      figure: `${ofAll.toFixed(0)} ms, ${daemons.toFixed(0)} of them in the daemons; bare ${ofBare.toFixed(0)} ms`,
    },
  ]
}

if (import.meta.main)
  for (const { what, figure } of await benchChannelDirect(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
