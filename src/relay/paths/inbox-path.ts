/** The paths of an inbox, below the address of a relay (docs/inbox.md). */
const ACTIONS = ['ack', 'events', 'senders'] as const

export interface InboxPath {
  /** PersonaID in upper-case hex. */
  readonly persona: string
  /** `entries` is the inbox itself: others post there, and its owner lists it. */
  readonly part: 'entries' | (typeof ACTIONS)[number]
}

export function formatInboxPath({ persona, part }: InboxPath): string {
  return part === 'entries' ? `inbox/${persona}` : `inbox/${persona}/${part}`
}

/** Reads {@link formatInboxPath}. @returns null for any other path */
export function parseInboxPath(path: string): InboxPath | null {
  const [word, persona = '', name, ...rest] = path.split('/')
  if (word !== 'inbox' || rest.length > 0 || !/^[0-9A-F]{64}$/.test(persona)) return null
  if (name === undefined) return { persona, part: 'entries' }
  const part = ACTIONS.find((action) => action === name)
  return part === undefined ? null : { persona, part }
}
