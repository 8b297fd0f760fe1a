/** The methods about the daemon itself, its events, history and alarms (docs/ipc.md, section 3). */
import { z } from 'zod'
import { MAX_PAGE } from '../shapes/limits.ts'
import type { MethodSpec } from './method.ts'
import { EVENT_NAMES, type EventName } from '../shapes/events.ts'
import { diagnosis, type Diagnosis } from '../shapes/doctor.ts'
import * as shape from '../shapes/status.ts'
import { alarm, evidenceFile, type Alarm, type EvidenceFile } from '../shapes/alarms.ts'
import { logPage, logVerdict, type LogPage, type LogVerdict } from '../shapes/log.ts'
import { noParams, method, type Empty } from './params.ts'

const eventName = z.enum(EVENT_NAMES as [EventName, ...EventName[]])

export interface GeneralMethods {
  status: MethodSpec<Empty, shape.DaemonStatus>
  doctor: MethodSpec<Empty, Diagnosis>
  subscribe: MethodSpec<{ events?: EventName[]; after?: number }, { events: EventName[]; cursor: number }>
  unsubscribe: MethodSpec<Empty, Empty>
  'log.list': MethodSpec<{ about?: string; before?: number; limit?: number }, LogPage>
  'log.verify': MethodSpec<Empty, LogVerdict>
  'alarm.list': MethodSpec<Empty, { alarms: Alarm[] }>
  'alarm.dismiss': MethodSpec<{ id: string }, Alarm>
  'evidence.get': MethodSpec<{ contact: string }, EvidenceFile>
}

export const GENERAL_METHODS: GeneralMethods = {
  status: method('read', 'Persona, store, socket, engine, counts', noParams, shape.daemonStatus),
  doctor: method('admin', 'What is not as it should be, and what to do about it', noParams, diagnosis),
  subscribe: method(
    'read',
    'Receive events on this connection from now on, or from those behind a number; all of them when none is named',
    z.strictObject({
      events: z.array(eventName).min(1).exactOptional(),
      after: z.int().min(0).exactOptional(),
    }),
    z.strictObject({ events: z.array(eventName), cursor: z.int().min(0) }),
  ),
  unsubscribe: method('read', 'Receive no more events on this connection', noParams, noParams),
  'log.list': {
    ...method(
      'admin',
      'The history, the newest entry first; of one contact or device when it is named',
      z.strictObject({
        about: z.string().min(1).max(256).exactOptional(),
        before: z.int().min(1).exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      logPage,
    ),
    isLarge: true,
  },
  'log.verify': method(
    'admin',
    'Recompute the hashes that bind the entries of the history together',
    noParams,
    logVerdict,
  ),
  'alarm.list': {
    ...method(
      'admin',
      'The alarms that stand, the last one first',
      noParams,
      z.strictObject({ alarms: z.array(alarm) }),
    ),
    isLarge: true,
  },
  'alarm.dismiss': method('admin', 'The owner has dealt with it', z.strictObject({ id: z.string().max(64) }), alarm),
  'evidence.get': method(
    'admin',
    'Tables of a contact, or of the own persona, that were kept as evidence, for anybody to check',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    evidenceFile,
  ),
}
