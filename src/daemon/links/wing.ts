/** App links as a wing: contacts of one app of the owner are proposed in another (docs/links.md). */
import * as schema from '../../ipc/methods/links.ts'
import { describeError } from '../../process/describe-error.ts'
import { CallApps } from '../wing/call-apps.ts'
import type { Wing } from '../wing/wing.ts'
import { LinksError } from './errors.ts'
import { linkFindings, linkNeeds, linksStatus } from './findings.ts'
import { SEALED_KINDS } from './kinds.ts'
import { Links } from './links.ts'
import { linkHandlers } from './methods.ts'

export const LINKS: Wing<schema.LinksMethods, null> = {
  schema: schema.LINKS,
  section: null,
  sealedKinds: SEALED_KINDS,
  open: ({ keeper, sealed, speakers, appOf, log }) => {
    const means = { keeper, sealed, speakers }
    const links = new Links(means)
    const apps = new CallApps(appOf, 'links', (message, hint) => new LinksError('APP_LINK_CALLER', message, hint))
    let loading: Promise<void> = Promise.resolve()
    const load = (): void => {
      loading = loading
        .then(async () => await links.load())
        .catch((error: unknown) => log.warn('links.load', describeError(error)))
    }
    let endOpened = (): void => {}
    const opened = async (): Promise<void> => {
      sealed.key.require()
      await loading
    }
    return {
      handlers: linkHandlers(links, opened, apps, means),
      start: () => {
        endOpened = sealed.key.whenOpened(load)
      },
      onEvent: ({ event }) => {
        // The owner may have another persona now, or an app other rights.
        if (event === 'own.changed' && sealed.key.isOpen) load()
        if (event === 'app.changed') links.changed()
      },
      status: () => ({ part: { links: linksStatus(links) }, findings: linkNeeds(links) }),
      findings: () => linkFindings(links),
      farewell: async () => {
        await loading
        if (sealed.key.isOpen)
          await links.unlinkAll().catch((error: unknown) => log.warn('links.farewell', describeError(error)))
        return []
      },
      close: async () => {
        endOpened()
        await loading
        await links.idle()
      },
    }
  },
}
