/** The methods of contact links and safety numbers (docs/ipc.md, section 3). */
import { KeeperError, noPersona } from '../state/errors.ts'
import { ContactError } from '../contacts/errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { formatLink, parseLink } from '../../core/link.ts'
import { safetyNumber } from '../../core/safety-number.ts'
import type {
  AddContactParams,
  AddedContact,
  OwnLink,
  SafetyNumbers,
  VerifyContactParams,
} from '../../ipc/shapes/links.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import { findContact } from '../contacts/find.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { markVerified, pinLink } from '../contacts/pin.ts'
import { storedBytes } from '../state/records.ts'
import type { HeadedPersona, PersonaRecord } from '../state/persona-record.ts'
import { ownOf, personaContact } from '../state/view.ts'

export type LinkMethods = Pick<Methods, 'contact.number' | 'contact.add' | 'contact.verify' | 'link.get'>

export function linkHandlers(keeper: Keeper): Handlers<LinkMethods> {
  return {
    'link.get': ({ name }) => ownLink(keeper, name),
    'contact.add': (params) => addContact(keeper, params),
    'contact.number': async ({ contact }) => {
      const personaId = await contactPersona(keeper, contact)
      return numbersOf(keeper, keeper.onDisk.personas.get(personaId)!)
    },
    'contact.verify': (params) => verifyContact(keeper, params),
  }
}

function ownPersona(keeper: Keeper): HeadedPersona | null {
  return ownOf(keeper.onDisk)?.persona ?? null
}

function numberOf({ personaId, root }: PersonaRecord, keeper: Keeper): string {
  return safetyNumber(storedBytes(personaId), storedBytes(root), keeper.engine)
}

function ownLink(keeper: Keeper, name: string | undefined): OwnLink {
  const persona = ownPersona(keeper)
  if (persona === null) throw noPersona()
  const { personaId, root, epoch } = persona
  const named = name === undefined ? {} : { name }
  const link = formatLink(
    { personaId: storedBytes(personaId), root: storedBytes(root), epoch, ...named },
    keeper.engine,
  )
  return { link, personaId, chainRoot: root, epoch, safetyNumber: numberOf(persona, keeper) }
}

async function addContact(keeper: Keeper, { link: text, name, repin }: AddContactParams): Promise<AddedContact> {
  const link = parseLink(text, keeper.engine)
  const wishes = { name: name ?? null, repin: repin === true }
  const outcome = await keeper.change(() => pinLink(link, wishes, keeper.state))
  const persona = keeper.onDisk.personas.get(formatHex(link.personaId))!
  return { outcome, contact: personaContact(persona, keeper.reader()) }
}

/**
 * The PersonaID of the contact with this name or key.
 * @throws {KeeperError} NOT_FOUND | AMBIGUOUS {ContactError} CONTACT_IS_OWN | CONTACT_PROVISIONAL
 */
async function contactPersona(keeper: Keeper, query: string): Promise<string> {
  const { kind, name, personaId } = await findContact(query, keeper.reader())
  if (kind === 'own')
    throw new ContactError('CONTACT_IS_OWN', 'this is your own persona', 'use your own contact link', {
      wants: 'own link',
    })
  if (personaId !== null) return personaId
  const hint = 'ask for a contact link, and add it'
  throw new ContactError('CONTACT_PROVISIONAL', `${name} has no persona yet, so there is nothing to verify`, hint, {
    wants: 'link',
  })
}

function numbersOf(keeper: Keeper, persona: PersonaRecord): SafetyNumbers {
  const own = ownPersona(keeper)
  return {
    name: persona.entry?.name ?? persona.personaId,
    personaId: persona.personaId,
    safetyNumber: numberOf(persona, keeper),
    epoch: persona.head === null ? null : persona.epoch,
    verifiedAtSec: persona.verifiedAtSec,
    own: own === null ? null : { safetyNumber: numberOf(own, keeper), epoch: own.epoch },
  }
}

async function verifyContact(keeper: Keeper, params: VerifyContactParams): Promise<SafetyNumbers> {
  const link = params.link === undefined ? null : parseLink(params.link, keeper.engine)
  const personaId = await contactPersona(keeper, params.contact)
  await keeper.change(() => {
    // Compare with the pin as it is now: it may have changed since the contact was found.
    const persona = keeper.state.persona(personaId)
    if (persona === undefined)
      throw new KeeperError('NOT_FOUND', 'the contact is gone', 'list the contacts', { what: 'contact' })
    if (link === null) checkNumber(keeper, persona, params.number!)
    else if (formatHex(link.personaId) === personaId && formatHex(link.root) === persona.root) {
      pinLink(link, { name: null, repin: false }, keeper.state)
    } else throw linkMismatch(persona, formatHex(link.personaId) === personaId)
    markVerified(keeper.state.persona(personaId)!, keeper.state)
  })
  return numbersOf(keeper, keeper.onDisk.personas.get(personaId)!)
}

function checkNumber(keeper: Keeper, persona: PersonaRecord, number: string): void {
  if (number === numberOf(persona, keeper)) return
  const name = persona.entry?.name ?? persona.personaId
  const own = ownPersona(keeper)
  if (own !== null && number === numberOf(own, keeper)) {
    const hint = `enter the number that ${name} sees on their own screen`
    throw new ContactError('NUMBER_MISMATCH', 'this is your own safety number', hint)
  }
  throw mismatch(name, `this is not the safety number of ${name}`, 'a digit is wrong')
}

function linkMismatch(persona: PersonaRecord, isSamePersona: boolean): ContactError {
  const name = persona.entry?.name ?? persona.personaId
  const message = isSamePersona
    ? `this link names a key chain that differs from the one pinned for ${name}`
    : `this link belongs to somebody else, not to ${name}`
  return mismatch(name, message, 'it is not the link on their screen')
}

/** @param slip the harmless explanation */
function mismatch(name: string, message: string, slip: string): ContactError {
  const meaning = `either ${slip}, or somebody else made the persona that you know as ${name}: trust none of its devices until you know`
  const hint = `ask ${name} for a contact link in a way that proves who you talk to, and add it`
  return new ContactError('NUMBER_MISMATCH', `${message}; ${meaning}`, hint, { wants: 'link' })
}
