// Preloaded into a process (NODE_OPTIONS=--import): kills it before or after its n-th rename or unlink, as KILL_AT
// specifies ("3 before").
import { promises } from 'node:fs'
import { appendFileSync } from 'node:fs'

const [at, when] = (process.env.KILL_AT ?? '').split(' ')
let changes = 0
for (const name of ['rename', 'unlink']) {
  const change = promises[name]
  promises[name] = async (...paths) => {
    changes++
    if (process.env.KILL_LOG !== undefined) appendFileSync(process.env.KILL_LOG, `${name}\n`)
    if (String(changes) === at && when === 'before') process.kill(process.pid, 'SIGKILL')
    await change(...paths)
    if (String(changes) === at && when === 'after') process.kill(process.pid, 'SIGKILL')
  }
}
