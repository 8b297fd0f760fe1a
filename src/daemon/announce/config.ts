/** The section `announce` of the configuration (config/personad.yaml explains every key). */
import * as z from '../../schema/zod.ts'
import type { ConfigSection } from '../../process/config-file.ts'

export interface AnnounceConfig {
  /** Whether this daemon looks its contacts up on the DHT. */
  readonly lookups: boolean
}

export const ANNOUNCE_SECTION: ConfigSection<AnnounceConfig> = {
  name: 'announce',
  keys: {
    lookups: { key: 'lookups', value: z.boolean({ error: 'true or false' }).default(true), reloadable: false },
  },
}
