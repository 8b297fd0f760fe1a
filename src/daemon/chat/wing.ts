/** Chats as a wing: it keeps their lines, sealed, for `persona chat` (docs/chat.md). Channels and messages carry the lines, and know nothing of chats. */
import * as schema from '../../ipc/methods/chat.ts'
import type { Wing } from '../wing/wing.ts'
import { ChatHistory } from './history.ts'
import { SEALED_KINDS } from './kinds.ts'
import { knownKeys, noteKey } from './known-keys.ts'

export const CHAT: Wing<schema.ChatMethods, null> = {
  schema: schema.CHAT,
  section: null,
  sealedKinds: SEALED_KINDS,
  open: ({ keeper, sealed }) => {
    const history = new ChatHistory(keeper, sealed)
    return {
      handlers: {
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
    }
  },
}
