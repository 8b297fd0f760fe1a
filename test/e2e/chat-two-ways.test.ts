/** `persona chat` over two carriers at once, of which one dies while people write. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { twoSides } from '../support/channel-sides.ts'
import { ChatScript, meetInChat } from '../support/chat-sides.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 120_000

test(
  'a chat over a folder and a relay goes on while either of them is away, and each line is there once, in order',
  async () => {
    const [home, parent] = [tempDir(), tempDir()]
    const folder = tempDir()
    const relay = await RelayProcess.start({ home })
    const { url, port } = relay
    const [alice, bob] = await twoSides({ folders: [folder], relays: [url], private: ['127.0.0.1'] })
    await meetInChat(alice, bob, ['--over', 'folder', '--over', url])
    const scripts = [new ChatScript(alice, 'Bob'), new ChatScript(bob, 'Alice')] as const
    const written: string[] = []
    const bothWrite = async (when: string): Promise<void> => {
      for (const [i, script] of scripts.entries()) {
        const text = `${['Alice', 'Bob'][i]!}, ${when}`
        written.push(text)
        script.write(text)
        for (const reading of scripts) expect((await reading.next()).text).toBe(text)
      }
    }
    await bothWrite('with both')
    await relay.kill('SIGKILL')
    await bothWrite('by the folder alone')
    await RelayProcess.start({ home, listen: `127.0.0.1:${port}` })
    renameSync(folder, join(parent, 'pulled'))
    await bothWrite('by the relay alone')
    renameSync(join(parent, 'pulled'), folder)
    await bothWrite('with both again')
    for (const [side, chat] of [
      [alice, 'name:bob'],
      [bob, 'name:alice'],
    ] as const) {
      const { lines } = await side.client.call('chat.lines', { chat })
      expect(lines.map(({ text }) => text)).toEqual(written)
    }
  },
  TIMEOUT_MS,
)
