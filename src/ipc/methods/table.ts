/** The one table of methods (docs/ipc.md, section 3): name, permission, params, result. docs/openrpc.json is generated from it. */
import { GENERAL_METHODS, type GeneralMethods } from './general.ts'
import { CONTACTS_METHODS, type ContactsMethods } from './contacts.ts'
import { OWN_METHODS, type OwnMethods } from './own.ts'
import { CUSTODY_METHODS, type CustodyMethods } from './custody.ts'
import { APPS_METHODS, type AppsMethods } from './apps.ts'
import { TOX_METHODS, type ToxMethods } from './tox.ts'

/** The methods that the wings answer. */
export interface WingMethods extends ToxMethods {}

/** All methods of the daemon. A key is `noun.verb`, or one word for a method of the daemon itself or of any status message. */
export interface Methods
  extends GeneralMethods, ContactsMethods, OwnMethods, CustodyMethods, AppsMethods, WingMethods {}

export const METHODS: Methods = {
  ...GENERAL_METHODS,
  ...CONTACTS_METHODS,
  ...OWN_METHODS,
  ...CUSTODY_METHODS,
  ...APPS_METHODS,
  ...TOX_METHODS,
}
