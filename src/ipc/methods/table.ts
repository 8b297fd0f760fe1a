/** The one table of methods (docs/ipc.md, section 3): name, who may call it, params, result, noun by noun. docs/openrpc.json is made from it. */
import { GENERAL_METHODS, type GeneralMethods } from './general.ts'
import { CONTACTS_METHODS, type ContactsMethods } from './contacts.ts'
import { OWN_METHODS, type OwnMethods } from './own.ts'
import { CUSTODY_METHODS, type CustodyMethods } from './custody.ts'
import { APPS_METHODS, type AppsMethods } from './apps.ts'
import { TOX_METHODS, type ToxMethods } from './tox.ts'

/** Everything the daemon can be asked. Keys are method names, `noun.verb`; one word for what concerns the daemon or any status message. */
export interface Methods extends GeneralMethods, ContactsMethods, OwnMethods, CustodyMethods, AppsMethods, ToxMethods {}

export const METHODS: Methods = {
  ...GENERAL_METHODS,
  ...CONTACTS_METHODS,
  ...OWN_METHODS,
  ...CUSTODY_METHODS,
  ...APPS_METHODS,
  ...TOX_METHODS,
}
