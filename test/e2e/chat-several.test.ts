/** Several chats in one open `persona chat`, on a terminal. */
import { describe, expect, test } from 'vitest'
import { Side } from '../support/channel-sides.ts'
import { ChatScript, chatTerminal, homeOf, meetInChat } from '../support/chat-sides.ts'
import { tempDir } from '../support/temp-dir.ts'
import { hasTmux } from '../support/tmux.ts'

const TIMEOUT_MS = 120_000
const absence = hasTmux() ? '' : ' (skipped: no tmux)'

describe.skipIf(absence !== '')(`on a terminal${absence}`, () => {
  test(
    'a line that arrives after its writer has gone to another chat disturbs neither chat, and is marked when they come back',
    async () => {
      const folders = [tempDir()]
      const start = async (): Promise<Side> => await new Side({ folders }).start()
      const [alice, bob, carol] = [await start(), await start(), await start()]
      await meetInChat(alice, bob)
      const invite = await homeOf(alice).done(['chat', 'invite', 'Carol', '--as', 'Alice'])
      await homeOf(carol).done(['chat', 'accept', '-', '--name', 'Alice'], { stdin: invite })
      await alice.until(async (client) => (await client.call('channel.list', {})).channels.length === 2)
      await bob.stop()

      const terminal = chatTerminal(alice, 100, 'Bob')
      await terminal.shows(/^Bob>$/m)
      terminal.type('for Bob')
      await terminal.shows(/^Bob \[on its way\]>$/m)
      terminal.type('/to Carol')
      await terminal.shows(/^Carol>$/m)
      await bob.start()
      await alice.until(async (client) =>
        (await client.call('channel.list', {})).channels.every(({ waiting }) => waiting === 0),
      )
      terminal.type('for Carol')
      expect((await new ChatScript(carol, 'Alice').next()).text).toBe('for Carol')
      await terminal.shows(/^Carol \[(there|read)\]>$/m)
      terminal.type('/to Bob')
      await terminal.shows(/you: for Bob \[there\]$/m)
      expect((await new ChatScript(bob, 'Alice').next()).text).toBe('for Bob')
      terminal.type('/quit')
      await terminal.ended()
    },
    TIMEOUT_MS,
  )
})
