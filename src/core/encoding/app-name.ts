/** Names of apps (docs/card.md, section 2): the same text in invites, cards, tokens and permissions. */

const MAX_APP_CHARS = 100 // sanity: a reverse DNS name
/** The app of the command line (docs/decisions/0037): no other app gets this name. */
export const COMMAND_LINE_APP = 'chat'
/** The app of `persona chat`, which reads only what it has written itself. No other app gets this name either. */
export const CHAT_APP = 'persona-chat'
/** The app of links between two daemons of one persona, which no app and no command reads. */
export const LINK_APP = 'persona-link'
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const APP = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)

/** The apps of the command line. */
export const APPS_BY_HAND: readonly string[] = [COMMAND_LINE_APP, CHAT_APP]

/** Whether the name belongs to the command line, or to the daemon. */
export function isOwnersApp(name: string): boolean {
  return APPS_BY_HAND.includes(name) || name === LINK_APP
}

/** Whether the text can be the name of an app: labels of lower-case letters, digits and hyphens, joined by dots, at most 100 characters. */
export function isAppName(text: string): boolean {
  return text.length <= MAX_APP_CHARS && APP.test(text)
}
