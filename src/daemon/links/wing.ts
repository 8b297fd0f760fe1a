/** App links as a wing: contacts of one app of the owner are proposed in another (docs/links.md). */
import * as schema from '../../ipc/methods/links.ts'
import { describeError } from '../../process/describe-error.ts'
import { CallApps } from '../wing/call-apps.ts'
import { systemClock } from '../../process/pulse.ts'
import { SharedWork } from '../../process/serial.ts'
import type { Wing } from '../wing/wing.ts'
import { Elsewhere } from './elsewhere.ts'
import { LinksError } from './errors.ts'
import { linkFindings, linkNeeds, linksStatus } from './findings.ts'
import { SEALED_KINDS } from './kinds.ts'
import { Links } from './links.ts'
import { linkHandlers } from './methods.ts'
import { DECLINE, PROPOSAL_KINDS } from './proposals/kinds.ts'
import { proposalHandlers } from './proposals/methods.ts'
import { Proposals } from './proposals/proposals.ts'
import { changedPersonas } from './proposals/woken.ts'

export const LINKS: Wing<schema.LinksMethods, null> = {
  schema: schema.LINKS,
  section: null,
  kinds: [DECLINE],
  sealedKinds: [...SEALED_KINDS, ...PROPOSAL_KINDS],
  open: ({ keeper, sealed, speakers, introductions, lines, appOf, log }) => {
    const means = { keeper, sealed, speakers, introductions }
    const links = new Links(means)
    const elsewhere = new Elsewhere(links, lines, log)
    const proposals = new Proposals({
      keeper,
      sealed,
      introductions,
      links,
      devices: elsewhere,
      clock: systemClock,
      log,
    })
    const apps = new CallApps(appOf, 'links', (message, hint) => new LinksError('APP_LINK_CALLER', message, hint))
    // Edits of many clients come together, and one reading does for all of them.
    const reading = new SharedWork(async () => {
      try {
        await links.load()
        elsewhere.look()
      } catch (error) {
        log.warn('links.load', describeError(error))
      }
    })
    let loading: Promise<void> = Promise.resolve()
    const load = (): void => {
      loading = reading.ask()
    }
    let endOpened = (): void => {}
    const opened = async (): Promise<void> => {
      sealed.key.require()
      await loading
    }
    return {
      handlers: { ...linkHandlers(links, elsewhere, opened, apps, means), ...proposalHandlers(proposals) },
      start: () => {
        endOpened = sealed.key.whenOpened(load)
      },
      onEvent: (told) => {
        const { event, data } = told
        elsewhere.onEvent(told)
        // The owner may have another persona now, or an app other rights.
        if (event === 'own.changed' && sealed.key.isOpen) load()
        if (event === 'app.changed') links.changed()
        if (event === 'channel.changed') proposals.wake(data.id)
        if (event === 'locked') proposals.wake()
        const personas = changedPersonas(told)
        if (personas !== null) proposals.wakeContact(personas)
      },
      status: () => ({
        part: { links: linksStatus(links, proposals.asking) },
        findings: linkNeeds(links, proposals.asking),
      }),
      findings: () => linkFindings(links, proposals.asking),
      farewell: async () => {
        await loading
        if (sealed.key.isOpen)
          await links.unlinkAll().catch((error: unknown) => log.warn('links.farewell', describeError(error)))
        return []
      },
      close: async () => {
        endOpened()
        await loading
        await proposals.close()
        await elsewhere.idle()
        await links.idle()
      },
    }
  },
}
