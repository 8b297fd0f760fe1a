/** The part of app links in the protocol: methods, values, events and their part of the status (docs/ipc.md, section 3, app). */
import * as z from '../../schema/zod.ts'
import { spokenName } from '../shapes/apps.ts'
import { count, keyHex, seconds } from '../shapes/scalars.ts'
import type { MethodSpec } from './method.ts'
import { contactName, method, type Empty } from './params.ts'
import { event, type EventSpec, type WingSchema } from './wing.ts'

const MAX_NAMED = 1000 // sanity: contacts in one list; who has more gives all

const MAX_INVITE_TEXT = 8192 // sanity: as of an invite of a channel

export const MAX_A_DAY = 1000 // sanity: more in a day is no list of people, but a flood

export const PROVIDES = ['none', 'all', 'named'] as const
export type Provide = (typeof PROVIDES)[number]

export const RECEIVES = ['no', 'ask', 'self'] as const

/** How an app takes the contacts that the other app of a link provides. */
export interface Receive {
  /** Not at all; with a question to the owner; by itself. */
  how: (typeof RECEIVES)[number]
  /** The most that it takes by itself in a day. */
  aDay: number
}

/** The settings of one app of a link. */
export interface LinkSettings {
  /** The contacts that it provides to the other app. */
  provide: Provide
  /** Those of `named`. */
  contacts: { persona: string; name: string | null }[]
  receive: Receive
}

/** The settings that the owner changes. */
export interface SettingsWish {
  provide?: Provide
  /** Those of `named`, by name or by key. */
  contacts?: string[]
  receive?: { how: Receive['how']; aDay?: number }
}

export const LINK_STATES = [
  'asked', // an app asks for it, and the owner has not answered
  'invited', // the other device has not answered the invite
  'linked',
  'paused', // an app may not propose now, or the line to the other device stands still
] as const
export type LinkState = (typeof LINK_STATES)[number]

/** A link between two apps of one persona. */
export interface AppLink {
  id: string
  /** One of its apps; for an app that calls always itself. */
  app: string
  /** The other app; null while the other device has told nothing. */
  other: string | null
  /** Whether the other app is on another device of the owner. */
  elsewhere: boolean
  state: LinkState
  /** The app that asks; null once the owner has answered. */
  askedBy: string | null
  sinceSec: number
  /** Those of `app`. */
  settings: LinkSettings
  /** Those of `other`; null for an app, which sees its own alone, and for an app of another device. */
  otherSettings: LinkSettings | null
}

export const PROPOSAL_STATES = [
  'none',
  'offered', // this side provides the contact, and the other one does not yet
  'asked', // the other way round
  'proposed', // both do: the owner is asked
  'acceptedThere', // the same, and the other owner has agreed
  'acceptedHere', // the owner has agreed, and the other one has not
  'accepted', // both have, and the channel is being made
  'declined',
  'declinedThere',
  'withdrawn',
  'expired', // the offer of the other side is over, and they have made no other
  'connected', // the channel is open
  'confirmed', // the same, and both ends see one handshake
  'alarm', // they see two: somebody is between them
] as const
export type ProposalStateName = (typeof PROPOSAL_STATES)[number]

/** A contact of one app who is proposed in another. */
export interface ProposalView {
  /** The app in which they are proposed. */
  app: string
  /** The app over whose channel they are introduced. */
  by: string
  persona: string
  /** Their name here. */
  name: string
  state: ProposalStateName
  /** Somebody else here has a name that looks the same. */
  sameName: boolean
  sinceSec: number
}

export const PROPOSAL_ANSWERS = ['accept', 'decline'] as const
export type ProposalAnswer = (typeof PROPOSAL_ANSWERS)[number]

export interface ProposalsMethods {
  'app.proposals': MethodSpec<{ after?: number; limit?: number }, { proposals: ProposalView[]; next: number | null }>
  'app.answer': MethodSpec<{ app: string; persona: string; answer: ProposalAnswer }, Empty>
}

const about = { app: z.string(), by: z.string(), persona: keyHex, name: z.string(), state: z.enum(PROPOSAL_STATES) }

export const proposalView: z.ZodType<ProposalView> = z.strictObject({
  ...about,
  sameName: z.boolean(),
  sinceSec: seconds,
})

const PROPOSALS_METHODS: ProposalsMethods = {
  'app.proposals': method(
    'admin',
    'List the contacts that one app of the owner proposes in another, those that wait for an answer first',
    z.strictObject({ after: count.exactOptional(), limit: z.int().min(1).max(500).exactOptional() }),
    z.strictObject({ proposals: z.array(proposalView), next: count.nullable() }),
  ),
  'app.answer': method(
    'admin',
    'Answer a proposal: a channel is opened once both people accept, or nobody asks about this persona in this app again',
    z.strictObject({ app: spokenName, persona: keyHex, answer: z.enum(PROPOSAL_ANSWERS) }),
    z.strictObject({}),
  ),
}

export interface ProposalsEvents {
  'app.proposal': EventSpec<Pick<ProposalView, 'app' | 'by' | 'persona' | 'name' | 'state'>>
}

const PROPOSALS_EVENTS: ProposalsEvents = {
  'app.proposal': event('passing', z.strictObject(about), 'admin'),
}

interface LinkParams extends SettingsWish {
  app?: string
  other: string
}

export interface LinksMethods extends ProposalsMethods {
  'app.link': MethodSpec<LinkParams, AppLink>
  'app.link-invite': MethodSpec<SettingsWish & { app: string }, { link: AppLink; invite: string; expiresAtSec: number }>
  'app.link-accept': MethodSpec<SettingsWish & { app: string; invite: string }, AppLink>
  'app.link-set': MethodSpec<SettingsWish & { id: string }, AppLink>
  'app.unlink': MethodSpec<{ id: string }, Empty>
  'app.links': MethodSpec<Empty, { links: AppLink[]; linkable: string[] }>
}

export const linkId: z.ZodType<string> = z.string().regex(/^[0-9a-f]{32}$/)

const receive: z.ZodType<Receive> = z.strictObject({ how: z.enum(RECEIVES), aDay: count })

const linkSettings: z.ZodType<LinkSettings> = z.strictObject({
  provide: z.enum(PROVIDES),
  contacts: z.array(z.strictObject({ persona: keyHex, name: z.string().nullable() })),
  receive,
})

export const appLink: z.ZodType<AppLink> = z.strictObject({
  id: linkId,
  app: z.string(),
  other: z.string().nullable(),
  elsewhere: z.boolean(),
  state: z.enum(LINK_STATES),
  askedBy: z.string().nullable(),
  sinceSec: seconds,
  settings: linkSettings,
  otherSettings: linkSettings.nullable(),
})

const settingsWish = {
  provide: z.enum(PROVIDES).exactOptional(),
  contacts: z.array(contactName).max(MAX_NAMED).exactOptional(),
  receive: z
    .strictObject({ how: z.enum(RECEIVES), aDay: z.int().min(1).max(MAX_A_DAY).exactOptional() })
    .exactOptional(),
}

const LINKS_METHODS: LinksMethods = {
  ...PROPOSALS_METHODS,
  'app.link': method(
    'propose',
    'Link two apps of the owner, or change the settings of the first one; an app asks, and the owner answers',
    z.strictObject({ app: spokenName.exactOptional(), other: spokenName, ...settingsWish }),
    appLink,
  ),
  'app.link-invite': method(
    'admin',
    'Make an invite that links an app with one on another device of the owner',
    z.strictObject({ app: spokenName, ...settingsWish }),
    z.strictObject({ link: appLink, invite: z.string(), expiresAtSec: seconds }),
  ),
  'app.link-accept': method(
    'admin',
    'Link an app with one on another device, by the invite that was made there',
    z.strictObject({ app: spokenName, invite: z.string().min(1).max(MAX_INVITE_TEXT), ...settingsWish }),
    appLink,
  ),
  'app.link-set': method(
    'admin',
    'Change the settings of the first app of a link',
    z.strictObject({ id: linkId, ...settingsWish }),
    appLink,
  ),
  'app.unlink': method(
    'propose',
    'End a link between two apps, or refuse one that an app asks for',
    z.strictObject({ id: linkId }),
    z.strictObject({}),
  ),
  'app.links': method(
    'propose',
    'List the links of the own app, or all, and for the owner the apps that can be linked',
    z.strictObject({}),
    z.strictObject({ links: z.array(appLink), linkable: z.array(z.string()) }),
  ),
}

export interface LinksEvents extends ProposalsEvents {
  /** One for each app of the link. */
  'app.linked': EventSpec<{ id: string; app: string; other: string; state: LinkState }>
  'app.unlinked': EventSpec<{ id: string; app: string; other: string }>
}

const aboutLink = { id: linkId, app: z.string(), other: z.string() }

const EVENTS: LinksEvents = {
  ...PROPOSALS_EVENTS,
  'app.linked': event('passing', z.strictObject({ ...aboutLink, state: z.enum(LINK_STATES) }), 'propose'),
  'app.unlinked': event('passing', z.strictObject(aboutLink), 'propose'),
}

export interface LinksStatus {
  linked: number
  /** Links that wait for another device. */
  invited: number
  /** Links that apps ask for. */
  asked: number
  /** Links that stand still. */
  paused: number
  /** Contacts about whom the owner is asked. */
  proposals: number
}

export const linksStatus: z.ZodType<LinksStatus> = z.strictObject({
  linked: count,
  invited: count,
  asked: count,
  paused: count,
  proposals: count,
})

export const LINKS: WingSchema<LinksMethods, LinksEvents, { links: LinksStatus }> = {
  methods: LINKS_METHODS,
  events: EVENTS,
  status: { links: linksStatus },
  capabilities: ['propose'],
}
