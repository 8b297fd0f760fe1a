/** Reports as YAML that a terminal shows as it is: what is invisible or moves the cursor is written as an escape. */
import { stringify } from 'yaml'

const HIDDEN = /[^\n\P{C}]|[^ \P{Z}]|\p{Default_Ignorable_Code_Point}/gu

/** Texts stand in double quotes, where YAML has escapes for everything; whoever parses it gets the same texts. */
export function formatYaml(value: unknown): string {
  const text = stringify(value, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    defaultKeyType: 'PLAIN',
    defaultStringType: 'QUOTE_DOUBLE',
  })
  return text.replace(HIDDEN, (hidden) => `\\U${hidden.codePointAt(0)!.toString(16).toUpperCase().padStart(8, '0')}`)
}
