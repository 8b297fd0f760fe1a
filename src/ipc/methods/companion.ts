/** The companion's part of the protocol: methods, events, its part of the status (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import type { MethodSpec } from './method.ts'
import { keyHex } from '../shapes/scalars.ts'
import { connection, toxPeers, toxStatus, type Connection, type ToxPeers, type ToxStatus } from '../shapes/tox.ts'
import { event, type EventSpec, type WingSchema } from './wing.ts'
import { nickname, noParams, method, largeMethod, type Empty } from './params.ts'

const toxName = z.strictObject({ name: nickname.exactOptional() })

export interface ToxMethods {
  'tox.up': MethodSpec<{ name?: string }, ToxStatus>
  'tox.down': MethodSpec<Empty, ToxStatus>
  'tox.peers': MethodSpec<Empty, ToxPeers>
  'tox.add': MethodSpec<{ id: string }, { key: string }>
}

const TOX_METHODS: ToxMethods = {
  'tox.up': method(
    'admin',
    'Start the companion; the first time, create it and add it to the table under this nickname',
    toxName,
    toxStatus,
  ),
  'tox.down': method('admin', 'Stop the companion until it or the daemon is started again', noParams, toxStatus),
  'tox.peers': largeMethod('List the friends of the companion and the requests to become one', noParams, toxPeers),
  'tox.add': method(
    'admin',
    'Add a friend to the companion by Tox ID (76 hex digits, sends a request) or ToxPk (64, if it has the companion as a friend already)',
    z.strictObject({ id: z.string().min(64).max(76) }),
    z.strictObject({ key: keyHex }),
  ),
}

interface ToxEvents {
  /** How the companion reaches the Tox network now. */
  'tox.connected': EventSpec<{ connection: Connection }>
  'tox.peer': EventSpec<{
    key: string
    /** Name of the contact whose device it is, `me` for the owner's; null if it is nobody's. */
    contact: string | null
    /** `left`: no table lists it any more; it stays a friend. */
    change: 'added' | 'online' | 'offline' | 'left'
  }>
  /** A device asks to be a friend of the companion; `tox.add` with the key accepts it. */
  'tox.request': EventSpec<{ key: string; personaId: string | null }>
}

const TOX_EVENTS: ToxEvents = {
  'tox.connected': event('passing', z.strictObject({ connection })),
  'tox.peer': event(
    'passing',
    z.strictObject({
      key: keyHex,
      contact: z.string().nullable(),
      change: z.enum(['added', 'online', 'offline', 'left']),
    }),
  ),
  'tox.request': event('passing', z.strictObject({ key: keyHex, personaId: keyHex.nullable() })),
}

interface CompanionStatus {
  /** null if the configuration has no companion. */
  tox: ToxStatus | null
}

export const COMPANION: WingSchema<ToxMethods, ToxEvents, CompanionStatus> = {
  methods: TOX_METHODS,
  events: TOX_EVENTS,
  status: { tox: toxStatus.nullable() },
  capabilities: [],
}
