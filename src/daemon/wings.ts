/** The wings of the daemon, one line each (docs/wings.md). They open and answer `status` and `doctor` in this order. */
import { ANNOUNCE } from './announce/wing.ts'
import { CHAT } from './chat/wing.ts'
import { CHANNELS } from './channels/wing.ts'
import { COMPANION } from './companion/wing.ts'
import { LINKS } from './links/wing.ts'
import { MESSAGES } from './messages/wing.ts'
import { NOTIFY } from './notify/wing.ts'
import { PROFILES } from './profiles/wing.ts'
import type { Wing } from './wing/wing.ts'

export const WINGS: readonly Wing[] = [PROFILES, NOTIFY, COMPANION, ANNOUNCE, CHANNELS, MESSAGES, CHAT, LINKS]
