/** The section `notify` of the configuration: what the desktop shows. */
import * as z from '../../schema/zod.ts'
import type { ConfigSection } from '../../process/config-file.ts'
import { setOf } from '../../process/config-values.ts'

/** The kinds of events that a desktop can show. */
export const NOTICE_KINDS = ['alarms', 'devices', 'waiting'] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

export interface NotifyConfig {
  readonly enabled: boolean
  readonly about: readonly string[]
}

export const NOTIFY_SECTION: ConfigSection<NotifyConfig> = {
  name: 'notify',
  keys: {
    enabled: { key: 'enabled', value: z.boolean({ error: 'true or false' }).default(true), reloadable: true },
    about: { key: 'about', value: setOf(NOTICE_KINDS).default([...NOTICE_KINDS]), reloadable: true },
  },
}
