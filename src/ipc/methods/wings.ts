/** The wings whose schema clients load, one line each (docs/wings.md). */
export { PROFILES } from './profiles.ts'
export { COMPANION } from './companion.ts'
export { NOTIFY } from './notify.ts'
export { ANNOUNCE } from './announce.ts'
export { CHANNELS } from './channels.ts'
export { MESSAGES } from './messages.ts'
export { CHAT } from './chat.ts'
export { LINKS } from './links.ts'
