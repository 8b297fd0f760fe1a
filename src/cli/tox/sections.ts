/** The sections of a profile for `persona tox inspect`: decoded whole, or refused with a code. Unknown sections show only a hash. */
import { createHash } from 'node:crypto'
import { formatHex } from '../../core/encoding/bytes.ts'
import { decodeConferences, type Conference } from '../../tox/save/conferences.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { decodeGroups, type Group } from '../../tox/save/groups.ts'
import { decodeDht, decodeNodes, type ToxNode } from '../../tox/save/nodes.ts'
import {
  SECTION_CONFERENCES,
  SECTION_DHT,
  SECTION_FRIENDS,
  SECTION_GROUPS,
  SECTION_KEYS,
  SECTION_NAME,
  SECTION_PATH_NODES,
  SECTION_STATUS_MESSAGE,
  SECTION_TCP_RELAYS,
  SECTION_USER_STATUS,
  type ToxSave,
  type ToxSection,
} from '../../tox/save/savefile.ts'

const NAMES: ReadonlyMap<number, string> = new Map([
  [SECTION_KEYS, 'NOSPAMKEYS'],
  [SECTION_DHT, 'DHT'],
  [SECTION_FRIENDS, 'FRIENDS'],
  [SECTION_NAME, 'NAME'],
  [SECTION_STATUS_MESSAGE, 'STATUSMESSAGE'],
  [SECTION_USER_STATUS, 'STATUS'],
  [SECTION_GROUPS, 'GROUPS'],
  [SECTION_TCP_RELAYS, 'TCP_RELAY'],
  [SECTION_PATH_NODES, 'PATH_NODE'],
  [SECTION_CONFERENCES, 'CONFERENCES'],
])

/** The name that c-toxcore uses. */
export function sectionName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`
}

export interface SectionReport {
  type: number
  /** Null for an unknown type. */
  name: string | null
  bytes: number
  /** SHA-256 of the content of an unknown section, else null: most other sections hold keys or are decoded below. */
  sha256: string | null
  nodes?: NodeReport[]
  conferences?: ConferenceReport[]
  groups?: GroupReport[]
  /** Why the content cannot be decoded. Never contains a part of it. */
  error: { code: string; message: string } | null
}

export interface NodeReport {
  transport: 'udp' | 'tcp'
  ip: string
  port: number
  key: string
}

export interface ConferenceReport {
  kind: 'text' | 'audio'
  id: string
  title: string
  messageNumber: number
  lossyMessageNumber: number
  ownNumber: number
  peers: { key: string; dhtKey: string; number: number; lastActiveSec: number; nick: string }[]
}

export interface GroupReport {
  chatId: string
  name: string
  topic: string
  disconnected: boolean
  privacyState: number
  voiceState: number
  topicLock: number
  maxPeers: number
  version: number
  founderKey: string
  moderators: string[]
  self: { key: string; nick: string; role: number; userStatus: number }
  savedPeersBytes: number
  /** Only with --secrets. */
  secrets?: { chatSecretKey: string; selfSecretKey: string; password: string }
}

export function reportSections(save: ToxSave, withSecrets: boolean): SectionReport[] {
  return save.sections.map((section) => {
    const { type, data } = section
    const name = NAMES.get(type) ?? null
    const sha256 = name === null ? createHash('sha256').update(data).digest('hex').toUpperCase() : null
    const about = { type, name, bytes: data.length, sha256 }
    try {
      return { ...about, ...contentOf(section, withSecrets), error: null }
    } catch (error) {
      if (!(error instanceof ToxError)) throw error
      return { ...about, error: { code: error.code, message: error.message } }
    }
  })
}

function contentOf(
  { type, data }: ToxSection,
  withSecrets: boolean,
): Pick<SectionReport, 'nodes' | 'conferences' | 'groups'> {
  switch (type) {
    case SECTION_DHT:
      return { nodes: decodeDht(data).map(reportNode) }
    case SECTION_TCP_RELAYS:
    case SECTION_PATH_NODES:
      return { nodes: decodeNodes(data).map(reportNode) }
    case SECTION_CONFERENCES:
      return { conferences: decodeConferences(data).map(reportConference) }
    case SECTION_GROUPS:
      return { groups: decodeGroups(data).map((group) => reportGroup(group, withSecrets)) }
    default:
      return {}
  }
}

function reportNode({ transport, ip, port, publicKey }: ToxNode): NodeReport {
  return { transport, ip, port, key: formatHex(publicKey) }
}

function reportConference(conference: Conference): ConferenceReport {
  return {
    ...conference,
    id: formatHex(conference.id),
    title: conference.title.text,
    peers: conference.peers.map(({ publicKey, dhtKey, number, lastActiveSec, nick }) => {
      return { key: formatHex(publicKey), dhtKey: formatHex(dhtKey), number, lastActiveSec, nick: nick.text }
    }),
  }
}

function reportGroup(group: Group, withSecrets: boolean): GroupReport {
  const { chatId, name, topic, isDisconnected, founderKey, moderators, self, savedPeers, secrets } = group
  const { privacyState, voiceState, topicLock, maxPeers, version } = group
  const secretFields = {
    chatSecretKey: formatHex(secrets.chatSecretKey),
    selfSecretKey: formatHex(secrets.selfSecretKey),
    password: formatHex(secrets.password),
  }
  return {
    chatId: formatHex(chatId),
    name: name.text,
    topic: topic.text,
    disconnected: isDisconnected,
    privacyState,
    voiceState,
    topicLock,
    maxPeers,
    version,
    founderKey: formatHex(founderKey),
    moderators: moderators.map(formatHex),
    self: {
      key: formatHex(self.publicKey),
      nick: self.nick.text,
      role: self.role,
      userStatus: self.userStatus,
    },
    savedPeersBytes: savedPeers.length,
    ...(withSecrets ? { secrets: secretFields } : {}),
  }
}
