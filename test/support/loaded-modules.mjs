// Writes the path of every module of src that a process loads to the file named by LOADED_MODULES. For `node --import`.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, nextLoad) {
    const path = /\/src\/(.+)$/.exec(url)?.[1]
    if (path !== undefined && !url.includes('/node_modules/')) appendFileSync(process.env.LOADED_MODULES, `${path}\n`)
    return nextLoad(url, context)
  },
})
