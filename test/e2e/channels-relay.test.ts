/** Channels of real daemons over a real relay, by personad-net: kills in the middle, and a folder in place of the relay. */
import { expect, test } from 'vitest'
import { meet, readUpTo, sendInOrder, Side, twoSides } from '../support/channel-sides.ts'
import { killNet } from '../support/net-children.ts'
import { RAISED_LIMITS, RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const USUAL_CONTENTS = 100
const CONTENTS = Number(process.env['CHANNEL_CONTENTS'] ?? USUAL_CONTENTS) // `npm run test:slow` asks for more
const TIMEOUT_MS: number = 120_000 + CONTENTS * 240 // sanity: four exchanges; a content takes a few milliseconds on an idle machine
const PRIVATE = ['127.0.0.1']

/** One end of the channel. */
interface Talker {
  readonly side: Side
  readonly id: string
  readonly name: string
  /** How many contents it has sent, and how many of its peer it has read. */
  sent: number
  read: number
}

async function send(talker: Talker, count: number): Promise<void> {
  const texts = Array.from({ length: count }, () => `${talker.name} ${++talker.sent}`)
  await sendInOrder(talker.side, talker.id, texts)
}

/** Reads all that the peer has sent and will send in this part, and expects each once, in order. */
async function read(talker: Talker, peer: Talker, upTo: number): Promise<void> {
  const texts = await readUpTo(talker.side, talker.id, upTo, talker.read)
  expect(texts).toEqual(Array.from({ length: upTo - talker.read }, (_, i) => `${peer.name} ${talker.read + i + 1}`))
  talker.read = upTo
}

/**
 * Sends as many contents each way at once, and reads them. `inTheMiddle` begins once either side has some of the first half; the second half
 * is sent meanwhile.
 */
async function exchange(
  [a, b]: readonly [Talker, Talker],
  count: number,
  inTheMiddle: () => Promise<void> | void = () => {},
): Promise<void> {
  const half = Math.floor(count / 2)
  const before = a.sent
  const reading = Promise.all([read(a, b, before + count), read(b, a, before + count)])
  const sending = async (): Promise<void> => {
    await Promise.all([send(a, half), send(b, half)])
    await Promise.all([a, b].map(({ side, id }) => side.until(async () => (await side.show(id)).received > before)))
    await Promise.all([inTheMiddle(), send(a, count - half), send(b, count - half)])
  }
  await Promise.all([reading, sending()])
}

async function talkersOf(host: Side, guest: Side, over: string[]): Promise<readonly [Talker, Talker]> {
  const { hostId, guestId } = await meet(host, guest, over)
  return [
    { side: host, id: hostId, name: 'host', sent: 0, read: 0 },
    { side: guest, id: guestId, name: 'guest', sent: 0, read: 0 },
  ]
}

test(
  `a relay brings ${CONTENTS} contents both ways, each once and in order, over kills of personad-net and of the relay; then a folder does`,
  async () => {
    const home = tempDir()
    const config = CONTENTS > USUAL_CONTENTS ? RAISED_LIMITS : ''
    let relay = await RelayProcess.start({ home, config })
    const listen = new URL(relay.url).host
    const folders = [tempDir()]
    const [host, guest] = await twoSides({ relays: [relay.url], folders, private: PRIVATE })
    const ofRelay = await talkersOf(host, guest, [relay.url])
    await exchange(ofRelay, CONTENTS, () => [host, guest].forEach(({ daemon }) => killNet(daemon.child)))
    await exchange(ofRelay, CONTENTS, async () => {
      await relay.kill('SIGKILL')
      relay = await RelayProcess.start({ home, listen, config })
    })
    // With two intakes, the folder goes on where the relay ends.
    const ofBoth = await talkersOf(host, guest, [relay.url, 'folder'])
    await exchange(ofBoth, CONTENTS, async () => void (await relay.kill('SIGKILL')))
    for (const side of [host, guest]) {
      await side.stop('SIGKILL')
      side.configure({ folders })
      await side.start()
    }
    await exchange(ofBoth, CONTENTS)
  },
  TIMEOUT_MS,
)
