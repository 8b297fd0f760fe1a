/** The methods of the daemon itself: status, doctor, events, history, alarms (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import { MAX_PAGE } from '../shapes/limits.ts'
import type { MethodSpec } from './method.ts'
import type { EventName } from './events.ts'
import { diagnosis, type Diagnosis } from '../shapes/doctor.ts'
import { daemonStatus, type DaemonStatus } from './status.ts'
import type { WingSchema } from './wing.ts'
import { alarm, evidenceFile, type Alarm, type EvidenceFile } from '../shapes/alarms.ts'
import { logPage, logVerdict, type LogPage, type LogVerdict } from '../shapes/log.ts'
import { noParams, method, type Empty } from './params.ts'

export interface GeneralMethods {
  status: MethodSpec<Empty, DaemonStatus>
  doctor: MethodSpec<Empty, Diagnosis>
  subscribe: MethodSpec<{ events?: EventName[]; after?: number }, { events: EventName[]; cursor: number }>
  unsubscribe: MethodSpec<Empty, Empty>
  'log.list': MethodSpec<{ about?: string; before?: number; limit?: number }, LogPage>
  'log.verify': MethodSpec<Empty, LogVerdict>
  'alarm.list': MethodSpec<Empty, { alarms: Alarm[] }>
  'alarm.dismiss': MethodSpec<{ id: string }, Alarm>
  'evidence.get': MethodSpec<{ contact: string }, EvidenceFile>
}

/**
 * @param schemas of the wings
 * @param events names of all events
 */
export function generalMethods(schemas: readonly WingSchema[], events: readonly EventName[]): GeneralMethods {
  const eventName = z.enum(events)
  return {
    status: method('read', 'Show the persona, store, sockets, engine and counts', noParams, daemonStatus(schemas)),
    doctor: method('admin', 'Check the daemon and say what to do about each problem', noParams, diagnosis),
    subscribe: method(
      'read',
      'Receive events on this connection from now on, or those after a number; all events if none is named',
      z.strictObject({
        events: z.array(eventName).min(1).max(events.length).exactOptional(),
        after: z.int().min(0).exactOptional(),
      }),
      z.strictObject({ events: z.array(eventName), cursor: z.int().min(0) }),
    ),
    unsubscribe: method('read', 'Stop receiving events on this connection', noParams, noParams),
    'log.list': {
      ...method(
        'admin',
        'List the history, the newest entry first; only one contact or device if it is named',
        z.strictObject({
          about: z.string().min(1).max(256).exactOptional(),
          before: z.int().min(1).exactOptional(),
          limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
        }),
        logPage,
      ),
      isLarge: true,
      isLong: true,
    },
    'log.verify': method('admin', 'Verify the hash chain of the history', noParams, logVerdict),
    'alarm.list': {
      ...method(
        'admin',
        'List the alarms that were not dismissed, the last one first',
        noParams,
        z.strictObject({ alarms: z.array(alarm) }),
      ),
      isLarge: true,
    },
    'alarm.dismiss': method('admin', 'Dismiss an alarm', z.strictObject({ id: z.string().max(64) }), alarm),
    'evidence.get': method(
      'admin',
      'Get the tables of a contact or of the own persona that were kept as evidence, for anybody to check',
      z.strictObject({ contact: z.string().min(1).max(256) }),
      evidenceFile,
    ),
  }
}
