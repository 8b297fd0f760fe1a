/** Chats as a wing: it keeps their lines, sealed, sends those of the owner, and takes those of peers (docs/chat.md). Channels and messages carry them, and know nothing of chats. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import * as schema from '../../ipc/methods/chat.ts'
import { systemClock } from '../../process/pulse.ts'
import type { Wing } from '../wing/wing.ts'
import { ChatHistory } from './history.ts'
import { SEALED_KINDS } from './kinds.ts'
import { knownKeys, noteKey } from './known-keys.ts'
import { Sender } from './sender.ts'
import { chatTaker } from './taker.ts'

export const CHAT: Wing<schema.ChatMethods, null> = {
  schema: schema.CHAT,
  section: null,
  sealedKinds: SEALED_KINDS,
  open: ({ keeper, sealed, owner, takers, log }) => {
    const history = new ChatHistory(keeper, sealed)
    takers.set(CHAT_APP, chatTaker(history))
    const sender = new Sender({ history, owner, clock: systemClock, log })
    let endOpened = (): void => {}
    return {
      handlers: {
        'chat.send': (params) => sender.send(params),
        'chat.tell': async ({ chat, read }) => ({ told: await sender.tell(chat, read) }),
        'chat.keep': (params) => history.keep(params),
        'chat.lines': (params) => history.lines(params),
        'chat.mark': async (params) => ({ marked: await history.mark(params) }),
        'chat.list': async () => ({ chats: await history.list() }),
        'chat.add': async (known) => {
          await noteKey(known, keeper, sealed)
          return {}
        },
        'chat.known': async () => ({ known: await knownKeys(sealed) }),
        'chat.forget': async ({ chat }) => ({ lines: await history.forget(chat) }),
      },
      start: () => {
        endOpened = sealed.key.whenOpened(() => sender.load())
      },
      onEvent: (told) => sender.onEvent(told),
      close: async () => {
        endOpened()
        await sender.close()
      },
    }
  },
}
