/** Makes the lists in docs/man from the code. `node test/generate/man.ts` writes them between their marks; a test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { allNodes, commandTree, type CommandNode, type OptionNode } from '../../src/cli/program/command-tree.ts'
import { buildProgram } from '../../src/cli/program/program.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Each page with the function that makes its list. The rest of a page is written by hand. */
export const PAGES: readonly (readonly [path: string, make: () => string])[] = [
  [at('docs/man/persona.1'), (): string => commandList(commandTree(buildProgram(() => Promise.resolve())))],
  [at('docs/man/personad.yaml.5'), (): string => keyList(readFileSync(at('config/personad.yaml'), 'utf8'))],
  [at('docs/man/persona-relay.1'), (): string => keyList(readFileSync(at('config/persona-relay.yaml'), 'utf8'))],
]

const BEGIN = '.\\" The list below is made by test/generate/man.ts.\n'
const END = '.\\" End of the list.\n'

/** The page with the list put between its marks. */
export function madePage(text: string, list: string): string {
  const from = text.indexOf(BEGIN)
  const to = text.indexOf(END)
  if (from < 0 || to < from) throw new Error('the marks of the list are missing')
  return text.slice(0, from + BEGIN.length) + list + text.slice(to)
}

function commandList(root: CommandNode): string {
  const groups = Map.groupBy(root.commands, ({ group }) => group.replace(/:$/, ''))
  return Array.from(groups, ([group, commands]) => {
    const leaves = commands.flatMap(allNodes).filter(({ commands: inner }) => inner.length === 0)
    return `.Ss ${group}\n.Bl -tag -width Ds\n${leaves.map(commandItem).join('')}.El\n`
  }).join('')
}

function commandItem({ words, args, options, description }: CommandNode): string {
  const names = args.map(({ name, isRequired, isVariadic }) => {
    const one = `Ar ${name}${isVariadic ? ' ...' : ''}`
    return isRequired ? ` ${one}` : ` Op ${one}`
  })
  const list = options.length === 0 ? '' : `.Bl -tag -width Ds -compact\n${options.map(optionItem).join('')}.El\n`
  return `.It Ic ${words.join(' ')}${names.join('')}\n${text(`${capital(description)}.`)}${list}`
}

function optionItem({ names, placeholder, description }: OptionNode): string {
  const value = placeholder === '' ? '' : ` Ar ${placeholder.replaceAll(/[<>[\]]/g, '')}`
  return `.It ${names.map((name) => `Fl ${name.slice(1)}`).join(' , ')}${value}\n${text(`${capital(description)}.`)}`
}

/** The keys of a configuration file, each explained by the comment above it. */
function keyList(yaml: string): string {
  const items: string[] = []
  let section = ''
  let comment: string[] = []
  for (const line of yaml.split('\n')) {
    const [, remark] = /^ *# ?(.*)$/.exec(line) ?? []
    const [, indent, key, value] = /^( *)([a-z_]+):(.*)$/.exec(line) ?? []
    if (remark !== undefined) comment.push(remark)
    else if (key !== undefined && value === '') section = `${key}.`
    else if (key !== undefined) {
      const name = indent === '' ? key : section + key
      items.push(`.It Cm ${name}\n${paragraphs(comment)}Default:\n.Ql ${escape(value!.trim())} .\n`)
    }
    if (remark === undefined) comment = []
  }
  return `.Bl -tag -width Ds\n${items.join('')}.El\n`
}

/** Running text. Lines indented by two more spaces are a list of values. */
function paragraphs(lines: readonly string[]): string {
  let made = ''
  let isList = false
  for (const line of lines) {
    const [, value, meaning] = /^ {2}(\S+) {2,}(.*)$/.exec(line) ?? []
    if (value !== undefined && !isList) made += '.Bl -tag -width Ds -compact\n'
    if (value === undefined && isList) made += '.El\n'
    isList = value !== undefined
    made += value === undefined ? text(line) : `.It Cm ${value}\n${text(meaning!)}`
  }
  return made
    .replace(/ ?\[reload\]$/m, '\nApplies at SIGHUP.')
    .replace(/ ?\[restart\]$/m, '\nApplies at the next start.')
    .replaceAll(/^\n/gm, '')
}

/** Starts each sentence on a line of its own, so that roff knows where one ends. */
function text(line: string): string {
  const lines = escape(line).replaceAll(/(?<=[^.][.?!]) (?=[A-Z"])/g, '\n')
  return `${lines.replaceAll(/^(?=[.'])/gm, '\\&')}\n`
}

/** Escapes the characters that roff would interpret. */
function escape(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll(/[^\x20-\x7E]/g, (one) => `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
}

function capital(sentence: string): string {
  return sentence.replace(/^[a-z]/, (first) => first.toUpperCase())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, make] of PAGES) writeFileSync(path, madePage(readFileSync(path, 'utf8'), make()))
}
