/** Lists what is wrong or odd in a readable profile, completely, so that nobody takes a part of it for the whole. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { decodeConferences } from './conferences.ts'
import { ToxError, type ToxErrorCode } from './errors.ts'
import { readFriends, type FriendProblem, type ToxFriend } from './friends.ts'
import { decodeGroups } from './groups.ts'
import { decodeDht, decodeNodes } from './nodes.ts'
import {
  MAX_TOX_NAME_BYTES,
  MAX_TOX_STATUS_BYTES,
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
} from './savefile.ts'

export interface Finding {
  readonly code: ToxErrorCode
  readonly message: string
}

type Check = (section: ToxSection, save: ToxSave) => Finding[]

/** The sections whose content is checked here. Reading the profile has already checked the container and the keys. */
const CHECKS: ReadonlyMap<number, Check> = new Map<number, Check>([
  [SECTION_KEYS, () => []],
  [SECTION_DHT, ({ data }) => refusal(() => decodeDht(data))],
  [SECTION_FRIENDS, (_, save) => friendFindings(save)],
  [SECTION_NAME, ({ data }) => overlong('TOX_NAME_TOO_LONG', 'name', data, MAX_TOX_NAME_BYTES)],
  [SECTION_STATUS_MESSAGE, ({ data }) => overlong('TOX_STATUS_TOO_LONG', 'status', data, MAX_TOX_STATUS_BYTES)],
  [SECTION_USER_STATUS, ({ data }) => (data.length === 1 && data[0]! <= 2 ? [] : [badUserStatus(data)])],
  [SECTION_GROUPS, ({ data }) => refusal(() => decodeGroups(data))],
  [SECTION_TCP_RELAYS, ({ data }) => refusal(() => decodeNodes(data))],
  [SECTION_PATH_NODES, ({ data }) => refusal(() => decodeNodes(data))],
  [SECTION_CONFERENCES, ({ data }) => refusal(() => decodeConferences(data))],
])

/**
 * Everything a user should know before trusting or writing the profile, in file order.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function findingsOf(save: ToxSave): Finding[] {
  const findings = save.sections.flatMap((section) => {
    const check = CHECKS.get(section.type)
    return check === undefined ? [foreign(section)] : check(section, save)
  })
  return save.tail.length === 0 ? [...findings, NO_END] : findings
}

const NO_END: Finding = {
  code: 'TOX_NO_END',
  message: 'the profile has no end mark, so it may be cut between two sections: compare it with a backup',
}

const PROBLEMS: Readonly<Record<FriendProblem['problem'], { code: ToxErrorCode; what: string }>> = {
  DUPLICATE_KEY: { code: 'TOX_FRIEND_TWICE', what: 'repeats the key of an earlier friend' },
  OWN_KEY: { code: 'TOX_FRIEND_OWN_KEY', what: "has the profile's own key" },
  INVALID_KEY: { code: 'TOX_BAD_FRIEND', what: 'has no valid key' },
}

function friendFindings(save: ToxSave): Finding[] {
  const { friends, problems } = readFriends(save)
  const overlong = friends.filter((friend) => friend.hasOverlongText).map(overlongText)
  return [...problems.map(problemOf), ...overlong]
}

function overlongText({ index, publicKey }: ToxFriend): Finding {
  const message = `friend ${index}, ${formatHex(publicKey)}, has a text longer than its field: it reads as empty until the friend shows it again`
  return { code: 'TOX_BAD_FRIEND', message }
}

function problemOf({ index, publicKey, problem }: FriendProblem): Finding {
  const { code, what } = PROBLEMS[problem]
  const message = `friend ${index} ${what}, ${formatHex(publicKey)}: Tox clients skip it and drop it when they save`
  return { code, message }
}

function foreign({ type, data }: ToxSection): Finding {
  const message = `section ${type} (${data.length} bytes) is of an unknown type: we keep it, but a Tox client that does not know it drops it`
  return { code: 'TOX_FOREIGN_SECTION', message }
}

function overlong(code: ToxErrorCode, what: 'name' | 'status', data: Uint8Array, maxBytes: number): Finding[] {
  if (data.length <= maxBytes) return []
  const message = `the ${what} has ${data.length} bytes, more than ${maxBytes}, so Tox clients show none: set another with: persona tox set FILE ${what} VALUE`
  return [{ code, message }]
}

function badUserStatus(data: Uint8Array): Finding {
  const found = data.length === 0 ? 'empty' : formatHex(data.subarray(0, 8))
  const message = `the user status is ${found}, not 00, 01 or 02: set it with: persona tox set FILE away none`
  return { code: 'TOX_BAD_USER_STATUS', message }
}

function refusal(decode: () => unknown): Finding[] {
  try {
    decode()
    return []
  } catch (error) {
    if (error instanceof ToxError) return [{ code: error.code, message: error.message }]
    throw error
  }
}
