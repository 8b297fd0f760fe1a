/**
 * The sealed records of messages. None of them travels: a restored device lists its inboxes anew, and what it had sent is known to its
 * recipients. Ids are in the clear, so a PersonaID, an address or the id of an object stands there only as a hash (docs/messages.md, section 8).
 */
import type { SentState } from '../../../ipc/methods/messages.ts'
import type { MessageKind } from '../../../message/header.ts'
import { BYTES, sealedKind, type SealedKind } from '../../sealed/sealed-kind.ts'
import { jsonCodec } from '../../sealed/json-codec.ts'

/** The last numbers of an app. */
export interface Counts {
  readonly sent: number
  readonly arrived: number
  /** The app has dealt with the messages up to this one. */
  readonly acked: number
  /** Bytes of messages that it has not dealt with. */
  readonly unreadBytes: number
}

/** A device to which a message was sealed. */
export interface SealedTo {
  /** Its key `sig`, hex. */
  readonly sig: string
  /** Its key `enc` of then, hex; absent in records of earlier versions. */
  readonly enc?: string
  /** It is another device of the sender. */
  readonly isOwn: boolean
}

/** A message that was sent here. */
export interface StoredSent {
  /** PersonaID of the recipient. */
  readonly to: string
  readonly key: string | null
  /** PersonaID of the sender, and the key `sig` of this device as it was then, hex; absent in records of earlier versions. */
  readonly by?: { readonly persona: string; readonly device: string }
  /** Name of the object, base64url. */
  readonly id: string
  readonly kind: MessageKind
  readonly state: SentState
  readonly reason: string | null
  readonly sentSec: number
  /** Bytes of the content, and of the object. */
  readonly bytes: number
  readonly objectBytes: number
  /** SHA-256 of the object, base64url. */
  readonly hash: string
  readonly devices: readonly SealedTo[]
  /** The keys `sig` of those whose receipt came. */
  readonly receipts: readonly string[]
  /** Devices of the recipient that have it without that it was sealed to them, by their key `sig`: restored ones. Absent if there is none. */
  readonly restored?: readonly string[]
  /** Address of the store that has the object; null while none has. */
  readonly store: string | null
  /** The cards of each side and of the sender when its inboxes got the entry: see cardsMark(). */
  readonly posted?: { readonly own?: string; readonly peer?: string }
}

/** A message that has come. Its parts are under {@link ARRIVED_PART}. */
export interface StoredArrived {
  readonly from: string
  readonly to: string
  readonly kind: MessageKind
  readonly sentSec: number
  readonly atSec: number
  readonly missing: number
  readonly failed: string | null
  readonly bytes: number
  /** By which its parts are found. */
  readonly parts: string
}

/** An object that was read here, or has failed. */
export interface StoredSeen {
  readonly untilSec: number
  /** The key `sig` of the device that sent it and got a receipt, hex; absent where it failed. */
  readonly device?: string
  /** How often it got the receipt again. */
  readonly again?: number
}

/** How messages between this device and a persona are counted. */
export interface PeerCounts {
  readonly sent: number
  /** The highest count of each of their devices, by its key `sig` in hex. */
  readonly heard: Readonly<Record<string, number>>
}

/** An inbox of a persona for an app, which is read until the last card that named it has expired. */
export interface KnownInbox {
  readonly url: string
  readonly untilSec: number
  /** PersonaID; absent in records of earlier versions, where it is the own one. */
  readonly persona?: string
}

export interface KnownInboxes {
  readonly inboxes: readonly KnownInbox[]
}

/** Somebody who is no contact, and has left entries. */
export interface StoredRequest {
  readonly persona: string
  readonly state: 'asks' | 'accepted' | 'rejected' | 'blocked'
  readonly firstSec: number
  readonly lastSec: number
  /** Where their card lies: the address of the relay, and the place there. */
  readonly card: { readonly url: string; readonly at: string }
  /** Sealed, in base64url: nothing of theirs is opened. */
  readonly entries: readonly string[]
}

/** Relays that an app proposes; null for those that may stay. */
export interface StoredProposal {
  readonly inboxes: readonly string[] | null
  readonly stores: readonly string[] | null
  /** The owner does not want them, and is not asked about the same ones again. */
  readonly isRejected: boolean
}

/** A receipt on its way. */
export interface StoredReceipt {
  readonly id: string
  readonly signature: string
  /** The key `sig` of the device that sent the message, hex; absent in records of earlier versions. */
  readonly device?: string
}

/** Work that a relay, or somebody's card, may keep waiting. */
export type Task =
  | { readonly do: 'store'; readonly sent: number; readonly bytes: number }
  | {
      readonly do: 'post'
      readonly persona: string
      /** The number of the message that the entry leads to; null for a receipt. */
      readonly sent: number | null
      readonly receipt: StoredReceipt | null
      /** Addresses of the inboxes that have it. */
      readonly done: readonly string[]
    }
  | {
      readonly do: 'fetch'
      readonly from: string
      /** PersonaID to which the message was sent, where it is one before the own one. */
      readonly to?: string
      /** Address of the inbox that announced it; earlier versions kept none. */
      readonly at?: string
      readonly id: string
      readonly kind: MessageKind
      readonly store: number
      readonly hash: string
      /** When all stores of the newest card first had no such object. */
      readonly deniedSec?: number
      /** Tries that found a wrong object. */
      readonly bad?: number
    }
  | { readonly do: 'delete'; readonly url: string; readonly id: string }

export interface Job {
  readonly app: string
  readonly task: Task
  readonly tries: number
  /** Why the last try failed. */
  readonly reason: string | null
  readonly nextSec: number
  readonly untilSec: number
}

/** By the name of the app. */
export const COUNTS: SealedKind<Counts> = sealedKind('msgcounts', jsonCodec())
/** By app and number. */
export const SENT: SealedKind<StoredSent> = sealedKind('msgsent', jsonCodec())
/** Numbers of sent messages, by app and hash of the object's id. */
export const SENT_ID: SealedKind<number> = sealedKind('msgsentid', jsonCodec())
/** Numbers of sent messages, by app and hash of the app's key. */
export const SENT_KEY: SealedKind<number> = sealedKind('msgsentkey', jsonCodec())
/** Parts of an object that no store has yet, by app, number and offset. They are sealed to others already. */
export const OBJECT_PART: SealedKind<Uint8Array> = sealedKind('msgobject', BYTES)
/** Pieces of a large content of an app, by app, hash of the upload's name and offset. */
export const UPLOAD: SealedKind<Uint8Array> = sealedKind('msgupload', BYTES)
/** By app and number. */
export const ARRIVED: SealedKind<StoredArrived> = sealedKind('msgarrived', jsonCodec())
/** Parts of a content, by app, hash of the object's id and offset. */
export const ARRIVED_PART: SealedKind<Uint8Array> = sealedKind('msgpart', BYTES)
/** By app and hash of the object's name. Records of earlier versions are the second alone until when it is remembered. */
export const SEEN: SealedKind<StoredSeen | number> = sealedKind('msgseen', jsonCodec())
/** By app and hash of the PersonaID. */
export const PEER: SealedKind<PeerCounts> = sealedKind('msgpeer', jsonCodec())
/** By the name of the app. */
export const INBOXES: SealedKind<KnownInboxes> = sealedKind('msginbox', jsonCodec())
/** PersonaIDs of which an inbox may have heard, by app, hash of the inbox, and hash of the PersonaID. */
export const TOLD: SealedKind<string> = sealedKind('msgtold', jsonCodec())
/** By app and hash of the PersonaID. */
export const REQUEST: SealedKind<StoredRequest> = sealedKind('msgrequest', jsonCodec())
/** By the name of the app. */
export const PROPOSAL: SealedKind<StoredProposal> = sealedKind('msgproposal', jsonCodec())
/** By app and 16 random hex digits. */
export const JOB: SealedKind<Job> = sealedKind('msgjob', jsonCodec())

export const SEALED_KINDS: readonly SealedKind<unknown>[] = [
  COUNTS,
  SENT,
  SENT_ID,
  SENT_KEY,
  OBJECT_PART,
  UPLOAD,
  ARRIVED,
  ARRIVED_PART,
  SEEN,
  PEER,
  INBOXES,
  TOLD,
  REQUEST,
  PROPOSAL,
  JOB,
]
