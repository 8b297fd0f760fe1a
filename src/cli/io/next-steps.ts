/** The commands that go with the daemon's codes. The daemon says what happened and what to do. Each client adds its own commands. */
import { COMMAND_LINE_APP } from '../../core/encoding/app-name.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import { quoteWord } from '../../ipc/command-word.ts'

/** The subject of an error (its `details`) or of a finding (its `about`). */
export type Facts = Readonly<Record<string, unknown>>

type Step = string | ((facts: Facts) => string | null)

/** The commands that list the possible names, by the `what` of a NOT_FOUND. */
const LISTS: Readonly<Record<string, string>> = {
  contact: 'persona contact list',
  person: 'persona contact list, or persona channel list',
  'contact-device': 'persona contact show NAME',
  device: 'persona device list',
  alarm: 'persona alarms',
  app: 'persona app list',
  'app-request': 'persona app pending',
  relay: 'persona relay list',
}

const STEPS: Readonly<Record<string, Step>> = {
  NO_PERSONA: 'persona init --device NAME --tox-profile FILE',
  PERSONA_EXISTS: 'persona status',
  LOCKED: 'persona unlock',
  LOCKED_LONG: 'persona unlock',
  APPS_LOCKED: 'persona unlock',
  NO_PASSPHRASE: 'persona passphrase set',
  PASSPHRASE_SET: 'persona passphrase change',
  SECRETS_UNSEALED: 'persona passphrase set',
  UNPROTECTED: 'persona recovery show',
  RECOVERY_UNCONFIRMED: 'persona recovery show',
  RECOVERY_ELSEWHERE: 'persona recovery show',
  RECOVERY_LOST: 'persona recovery check',
  RECOVERY_MISMATCH: 'persona recovery show',
  PERSONA_SUCCEEDED: 'persona leave, then persona join; or persona rotate',
  OTHERS_MUST_JOIN: 'persona leave there, then persona pair here',
  EPOCHS_RUN_OUT: 'persona succeed',
  LAST_EPOCH: 'persona succeed',
  KEY_SUPERSEDED: 'persona pair, or persona rotate --follow',
  OTHERS_NEED_KEY: 'persona pair here, or persona rotate --follow there',
  NOTHING_TO_FOLLOW: 'persona tox scan FILE',
  RECOVER_UNFINISHED: 'persona rotate --keep NAME',
  RESTORE_UNRECONCILED: 'persona reconcile FILE; without a copy: persona reconcile --force',
  OWN_DEVICE_UNLISTED:
    'persona leave; or persona device add NAME --key KEY --again; or persona device remove STOLEN-DEVICE --lost',
  ROTATE_AGAIN: 'persona rotate',
  OWN_TABLE_HELD: 'persona rotate',
  CARD_TAKEN_OUT: ({ app }) => `persona app rejoin ${wordOf(app)}; or persona device remove STOLEN-DEVICE --lost`,
  CARD_NONE: 'persona app cards',
  CARD_INBOXES_CHANGED: ({ app }) =>
    `persona app inbox ${wordOf(app)} URL; or persona device remove STOLEN-DEVICE --lost`,
  CARD_STORES_CHANGED: ({ app }) =>
    `persona app store ${wordOf(app)} URL; or persona device remove STOLEN-DEVICE --lost`,
  CARD_NOT_KEPT: ({ app }) => `persona app store ${wordOf(app)} URL; or persona app inbox ${wordOf(app)} URL`,
  CARD_WAITS: 'persona unlock',
  CARD_FULL: 'persona rotate',
  CARD_UNAPPROVED: ({ device }) => `persona device approve ${wordOf(device)}`,
  NOT_REVOKED: 'persona rotate',
  STORE_ROLLED_BACK: 'persona device list; persona rotate',
  CHAIN_DISPUTED: 'persona link',
  CURSOR_AHEAD: 'persona log',
  DEVICE_UNAPPROVED: ({ device }) =>
    `persona device approve ${wordOf(device)}, or persona device remove ${wordOf(device)} --lost`,
  EPOCHS_EXHAUSTED: ({ next }) =>
    typeof next === 'number' && next <= MAX_EPOCH ? `--epoch ${next}` : 'persona succeed',
  EPOCH_USED: ({ next }) => (typeof next === 'number' ? `--epoch ${next}` : null),
  EPOCH_UNSURE: ({ epoch }) => `persona tox scan FILE; or --epoch ${String(epoch)}`,
  ROTATION_TOO_LARGE: '--without NAME',
  SIBLING_NO_TABLE: 'persona sibling sync',
  SIBLING_FOREIGN: 'persona observe',
  ERASE_MISMATCH: 'persona status',
  NOT_FOUND: ({ what }) => (typeof what === 'string' ? (LISTS[what] ?? null) : null),
  AMBIGUOUS: ({ kinds }) => (Array.isArray(kinds) ? kinds.map((kind) => `--kind ${String(kind)}`).join(' or ') : null),
  CONTACT_IS_OWN: ({ wants }) => (wants === 'own link' ? 'persona link' : null),
  CONTACT_PROVISIONAL: ({ wants }) => (wants === 'link' ? 'persona contact add LINK' : null),
  ALREADY_JOINED: 'persona contact show NAME',
  TOO_MANY_JOINED: 'persona contact split NAME ACCOUNT',
  CONTACT_FORGOTTEN: '--again',
  CHAIN_DIFFERS: ({ isOwn, personaId }) =>
    isOwn === true ? `persona contact forget ${wordOf(personaId)}` : 'persona contact add LINK --repin',
  DEVICE_CONFIRMED: ({ isOwn }) => (isOwn === true ? 'persona device remove NAME' : 'persona contact block NAME'),
  DEVICE_TOMBSTONED: 'persona device add NAME --key KEY --again',
  DEVICE_COMPANION: 'persona device list',
  DEVICE_LISTED: 'persona device list',
  LINK_UNKNOWN: 'persona link, on their side',
  NUMBER_MISMATCH: ({ wants }) => (wants === 'link' ? 'persona contact add LINK' : null),
  NOTHING_PENDING: 'persona pending',
  PENDING_CHANGED: 'persona pending',
  PENDING: 'persona pending',
  APPS_PENDING: 'persona app pending',
  APP_TOKEN_UNKNOWN: 'persona app allow NAME',
  APP_PENDING: 'persona app pending',
  APP_TOO_MANY: 'persona app pending',
  APP_EXISTS: ({ app, isAsking }) => (isAsking === true ? 'persona app pending' : `persona app revoke ${wordOf(app)}`),
  APP_NAME_NEEDED: '--as org.example.app',
  APP_NAME_TAKEN: ({ name, isRevoked }) => (isRevoked === true ? `persona app release ${wordOf(name)}` : null),
  APP_NAME_USED: ({ app }) => `persona app revoke ${wordOf(app)}`,
  PAIRING_BUSY: 'persona pair --cancel',
  PAIRING_NONE: 'persona pair',
  PAIRING_EXPIRED: 'persona pair',
  PAIRING_TRIES: 'persona pair',
  PAIRING_OLDER_KEY: 'persona pair here, persona join there',
  NOT_ANNOUNCED: 'persona announce on',
  NET_NOT_CONFIGURED: 'persona config edit',
  NOTHING_TO_LOOK_UP: 'persona tox scan FILE',
  ANNOUNCE_LOCKED: 'persona unlock',
  ANNOUNCE_NO_NETWORK: 'persona config edit; or persona announce off',
  ANNOUNCE_NOWHERE: 'persona announce',
  ANNOUNCE_FORWARD_NOWHERE: 'persona announce',
  ANNOUNCE_FAILED: 'persona announce',
  SHORT_UNKNOWN: 'persona contact refresh',
  SHORT_UNKNOWN_OFF: 'persona config edit',
  NO_CARRIER: ({ network }) =>
    network === 'dht'
      ? 'persona config edit'
      : 'persona relay add URL; or net.folders or net.bootstrap by persona config edit',
  CARRIER_READ_ONLY: openFolder,
  FOLDER_READ_ONLY: openFolder,
  CHANNEL_UNKNOWN: 'persona channel list',
  NAME_TAKEN: ({ channel }) => (channel === undefined ? null : closeChannel({ channel })),
  CHAT_UNKNOWN: ({ name }) => `persona chat invite ${wordOf(name)}`,
  FRIEND_UNKNOWN: ({ name }) => `persona chat add-friend ${wordOf(name)} KEY`,
  VEILID_ELSEWHERE: ({ place }) => `persona config set net.veilid ${wordOf(place)}`,
  PAIR_KEY_NONE: 'persona chat keygen',
  CHANNEL_BROKEN: closeChannel,
  CHANNEL_DAMAGED: (facts) => (facts['reason'] === 'STATE_VERSION' ? null : closeChannel(facts)),
  CHANNEL_HELD: ({ channel }) => `persona channel verify ${wordOf(channel)}`,
  CHANNEL_NOT_OPEN: 'persona channel invite NAME',
  CHANNELS_FULL: 'persona channel close NAME',
  INVITES_FULL: 'persona channel close NAME',
  INVITE_UNUSED: closeChannel,
  OUTBOX_FULL: 'persona channel list',
  INVITE_UNKNOWN: newInvite,
  INVITE_DAMAGED: newInvite,
  INVITE_EXPIRED: newInvite,
  INVITE_USED: ({ channel }) => (channel === undefined ? null : 'persona channel list'),
  WORDS_DIFFER: closeChannel,
  MESSAGE_NO_PERSONA: 'persona init --device NAME --tox-profile FILE',
  MESSAGE_NO_STORE: ({ app }) => `persona relay add URL, or persona app store ${wordOf(app)} URL`,
  MESSAGE_NO_CARD: ({ app, wants }) => {
    if (wants === 'link') return 'persona contact add LINK'
    return app === COMMAND_LINE_APP ? 'persona message open, on their side' : null
  },
  MESSAGE_NO_INBOX: ({ app }) => `persona app inbox ${wordOf(app)} URL, on their side`,
  MESSAGE_BLOCKED: ({ persona }) =>
    `persona contact unblock ${wordOf(persona)}, or persona message accept ${wordOf(persona)}`,
  MESSAGE_NO_REQUEST: 'persona message list',
  MESSAGE_REQUESTS: 'persona pending',
  MESSAGES_FULL: 'persona message sent',
  APP_LINK_ASKED: ({ app, other }) => {
    const [own, theirs] = [wordOf(app), wordOf(other)]
    const elsewhere = `persona app link ${own} --invite, for ${theirs} on another device`
    return `persona app link ${own} ${theirs}; or ${elsewhere}; or persona app unlink ${own} ${theirs}`
  },
  APP_LINK_PAUSED: ({ app, other }) => `persona app list; or persona app unlink ${wordOf(app)} ${wordOf(other)}`,
  APP_LINK_NO_RIGHT: ({ app }) => `persona app allow ${wordOf(app)} --can propose; or persona app list`,
  PROPOSALS: 'persona pending',
  PROPOSAL_UNKNOWN: 'persona pending',
  APP_LINK_UNKNOWN: 'persona app links',
  APP_LINKS_FULL: 'persona app links',
  LINK_INVITE_FOREIGN: 'persona app link APP --invite, on your other device',
  LINK_INVITE_OWN: 'persona app link APP --accept INVITE, on your other device',
  MESSAGES_UNREACHABLE: tokenFor,
  MESSAGES_WAITING: tokenFor,
  MESSAGES_ONE_RELAY: ({ app }) => `persona app store ${wordOf(app)} URL`,
  NO_COMPANION: 'persona tox up',
  TOO_MANY_PEERS: 'persona tox peers',
  COMPANION_NONE: 'persona tox up',
  COMPANION_UNLISTED: 'persona tox up',
  COMPANION_DOWN: 'persona tox up',
  COMPANION_ALONE: 'persona service install --tox',
  NET_UNIT_MISSING: 'persona service install --net',
  DIRECT_UNIT_MISSING: 'persona service install --net',
  RELAY_UNUSABLE: ({ url }) => (url === undefined ? null : `persona relay add ${wordOf(url)} --force`),
  RELAY_WANTS_TOKEN: ({ url }) => `persona relay add ${wordOf(url)} --token-file FILE`,
  RELAY_FOREIGN: ({ url }) => `persona relay add ${wordOf(url)}`,
  RELAY_AWAY: 'persona relay list',
  RELAYS_TOO_MANY: 'persona relay remove URL',
  RELAY_CONFIGURED: 'persona config edit',
  CORE_DUMPS_POSSIBLE: 'persona service install',
  DEVICE_UNSEEN: 'persona publish',
  DEVICE_OLDER: 'persona publish',
  PROFILE_LOST: ({ path }) => `persona tox restore ${wordOf(path)}`,
  PROFILE_TWICE: ({ path }) => `persona tox rekey ${wordOf(path)} NEW.tox --device NAME`,
  PROFILE_OLDER: publishInto,
  PROFILE_SHOWS_NONE: publishInto,
  PROFILE_DAMAGED: publishInto,
  PROFILE_NEWER: inspect,
  PROFILE_OTHER: inspect,
  PROFILES_MORE: 'persona tox watch',
  COMPANION_FULL: 'persona tox peers',
  NOTIFY_UNREACHABLE: 'persona config set notify.enabled false',
  HISTORY_BROKEN: 'persona restore FILE',
  STORE_CORRUPT: examineOrSalvage,
  STORE_MISSING: examineOrSalvage,
  STORE_LOST_WRITES: examineOrSalvage,
}

/** The last line of every edit of the own table. */
export const SHOW_FRIENDS = 'to show your table to your friends: persona publish'

/** The command to run after this code, or null. */
export function nextStep(code: string, facts: Facts = {}): string | null {
  const { alarm } = facts
  if (typeof alarm === 'string') return `persona alarms; persona alarms --dismiss ${alarm}`
  const step = STEPS[code]
  if (step === undefined) return null
  return typeof step === 'string' ? step : step(facts)
}

/** The daemon's hint and the command that goes with it. */
export function adviceOf(code: string, hint: string | null, facts: Facts = {}): string | null {
  const step = nextStep(code, facts)
  if (hint === null) return step
  return step === null ? hint : `${hint}: ${step}`
}

/** A finding as a sentence for a person. */
export function describeFinding({ code, message, hint, about }: Finding): string {
  const advice = adviceOf(code, hint, about)
  return advice === null ? message : `${message}; ${advice}`
}

/** A relay that keeps messages by right only. */
function tokenFor({ reason, url }: Facts): string | null {
  if (reason !== 'RELAY_NO_RIGHT') return null
  return `persona relay add ${url === undefined ? 'URL' : wordOf(url)} --token-file FILE`
}

function publishInto({ path }: Facts): string {
  return `persona tox publish ${wordOf(path)}`
}

/** `doctor` has examined the files already, and names one. */
function examineOrSalvage({ path }: Facts): string {
  return path === undefined ? 'persona doctor' : 'persona store salvage DIRECTORY'
}

function inspect({ path }: Facts): string {
  return `persona tox inspect ${wordOf(path)}`
}

function openFolder({ folder }: Facts): string {
  return `persona service install --folder ${typeof folder === 'string' ? quoteWord(folder) : 'DIR'}`
}

function closeChannel({ channel }: Facts): string {
  return `persona channel close ${wordOf(channel)}`
}

/** The text of a chat or of a channel is asked for again in the same way. */
function newInvite({ kind }: Facts): string {
  return kind === 'chat key'
    ? 'persona chat start, on their side'
    : 'persona chat invite or persona channel invite or persona app link APP --invite, on the other side'
}

/** Anybody can choose names and paths, and people paste these lines into a shell. */
function wordOf(value: unknown): string {
  return typeof value === 'string' ? quoteWord(value) : 'NAME'
}
