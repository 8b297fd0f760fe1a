/** The part of the desktop notifications in the protocol: none. Clients get the same events from `subscribe`. */
import type { WingSchema } from './wing.ts'

export const NOTIFY: WingSchema = { methods: {}, events: {}, status: {}, capabilities: [] }
