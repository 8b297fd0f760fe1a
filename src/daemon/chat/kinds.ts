/** The sealed records of chats. Ids are in the clear, so the name of a chat stands there only as a hash. None of them travels. */
import type { ChatLine, KnownKey } from '../../ipc/methods/chat.ts'
import { jsonCodec } from '../sealed/json-codec.ts'
import { sealedKind, type SealedKind } from '../sealed/sealed-kind.ts'

export type StoredLine = Omit<ChatLine, 'number'>

export interface StoredChat {
  readonly chat: string
  /** The number of the last line. */
  readonly lines: number
  readonly unread: number
  readonly unsent: number
  readonly lastSec: number
}

/** By the hash of the chat. */
export const CHATS: SealedKind<StoredChat> = sealedKind('chat', jsonCodec())
/** By the hash of the chat and the number. */
export const LINES: SealedKind<StoredLine> = sealedKind('chatline', jsonCodec())
/** Numbers of lines, by the hash of the chat and that of the id. */
export const LINE_ID: SealedKind<number> = sealedKind('chatlineid', jsonCodec())
/** By the hash of the name. */
export const KNOWN_KEY: SealedKind<KnownKey> = sealedKind('chatkey', jsonCodec())

export const SEALED_KINDS: readonly SealedKind<unknown>[] = [CHATS, LINES, LINE_ID, KNOWN_KEY]
