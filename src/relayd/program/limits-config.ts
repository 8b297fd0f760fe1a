/** The section `limits` of the configuration: every limit of a relay and of its server. */
import type { ConfigKey, ConfigSection } from '../../process/config-file.ts'
import { wholeNumber } from '../../process/config-values.ts'
import { RELAY_LIMITS, type RelayLimits } from '../../relay/limits.ts'
import { HTTP_LIMITS, type HttpLimits } from '../http/http-limits.ts'

const SEC_US = 1_000_000
const DAY_SEC = 86_400
const BODY_ROOM_BYTES = RELAY_LIMITS.maxBodyBytes - RELAY_LIMITS.maxDataChars
const MANY = 1_000_000_000 // sanity: for load tests; counts stay exact, and no relay reaches it

export interface LimitsConfig {
  readonly dataChars: number
  readonly boxMessages: number
  readonly boxBytes: number
  readonly uncheckedMessages: number
  readonly uncheckedBoxes: number
  readonly retiredMessages: number
  readonly messageSec: number
  readonly boxSec: number
  readonly questionSec: number
  readonly receive: number
  readonly guestCards: number
  readonly apps: number
  readonly cardSec: number
  readonly inboxEntries: number
  readonly strangers: number
  readonly entriesOfStranger: number
  readonly namedSenders: number
  readonly entrySec: number
  readonly entryBytes: number
  readonly list: number
  readonly objectBytes: number
  readonly personaBytes: number
  readonly objectSec: number
  readonly transfers: number
  readonly transfersOfAddress: number
  readonly boxBurst: number
  readonly boxPerSec: number
  readonly addressBurst: number
  readonly addressPerSec: number
  readonly checksBurst: number
  readonly checksPerSec: number
  readonly waitBoxes: number
  readonly streams: number
  readonly streamsOfAddress: number
  readonly connections: number
  readonly connectionsOfAddress: number
}

function number(key: string, min: number, max: number, byDefault: number): ConfigKey<number> {
  return { key, value: wholeNumber(min, max).default(byDefault), reloadable: false }
}

const { box, card, inbox, object, wait, boxSends, address } = RELAY_LIMITS

export const LIMITS_SECTION: ConfigSection<LimitsConfig> = {
  name: 'limits',
  keys: {
    dataChars: number('data_chars', 1024, 1 << 19, RELAY_LIMITS.maxDataChars),
    boxMessages: number('box_messages', 1, 4096, box.maxMessages),
    boxBytes: number('box_bytes', 1 << 10, 64 << 20, box.maxBytes),
    uncheckedMessages: number('unchecked_messages', 1, 4096, box.maxUnchecked),
    uncheckedBoxes: number('unchecked_boxes', 1, MANY, box.maxUncheckedBoxes),
    retiredMessages: number('retired_messages', 0, 128, box.maxRetired),
    messageSec: number('message_seconds', 60, 7 * DAY_SEC, box.messageUs / SEC_US),
    boxSec: number('box_seconds', DAY_SEC, 366 * DAY_SEC, box.boxUs / SEC_US),
    questionSec: number('question_seconds', 10, 120, RELAY_LIMITS.questionSec),
    receive: number('receive', 1, 4096, RELAY_LIMITS.maxReceive),
    guestCards: number('guest_cards', 0, MANY, card.maxGuestCards),
    apps: number('apps', 1, 256, card.maxApps),
    cardSec: number('card_seconds', DAY_SEC, 30 * DAY_SEC, card.cardUs / SEC_US),
    inboxEntries: number('inbox_entries', 1, MANY, inbox.maxEntries),
    strangers: number('strangers', 0, MANY, inbox.maxStrangers),
    entriesOfStranger: number('entries_of_stranger', 1, MANY, inbox.maxOfStranger),
    namedSenders: number('named_senders', 1, 1_000_000, inbox.maxNamed),
    entrySec: number('entry_seconds', DAY_SEC, 31 * DAY_SEC, inbox.entryUs / SEC_US),
    entryBytes: number('entry_bytes', 1024, 8192, RELAY_LIMITS.maxEntryBytes),
    list: number('list', 1, 256, RELAY_LIMITS.maxList),
    objectBytes: number('object_bytes', 1024, 1 << 30, object.maxObjectBytes),
    personaBytes: number('persona_bytes', 1 << 20, 2 ** 50, object.maxPersonaBytes),
    objectSec: number('object_seconds', DAY_SEC, 366 * DAY_SEC, object.objectUs / SEC_US),
    transfers: number('transfers', 1, 1_000_000, object.maxTransfers),
    transfersOfAddress: number('transfers_of_address', 1, 1_000_000, object.maxTransfersOfAddress),
    boxBurst: number('box_burst', 1, MANY, boxSends.burst),
    boxPerSec: number('box_per_second', 1, MANY, boxSends.perSec),
    addressBurst: number('address_burst', 1, MANY, address.burst),
    addressPerSec: number('address_per_second', 1, MANY, address.perSec),
    checksBurst: number('checks_burst', 256, MANY, wait.checks.burst),
    checksPerSec: number('checks_per_second', 1, MANY, wait.checks.perSec),
    waitBoxes: number('wait_boxes', 1, 256, wait.maxBoxes),
    streams: number('streams', 1, 1_000_000, wait.maxStreams),
    streamsOfAddress: number('streams_of_address', 1, 1_000_000, wait.maxStreamsOfAddress),
    connections: number('connections', 1, 1_000_000, HTTP_LIMITS.maxConnections),
    connectionsOfAddress: number('connections_of_address', 1, 1_000_000, HTTP_LIMITS.maxConnectionsOfAddress),
  },
}

/** The limits of boxes, cards, inboxes, objects, of `/wait` and of the disk. */
export function relayLimitsOf(config: LimitsConfig, maxDiskBytes: number): RelayLimits {
  return {
    box: {
      maxMessages: config.boxMessages,
      maxBytes: config.boxBytes,
      maxUnchecked: config.uncheckedMessages,
      maxUncheckedBoxes: config.uncheckedBoxes,
      maxRetired: config.retiredMessages,
      messageUs: config.messageSec * SEC_US,
      boxUs: config.boxSec * SEC_US,
    },
    card: { maxGuestCards: config.guestCards, maxApps: config.apps, cardUs: config.cardSec * SEC_US },
    inbox: {
      ...inbox,
      maxEntries: config.inboxEntries,
      maxStrangers: config.strangers,
      maxOfStranger: config.entriesOfStranger,
      maxNamed: config.namedSenders,
      entryUs: config.entrySec * SEC_US,
    },
    object: {
      maxObjectBytes: config.objectBytes,
      maxPersonaBytes: config.personaBytes,
      objectUs: config.objectSec * SEC_US,
      maxTransfers: config.transfers,
      maxTransfersOfAddress: config.transfersOfAddress,
    },
    maxEntryBytes: config.entryBytes,
    maxList: config.list,
    maxOwnerBytes: RELAY_LIMITS.maxOwnerBytes,
    maxDataChars: config.dataChars,
    maxBodyBytes: config.dataChars + BODY_ROOM_BYTES,
    maxReceive: config.receive,
    questionSec: config.questionSec,
    boxSends: { burst: config.boxBurst, perSec: config.boxPerSec },
    address: { burst: config.addressBurst, perSec: config.addressPerSec },
    wait: {
      ...wait,
      maxBoxes: config.waitBoxes,
      checks: { burst: config.checksBurst, perSec: config.checksPerSec },
      maxStreams: config.streams,
      maxStreamsOfAddress: config.streamsOfAddress,
    },
    maxDiskBytes,
  }
}

/** The limits of the server. */
export function httpLimitsOf(config: LimitsConfig): HttpLimits {
  return {
    ...HTTP_LIMITS,
    maxConnections: config.connections,
    maxConnectionsOfAddress: config.connectionsOfAddress,
  }
}
