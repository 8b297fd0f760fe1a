/** The commands as data, read from commander's own tree. Completion scripts and man pages are made from it, so they list exactly the commands that exist. */
import type { Command, Option } from 'commander'
import { PENDING_KINDS } from '../../ipc/shapes/pending.ts'

/** The values that a word takes: files, names that the daemon knows, one of a few words, or any text. */
export type Values = 'files' | 'home' | 'contacts' | 'devices' | 'apps' | 'channels' | 'text' | readonly string[]

export interface OptionNode {
  /** `-V`, `--version`. */
  readonly names: readonly string[]
  /** `<file>`; empty for a flag. */
  readonly placeholder: string
  /** null for a flag. */
  readonly takes: Values | null
  readonly description: string
}

export interface ArgumentNode {
  readonly name: string
  readonly takes: Values
  readonly isRequired: boolean
  readonly isVariadic: boolean
}

export interface CommandNode {
  /** The words after `persona`; empty for the program itself. */
  readonly words: readonly string[]
  readonly description: string
  /** The heading above it in the help of its parent. */
  readonly group: string
  readonly commands: readonly CommandNode[]
  readonly options: readonly OptionNode[]
  readonly args: readonly ArgumentNode[]
}

/** By the name of an argument or of an option's value, as `--help` shows them. */
const BY_NAME: Readonly<Record<string, Values>> = {
  ...Object.fromEntries(
    ['file', 'files', 'path', 'profile', 'profiles', 'places', 'new', 'directory'].map((name) => [
      name,
      'files' as const,
    ]),
  ),
  dir: 'home',
  contact: 'contacts',
  channel: 'channels',
  query: 'contacts',
  device: 'devices',
  shell: ['bash', 'zsh', 'fish'],
  when: ['auto', 'always', 'never'],
  policy: ['auto', 'ask', 'pin'],
  kind: PENDING_KINDS,
  which: ['keep', 'new'],
  field: ['name', 'status', 'nospam', 'away'],
  action: ['add', 'remove', 'merge', 'export'],
}

/** The exceptions: names that mean something else after this command or option. */
const BY_PLACE: Readonly<Record<string, Values>> = {
  'contact show name': 'contacts',
  'contact verify name': 'contacts',
  'contact join other': 'contacts',
  'contact refresh name': 'contacts',
  'log name': 'contacts',
  'app accept name': 'apps',
  'app reject name': 'apps',
  'app revoke name': 'apps',
  '--app app': 'apps',
  '--keep name': 'devices',
  '--without name': 'devices',
  // A device of the contact, which the daemon cannot list by name.
  'contact split device': 'text',
}

/** Reads the tree that `buildProgram` made. */
export function commandTree(command: Command, words: readonly string[] = []): CommandNode {
  const path = words.join(' ')
  return {
    words,
    description: command.description(),
    group: command.helpGroup(),
    commands: command.commands.map((inner) => commandTree(inner, [...words, inner.name()])),
    options: command.options.map(optionNode),
    args: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      takes: valuesOf(argument.name(), path),
      isRequired: argument.required,
      isVariadic: argument.variadic,
    })),
  }
}

/** A command and all commands below it, parents first. */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(allNodes)]
}

function optionNode(option: Option): OptionNode {
  const placeholder = /[<[].*$/.exec(option.flags)?.[0] ?? ''
  const name = placeholder.replaceAll(/[<>[\].]/g, '')
  return {
    names: [option.short, option.long].filter((one) => typeof one === 'string'),
    placeholder,
    takes: placeholder === '' ? null : valuesOf(name, option.long ?? ''),
    description: option.description,
  }
}

/** @param where the path of a command, or an option */
function valuesOf(name: string, where: string): Values {
  return BY_PLACE[`${where} ${name}`] ?? BY_NAME[name] ?? 'text'
}
