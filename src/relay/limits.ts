/**
 * The limits of a relay as they are without a configuration (docs/relay.md, "Limits"). The operator may change each; `GET /info` shows
 * those in force.
 */

const SEC_US = 1_000_000 // microseconds
const HOUR_US = 3600 * SEC_US
const DAY_US = 24 * HOUR_US

export interface BoxLimits {
  /** Messages of a box; those that `at` names as processed are gone. */
  readonly maxMessages: number
  readonly maxBytes: number
  /** Messages of a box that was never checked. */
  readonly maxUnchecked: number
  /**
   * Boxes of one address that no owner has claimed, by an answer. A check alone claims none: it proves no key, so whoever makes boxes up could
   * check them as well.
   */
  readonly maxUncheckedBoxes: number
  /** Sends that a retired box keeps for its owner. */
  readonly maxRetired: number
  /** How long a message lives, in microseconds. */
  readonly messageUs: number
  /** How long a box lives after its last check, in microseconds; up to an hour less, so that not every check is a write. */
  readonly boxUs: number
}

export interface CardLimits {
  /** Cards of one address that were put without a right. 0: none. */
  readonly maxGuestCards: number
  /** Cards of one persona, each for another app. */
  readonly maxApps: number
  /** How long a card is kept, in microseconds, unless it expires before. */
  readonly cardUs: number
}

export interface InboxLimits {
  /** Entries of an inbox that no device has acknowledged. */
  readonly maxEntries: number
  /** Those of them whose senders are not allowed, all together. The owner may set it lower. */
  readonly maxStrangers: number
  /** Those of one sender who is not allowed. */
  readonly maxOfStranger: number
  /** Senders of an inbox who are allowed or blocked. */
  readonly maxNamed: number
  /** How long an entry is kept, in microseconds. */
  readonly entryUs: number
  /** For so long an entry waits for a device that is not heard of, in microseconds. */
  readonly silentUs: number
}

export interface ObjectLimits {
  /** Bytes of one object. */
  readonly maxObjectBytes: number
  /** Bytes for which all objects of one persona count. */
  readonly maxPersonaBytes: number
  /** How long an object is kept, in microseconds. */
  readonly objectUs: number
  /** Objects that are sent or fetched at one time. */
  readonly maxTransfers: number
  /** Objects that one address sends or fetches at one time. */
  readonly maxTransfersOfAddress: number
}

export interface RelayLimits {
  readonly box: BoxLimits
  readonly card: CardLimits
  readonly inbox: InboxLimits
  /** Bytes of the body of `POST /inbox/...`. */
  readonly maxEntryBytes: number
  /** Entries of one answer to `GET /inbox/...`, and of one acknowledgement. A request for more gets so many. */
  readonly maxList: number
  /** Bytes of the body of an acknowledgement, or of rules for senders. */
  readonly maxOwnerBytes: number
  readonly object: ObjectLimits
  /** Characters of `data` in base64url. */
  readonly maxDataChars: number
  /** Bytes of the body of `POST /`. */
  readonly maxBodyBytes: number
  /** Messages of one answer to `receive`. A request for more gets so many. */
  readonly maxReceive: number
  /** How long a question can be answered, in seconds. */
  readonly questionSec: number
  /** Sends to one box: `burst` at once, and `perSec` more each second. */
  readonly boxSends: { readonly burst: number; readonly perSec: number }
  /** Requests of one address, of any kind. */
  readonly address: { readonly burst: number; readonly perSec: number }
  readonly wait: {
    /** Boxes of one stream. */
    readonly maxBoxes: number
    /** Bytes of the body of `POST /wait`. */
    readonly maxBodyBytes: number
    /** Checks that the streams of one address make, at their begin and when a message comes: each may seal a question. */
    readonly checks: { readonly burst: number; readonly perSec: number }
    /** Seconds between two comments that keep a stream open. */
    readonly commentSec: number
    /** Open streams of all callers. */
    readonly maxStreams: number
    /** Open streams of one address. */
    readonly maxStreamsOfAddress: number
  }
  /** Bytes that the store may take on the disk. A send above them is answered `Too often`. */
  readonly maxDiskBytes: number
}

export const RELAY_LIMITS: RelayLimits = {
  box: {
    maxMessages: 128, // sanity: two windows of a channel, which has 64 frames on their way
    maxBytes: 1 << 20, // sanity: 128 messages of half the greatest size
    maxUnchecked: 8, // sanity: enough for a first message, its repeats and a second sender, before the owner looked
    maxUncheckedBoxes: 1000, // sanity: a household or an office has fewer open invites; a flood of made-up keys has more
    maxRetired: 4, // format: the owner of a used invite still hears of those who came late
    messageUs: HOUR_US, // format: the text's 1 hour; what messages offer expires sooner
    boxUs: 30 * DAY_US, // format: the text's 1 month
  },
  card: {
    maxGuestCards: 100, // sanity: six people after one router, with all their apps; more have a right
    maxApps: 16, // sanity: each app of a persona has a card of its own, and few people write with more
    cardUs: 30 * DAY_US, // format: the life of a card
  },
  inbox: {
    maxEntries: 1000, // sanity: more than people read in a month; an app that sends more has a device that acknowledges
    maxStrangers: 100, // sanity: a tenth, so that strangers keep nobody out
    maxOfStranger: 5, // sanity: enough to ask once and again
    maxNamed: 10_000, // sanity: every contact of a large address book, in 3 MB
    entryUs: 31 * DAY_US, // format: as long as the object that it names, and a day for clocks
    silentUs: 30 * DAY_US, // format: the life of a card
  },
  maxEntryBytes: 4096, // format: an id sealed to 20 devices, 115 bytes for each, in base64url, and room for the names
  maxList: 100, // sanity: 400 KiB at most, and most often a tenth
  maxOwnerBytes: 64 * 1024, // sanity: rules for 900 senders
  object: {
    maxObjectBytes: 20 << 20, // format: 20 MiB, the most that a message has
    maxPersonaBytes: 256 << 20, // sanity: a quarter of the disk below, so that no persona fills it alone; twelve of the largest objects
    objectUs: 31 * DAY_US, // format: a message waits for 30 days, and its last receipt comes after that
    maxTransfers: 256, // sanity: some 256 KiB of memory each
    maxTransfersOfAddress: 32, // sanity: several people after one router, each with some devices
  },
  maxDataChars: 16 * 1024, // format: an offer with 24 candidates needs a third of it
  maxBodyBytes: 20 * 1024, // sanity: the data, a key, an ext and the names of the members; JSON may be laid out with spaces
  maxReceive: 128, // sanity: all messages of a box
  questionSec: 60, // format: the text's 1 minute
  boxSends: { burst: 60, perSec: 1 }, // sanity: a channel sends its window at once, and people do not write faster
  address: { burst: 60, perSec: 10 }, // sanity: no burst below that of a box, or nobody could use that one
  wait: {
    maxBoxes: 256, // format: a channel needs one box, and a daemon has 256 channels
    maxBodyBytes: 64 * 1024, // sanity: 256 boxes with the longest form of a key, which is 160 characters
    checks: { burst: 1024, perSec: 32 }, // sanity: four full streams at once; the seals then take 3 % of one core
    commentSec: 20, // format: proxies close a stream that is silent for 30 to 60 s
    maxStreams: 4096, // sanity: 25 KiB each, so 100 MiB
    maxStreamsOfAddress: 64, // sanity: several people after one router, each with several apps
  },
  maxDiskBytes: 1 << 30, // sanity: 1 GiB, so 1 000 full boxes; a small machine has it to spare
}

/** How far ahead a client takes the end of a question, in seconds: twice its life, for clocks that differ. */
export const MAX_QUESTION_AHEAD_SEC = 120
