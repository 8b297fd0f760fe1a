/** The methods of contacts: lookup, lists, checking a status message, recording observations (docs/ipc.md, section 3). */
import type { Handlers } from '../../ipc/methods/method.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import { adviseOn } from '../contacts/advice.ts'
import type { Apps } from '../apps/apps.ts'
import { forgetSource } from '../contacts/forget-source.ts'
import { findContact, listContacts, lookup } from '../contacts/find.ts'
import type { Keeper } from '../keeper/keeper.ts'

const DEFAULT_PAGE = 100

export type ContactMethods = Pick<
  Methods,
  | 'lookup'
  | 'verify'
  | 'contact.list'
  | 'contact.show'
  | 'contact.devices'
  | 'observe'
  | 'observe.batch'
  | 'observe.undo'
>

export function contactHandlers(keeper: Keeper, apps: Apps): Handlers<ContactMethods> {
  return {
    lookup: ({ query }) => lookup(query, keeper.reader()),
    verify: ({ text, from }) => keeper.verify(text, from ?? null),
    'contact.list': async ({ after, limit, blocked }) => {
      const page = await listContacts(after, Math.min(limit ?? DEFAULT_PAGE, MAX_PAGE), keeper.reader(), blocked)
      const counts = keeper.counts()
      return { ...page, total: counts.contacts + counts.provisional }
    },
    'contact.show': ({ contact }) => findContact(contact, keeper.reader()),
    'contact.devices': async ({ contact, known }) =>
      adviseOn(await findContact(contact, keeper.reader()), known === undefined ? null : new Set(known)),
    observe: async (params, caller) => {
      apps.chargeObservation(caller, params.from)
      const [result] = await keeper.observe([params], apps.sourceOf(caller))
      return result!
    },
    'observe.undo': ({ profile }) => forgetSource(`profile:${profile}`, keeper),
    'observe.batch': async ({ source, observations }) => ({ results: await keeper.observe(observations, source) }),
  }
}
