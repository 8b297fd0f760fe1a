/** The states of channels and the ways that they go, in words that people know. */
import type { ChannelState, ChannelView } from '../../ipc/methods/channel-values.ts'
import { escapeText } from '../io/escape.ts'

const STATES: Readonly<Record<ChannelState, string>> = {
  waiting: 'waiting for the other side to answer',
  meeting: 'connecting',
  open: 'open',
  held: 'held: compare the words first',
  suspended: 'paused: the device of the other side is not listed any more',
  unconfirmed: 'unconfirmed: no new card of this device has come yet',
  broken: 'broken: make a new invite',
  closing: 'closing',
  closed: 'closed',
  gone: 'gone: the other side has left',
}

/** Where the reason changes the sentence. */
const REASONS: Readonly<Record<string, string>> = {
  'suspended BLOCKED': 'paused: you blocked them',
  'waiting INTERCEPTED': 'waiting; somebody else has used the invite',
  'gone EXPIRED': 'gone: the other side never answered, or the invite was changed on its way',
  'gone MISBOUND': 'gone: another persona answered than that of the invite',
  'broken STATE_VERSION': 'unreadable: a newer version of this program wrote it',
  'broken RESTORED': 'broken by a restore: make a new invite',
}

export function channelState({ state, reason }: Pick<ChannelView, 'state' | 'reason'>): string {
  return REASONS[`${state} ${reason}`] ?? STATES[state]
}

const WAYS: Readonly<Record<string, string>> = { 'folder:': 'a folder', 'dht:': 'the DHT', 'veilid:': 'Veilid' }

/** `by a folder`, `by relay.example and another.example`. */
export function describeWays(urls: readonly string[]): string {
  const ways = new Set(urls.map((url) => WAYS[URL.parse(url)?.protocol ?? ''] ?? escapeText(hostOf(url))))
  return `by ${ways.size === 0 ? 'no way' : [...ways].join(' and ')}`
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url
}
