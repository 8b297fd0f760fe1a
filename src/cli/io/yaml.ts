/** Writes reports as YAML that is safe for a terminal: invisible characters and cursor movements become escapes. */
import { stringify } from 'yaml'

const HIDDEN = /[^\n\P{C}]|[^ \P{Z}]|\p{Default_Ignorable_Code_Point}/gu

/** Texts stand in double quotes, where YAML has an escape for everything. A program that parses it gets the same texts. */
export function formatYaml(value: unknown): string {
  const text = stringify(value, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    defaultKeyType: 'PLAIN',
    defaultStringType: 'QUOTE_DOUBLE',
  })
  return text.replace(HIDDEN, (hidden) => `\\U${hidden.codePointAt(0)!.toString(16).toUpperCase().padStart(8, '0')}`)
}
