/** Answers the methods of app links (docs/ipc.md, section 3, app). */
import type { AppLink, LinksMethods } from '../../ipc/methods/links.ts'
import type { Caller, Handlers } from '../../ipc/methods/method.ts'
import type { ProposalsMethods } from '../../ipc/methods/links.ts'
import type { CallApps } from '../wing/call-apps.ts'
import type { Elsewhere } from './elsewhere.ts'
import { LinksError } from './errors.ts'
import { sidesOf, type Link } from './link.ts'
import type { Links } from './links.ts'
import type { LinksMeans } from './standing.ts'
import type { People } from './people.ts'
import { settingsOf, settingsView } from './settings.ts'
import type { Host } from '../wing/wing.ts'

/** @param opened resolves once the links were read @throws {CustodyError} APPS_LOCKED */
export function linkHandlers(
  links: Links,
  elsewhere: Elsewhere,
  opened: () => Promise<void>,
  apps: CallApps,
  { keeper, speakers, introductions }: LinksMeans & Pick<Host, 'introductions'>,
): Omit<Handlers<LinksMethods>, keyof ProposalsMethods> {
  const everybody = async (): Promise<People> => ({ keeper, channels: (await introductions.ways()).all() })
  const view = (link: Link, people: People, caller: Caller, first = link.sides[0].app): AppLink => {
    const [own, other] = sidesOf(link, first)
    const { id, askedBy, sinceSec } = link
    return {
      id,
      app: own!.app,
      other: other.app === '' ? null : other.app,
      elsewhere: link.elsewhere !== undefined,
      state: links.stateOf(link),
      askedBy,
      sinceSec,
      settings: settingsView(own!, people),
      otherSettings: caller.role === 'admin' && link.elsewhere === undefined ? settingsView(other, people) : null,
    }
  }
  return {
    'app.link': async ({ app: wish, other, ...settings }, caller) => {
      await opened()
      const [app, people] = [apps.appFor(caller, wish), await everybody()]
      if (caller.role === 'admin')
        return view(await links.link(app, other, await settingsOf(settings, app, people)), people, caller, app)
      if (settings.provide !== undefined || settings.receive !== undefined) {
        const message = 'the owner alone says which contacts a link provides, and how they are received'
        throw new LinksError('APP_LINK_OWNER', message, 'ask for the link without settings')
      }
      return view(await links.ask(app, other), people, caller, app)
    },
    'app.link-invite': async ({ app, ...settings }, caller) => {
      await opened()
      const people = await everybody()
      const { link, invite, expiresAtSec } = await elsewhere.invite(app, await settingsOf(settings, app, people))
      return { link: view(link, people, caller), invite, expiresAtSec }
    },
    'app.link-accept': async ({ app, invite, ...settings }, caller) => {
      await opened()
      const people = await everybody()
      const { link } = await elsewhere.accept(app, invite, await settingsOf(settings, app, people))
      return view(link, people, caller)
    },
    'app.link-set': async ({ id, ...settings }, caller) => {
      await opened()
      const [{ app }, people] = [links.known(id).sides[0], await everybody()]
      const link = await links.set(id, await settingsOf(settings, app, people))
      elsewhere.look()
      return view(link, people, caller)
    },
    'app.unlink': async ({ id }, caller) => {
      await opened()
      const link = seen(caller).find((each) => each.id === id)
      if (link === undefined) throw new LinksError('APP_LINK_UNKNOWN', 'there is no such link here', 'list the links')
      await links.unlink(id)
      elsewhere.look()
      return {}
    },
    'app.links': async (_, caller) => {
      await opened()
      const people = await everybody()
      if (caller.role === 'admin')
        return {
          links: links.all.map((link) => view(link, people, caller)),
          linkable: await speakers.namesWith('propose'),
        }
      const app = apps.of(caller)
      return { links: seen(caller).map((link) => view(link, people, caller, app)), linkable: [] }
    },
  }

  /** An app sees the links that it is part of; one that another app asks for is none yet. */
  function seen(caller: Caller): readonly Link[] {
    if (caller.role === 'admin') return links.all
    const app = apps.of(caller)
    return links.all.filter((link) => sidesOf(link, app)[0] !== null && (link.askedBy === null || link.askedBy === app))
  }
}
