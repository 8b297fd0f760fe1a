/** A program that reads a profile and verifies the text of each friend, without a store. argv: the file. It prints how many are valid. */
import { readFileSync } from 'node:fs'
import { judgeStatus } from '../src/core/verify.ts'
import { loadEngine } from '../src/crypto/load.ts'
import { decodeSave } from '../src/tox/save/savefile.ts'
import { friendStatuses } from '../src/tox/save/scan.ts'

const engine = await loadEngine('sodium')
const { statuses } = friendStatuses(decodeSave(readFileSync(process.argv[2] ?? '')), Math.floor(Date.now() / 1000))
console.log(statuses.filter(({ statusText }) => judgeStatus(statusText, engine).blob !== null).length)
