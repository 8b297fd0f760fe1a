/** The objects of a relay: real files over a store in memory, with a clock that the test moves. */
import { Devices } from '../../src/relayd/cards/devices.ts'
import { ObjectFiles } from '../../src/relayd/objects/object-files.ts'
import { Objects } from '../../src/relayd/objects/objects.ts'
import { Personas } from '../../src/relayd/personas/personas.ts'
import { sodium } from './made-persona.ts'
import { CARDS_URL, testCards, type TestCards, type TestCardsOptions } from './relay-cards.ts'

export interface TestObjects extends TestCards {
  readonly files: ObjectFiles
  readonly objects: Objects
  readonly personas: Personas
}

/** @param directory for the files, which the caller removes */
export async function testObjects(directory: string, options: TestCardsOptions = {}): Promise<TestObjects> {
  const made = testCards(options)
  const { store, limits } = made
  const files = await ObjectFiles.open(directory)
  const nowUs = (): number => made.nowSec * 1_000_000
  const devices = new Devices({ store, engine: sodium, url: options.url ?? CARDS_URL, nowUs })
  const listed = options.personas ?? []
  const objects = new Objects({
    store,
    files,
    comingUs: 0,
    devices,
    engine: sodium,
    personas: () => listed,
    limits,
    nowUs,
  })
  const personas = new Personas({ store, objects, devices, engine: sodium, limits, nowUs })
  return Object.assign(made, { files, objects, personas })
}
