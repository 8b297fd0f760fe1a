/** Writes to LevelDB as 64 writers, each durably and as much as an observation of a new contact does. argv: the directory. A message says how many. */
import { randomBytes } from 'node:crypto'
import { Level } from 'level'
import { perSec } from './writers.ts'

const VALUE_BYTES = 1024

const db = new Level<string, Uint8Array>(process.argv[2] ?? 'bare', { valueEncoding: 'view', compression: false })
await db.open()
let count = 0
process.on('message', (works: number) => {
  const values = Array.from({ length: works }, () => randomBytes(VALUE_BYTES))
  void perSec(works, (work) => db.put(`key ${count++}`, values[work]!, { sync: true })).then((rate) =>
    process.send!(rate),
  )
})
