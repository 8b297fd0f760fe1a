/** Channels of real daemons over a real relay, by personad-net: kills in the middle, and a folder in place of the relay. */
import { test } from 'vitest'
import { twoSides } from '../support/channel-sides.ts'
import { exchange, talkersOf, talkOverKills } from '../support/channel-talk.ts'
import { RAISED_LIMITS, RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const USUAL_CONTENTS = 100
const CONTENTS = Number(process.env['CHANNEL_CONTENTS'] ?? USUAL_CONTENTS) // `npm run test:slow` asks for more
const TIMEOUT_MS: number = 120_000 + CONTENTS * 240 // sanity: four exchanges; a content takes a few milliseconds on an idle machine
const PRIVATE = ['127.0.0.1']

test(
  `a relay brings ${CONTENTS} contents both ways, each once and in order, over kills of personad-net and of the relay; then a folder does`,
  async () => {
    const home = tempDir()
    const config = CONTENTS > USUAL_CONTENTS ? RAISED_LIMITS : ''
    let relay = await RelayProcess.start({ home, config })
    const listen = new URL(relay.url).host
    const folders = [tempDir()]
    const [host, guest] = await twoSides({ relays: [relay.url], folders, private: PRIVATE })
    await talkOverKills([host, guest], relay.url, CONTENTS, async () => {
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
