/** Says in words for people which value the daemon refused. The daemon's own message names a param of the socket, which nobody typed. */

/** The values that people give, by the last word of the param. Everything else is made by a command. */
export const VALUES: Readonly<Record<string, string>> = {
  aDay: 'the number of contacts a day',
  about: 'the name',
  answer: 'the answer',
  after: 'the number after which events are printed',
  app: 'the name of the app',
  aliases: 'the list of other names',
  before: 'the number',
  can: 'the list of capabilities',
  code: 'the pairing code',
  contact: 'the contact',
  contacts: 'the list of contacts',
  copies: 'the list of copies',
  device: 'the device',
  direct: 'the permission of the direct way',
  as: 'the name that the other side sees',
  content: 'the content',
  digits: 'the digits of the PersonaID',
  epoch: 'the epoch',
  expiresSec: 'the time until it ends',
  for: 'the PersonaID',
  inboxes: 'the list of inboxes',
  invite: 'the invite',
  over: 'the list of ways',
  events: 'the list of events',
  forSec: 'the time',
  from: 'the ToxPk',
  id: 'the id',
  keep: 'the list of devices to keep',
  key: 'the key',
  kind: 'the kind of the change',
  known: 'the list of friends',
  leftOut: 'the list of your words',
  limit: 'the number of entries',
  link: 'the contact link',
  name: 'the name',
  number: 'the safety number',
  other: 'the other contact',
  passphrase: 'the passphrase',
  path: 'the path',
  policy: 'the policy',
  position: 'the place of the word',
  present: 'the current passphrase',
  profile: 'the profile',
  query: 'the name',
  seenAtSec: 'the time',
  sinceSec: 'the date',
  text: 'the text',
  stores: 'the list of stores',
  tableHash: 'the digits of the table',
  to: 'the PersonaID',
  token: 'the token',
  url: 'the address of the relay',
  why: 'the reason',
  with: 'the key of the other side',
  without: 'the list of devices to leave out',
  word: 'the word',
  words: 'the text of your words',
}

/** A sentence for people. @param details those of the error, docs/ipc.md, section 2 @param message of the daemon */
export function describeBadParams(details: Readonly<Record<string, unknown>>, message: string): string {
  const { param, most, least, unit } = details
  const steps = typeof param === 'string' ? param.split('.') : []
  const last = (steps.at(-1) ?? '').replace(/\[\d+\]$/, '')
  const isEntry = (steps.at(-1) ?? '').endsWith(']')
  const name = VALUES[last]
  if (name === undefined) return 'the daemon does not accept a value of this command'
  const value = isEntry ? `an entry in ${name}` : name
  if (typeof most === 'number') {
    if (unit === 'characters') return `${value} is too long: it can have ${most} characters at most`
    return unit === 'entries'
      ? `${value} is too long: it can have ${most} entries at most`
      : `${value} can be ${most} at most`
  }
  if (typeof least === 'number') {
    if (unit === null) return `${value} must be ${least} or more`
    const of = unit === 'entries' ? 'entries' : 'characters'
    return least === 1 ? `${value} is empty` : `${value} is too short: it must have ${least} ${of} or more`
  }
  // The schemas of the project word their own rules so.
  const rule = /: (must .*)$/s.exec(message)?.[1]
  return rule === undefined ? `${value} is not valid` : `${value} ${rule}`
}
