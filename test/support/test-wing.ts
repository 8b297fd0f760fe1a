/** A wing that brings one of everything: notes, which apps with the capability `note` can write (docs/wings.md explains it). */
import * as z from 'zod'
import type { NewEvent } from '../../src/daemon/state/new-event.ts'
import { kind, type Arrival, type Kind } from '../../src/daemon/state/kind.ts'
import type { Host, OpenWing, Wing } from '../../src/daemon/wing/wing.ts'
import type { MethodSpec } from '../../src/ipc/methods/method.ts'
import { method, noParams, type Empty } from '../../src/ipc/methods/params.ts'
import { event, type EventSpec, type WingSchema } from '../../src/ipc/methods/wing.ts'
import { notice, ok } from '../../src/ipc/shapes/doctor.ts'
import type { ConfigSection } from '../../src/process/config-file.ts'
import { wholeNumber } from '../../src/process/config-values.ts'

// The schema: a wing of the daemon has it in src/ipc/methods.

export interface NoteMethods {
  'note.put': MethodSpec<{ id: string; text: string }, { count: number }>
  'note.list': MethodSpec<Empty, { notes: Record<string, string> }>
}

export interface NoteEvents {
  'note.added': EventSpec<{ id: string }>
  /** The configured number of notes is reached. */
  'note.full': EventSpec<{ most: number }>
}

const EVENTS: NoteEvents = {
  'note.added': event('kept', z.strictObject({ id: z.string() })),
  'note.full': event('passing', z.strictObject({ most: z.int() })),
}

const id = z.string().regex(/^[a-z]{1,16}$/)

const SCHEMA: WingSchema<NoteMethods, NoteEvents, { notes: number }> = {
  methods: {
    'note.put': method(
      'note',
      'Keep a note',
      z.strictObject({ id, text: z.string() }),
      z.strictObject({ count: z.int() }),
    ),
    'note.list': method('read', 'List the notes', noParams, z.strictObject({ notes: z.record(id, z.string()) })),
  },
  events: EVENTS,
  status: { notes: z.int() },
  capabilities: ['note'],
}

// The records.

export interface Note {
  readonly text: string
}

const note = z.strictObject({ text: z.string().max(256) })

/** Nothing in a snapshot is believed before it is checked. */
const arrival: Arrival<Note> = {
  read: (name, value) => (id.safeParse(name).success ? (note.safeParse(value).data ?? null) : null),
  merge: (arrived, here) => here ?? arrived,
}

/** Every device of the owner has the notes. */
export const NOTES: Kind<Note> = kind('note', { travels: 'always', arrival })
/** A draft stays with its device, and comes back from a backup. */
export const DRAFTS: Kind<Note> = kind('draft', { travels: 'backup', arrival })
/** It is of this device only. */
export const CURSORS: Kind<Note> = kind('cursor', { travels: 'never' })

// The section of the configuration.

export interface NotesConfig {
  readonly most: number
  readonly greetAs: string
}

const SECTION: ConfigSection<NotesConfig> = {
  name: 'notes',
  keys: {
    most: { key: 'most', value: wholeNumber(1, 9).default(3), reloadable: true },
    greetAs: { key: 'greet_as', value: z.string({ error: 'a text' }).default('me'), reloadable: false },
  },
}

export const TEST_WING: Wing<NoteMethods, NotesConfig> = {
  schema: SCHEMA,
  section: SECTION,
  kinds: [NOTES, DRAFTS, CURSORS],
  open: openNotes,
}

/** The calls to the wing, in order, for the test. */
export const done: string[] = []

async function openNotes({ keeper }: Host, config: NotesConfig): Promise<OpenWing<NoteMethods, NotesConfig>> {
  let { most } = config
  const notes = new Map<string, string>()
  for await (const [name, { text }] of keeper.onDisk.of(NOTES).iterate()) notes.set(name, text)
  return {
    handlers: {
      'note.put': async ({ id: name, text }) => {
        await keeper.change(() => {
          const { state } = keeper
          state.stage(state.of(NOTES).put(name, { text }))
          state.emit(told('note.added', { id: name }))
          if (notes.size + 1 >= most) state.emit(told('note.full', { most }))
        })
        notes.set(name, text)
        return { count: notes.size }
      },
      'note.list': () => ({ notes: Object.fromEntries(notes) }),
    },
    start: () => void done.push(`started with ${most}`),
    onEvent: ({ event: name }) => void done.push(name),
    reload: (changed) => {
      most = changed.most
    },
    status: () => ({
      part: { notes: notes.size },
      findings: [notice('NOTES', `there are ${notes.size} notes for ${config.greetAs}`, null)],
    }),
    findings: () => [
      notes.size < most
        ? ok('NOTES', 'there is room for notes')
        : notice('NOTES_FULL', 'no room for notes', 'raise it'),
    ],
    close: () => void done.push('closed'),
  }
}

/** Only the events of wings in src/ipc/methods/wings.ts have a type of their own. */
function told<Name extends keyof NoteEvents>(name: Name, data: z.infer<NoteEvents[Name]['data']>): NewEvent {
  return { event: name, data: EVENTS[name].data.parse(data) } as unknown as NewEvent
}
