/** The owner's table as YAML. It loads the package for YAML, so it is loaded only when somebody asks for that form. */
import { stringify } from 'yaml'
import type { OwnTable } from '../../ipc/shapes/own.ts'

/** Formats the whole table for people and other programs: PersonaID, then nicknames and keys in order. */
export function formatTableAsYaml(table: OwnTable): string {
  const devices = new Map(table.devices.map(({ name, key }) => [name, key]))
  return stringify(new Map([[table.personaId, devices]]))
}
