/** Announcements as a wing: the own table on the DHT, and the tables of contacts found there (docs/announce.md). */
import * as schema from '../../ipc/methods/announce.ts'
import { systemClock } from '../../process/pulse.ts'
import { THEFTS } from '../personas/thefts.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import { Announcer } from './announcer.ts'
import { ANNOUNCE_SECTION, type AnnounceConfig } from './config.ts'
import { announceFindings } from './findings.ts'
import { EPOCHS } from './items.ts'
import { signForward } from './signing.ts'

export const ANNOUNCE: Wing<schema.AnnounceMethods, AnnounceConfig> = {
  schema: schema.ANNOUNCE,
  section: ANNOUNCE_SECTION,
  kinds: [EPOCHS, THEFTS],
  onSpent: signForward,
  open: openAnnounce,
}

function openAnnounce(
  { keeper, log, net }: Host,
  { lookups }: AnnounceConfig,
): OpenWing<schema.AnnounceMethods, AnnounceConfig> {
  const announcer = new Announcer({ keeper, dht: net, lookups, clock: systemClock, log, random: Math.random })
  return {
    handlers: {
      'announce.status': () => announcer.status(),
      'announce.on': ({ kind }) => announcer.on(kind ?? 'contacts'),
      'announce.off': () => announcer.off(),
      'announce.now': () => announcer.now(),
      'announce.reread': () => announcer.reread(),
      'contact.refresh': ({ contact }) => announcer.refresh(contact ?? null),
    },
    start: () => announcer.start(),
    onEvent: (event) => announcer.onEvent(event),
    status: () => {
      const announce = announcer.status()
      return { part: { announce }, findings: announceFindings(announce).filter(({ severity }) => severity !== 'ok') }
    },
    findings: () => announcer.findings(),
    close: () => announcer.close(),
  }
}
