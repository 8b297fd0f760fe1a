/** What an operator should know of a database before a relay keeps all in it. Each finding is one line. */
import { CONNECTIONS } from './database.ts'
import { DatabaseError } from './errors.ts'
import { readHealth, type HealthFacts } from './health-facts.ts'
import { TABLES_VERSION } from './schema.ts'

export interface Finding {
  readonly name: string
  readonly isOk: boolean
  readonly text: string
}

const MIN_VERSION = 15 // format: the oldest that still gets its mends, and the oldest that the tests had

type Look = (facts: HealthFacts) => Omit<Finding, 'name'>

const ok = (text: string): Omit<Finding, 'name'> => ({ isOk: true, text })
const bad = (text: string): Omit<Finding, 'name'> => ({ isOk: false, text })

const LOOKS: readonly (readonly [name: string, look: Look])[] = [
  ['server', lookAtServer],
  ['tables', lookAtTables],
  ['disk', lookAtDisk],
  ['standby', lookAtStandbys],
  ['tls', lookAtTls],
  ['room', lookAtConnections],
]

export const FINDINGS: number = LOOKS.length

/** Looks at a database, and changes nothing in it. @returns all findings, or the one that it cannot be reached */
export async function examineDatabase(url: string): Promise<readonly Finding[]> {
  try {
    return findingsOf(await readHealth(url))
  } catch (error) {
    if (error instanceof DatabaseError) return [{ name: 'server', isOk: false, text: error.message }]
    throw error
  }
}

export function findingsOf(facts: HealthFacts): readonly Finding[] {
  return LOOKS.map(([name, look]) => ({ name, ...look(facts) }))
}

function lookAtServer({ version, versionNumber, takesChanges }: HealthFacts): Omit<Finding, 'name'> {
  const is = `PostgreSQL ${version}`
  if (versionNumber < MIN_VERSION * 10_000) return bad(`${is} is too old: install version ${MIN_VERSION} or later`)
  if (!takesChanges)
    return bad(`${is} takes no changes: name the primary and not a standby, or take default_transaction_read_only away`)
  return ok(is)
}

function lookAtTables({ tables, mayMakeTables, isMoving }: HealthFacts): Omit<Finding, 'name'> {
  if (isMoving)
    return bad('somebody moves a relay into or out of the database, or a move did not end: run that move again')
  if (tables !== null && tables > TABLES_VERSION)
    return bad(`they have version ${tables}, and this program knows ${TABLES_VERSION}: install the later relay`)
  if (tables === TABLES_VERSION) return ok(`version ${tables}`)
  if (!mayMakeTables)
    return bad('the user may not make tables here: make the user the owner: ALTER DATABASE ... OWNER TO ...')
  return ok(
    tables === null
      ? 'none yet: the first relay makes them at its start'
      : `version ${tables}: the first relay of this version brings them to ${TABLES_VERSION} at its start`,
  )
}

function lookAtDisk({ fsync, fullPageWrites, synchronousCommit }: HealthFacts): Omit<Finding, 'name'> {
  const lost = [
    fsync === 'off' && 'fsync is off: when the machine crashes, the whole database may be lost',
    fullPageWrites === 'off' && 'full_page_writes is off: when the machine crashes, any row may be damaged',
    synchronousCommit === 'off' &&
      'synchronous_commit is off: when the database crashes, the acknowledged messages of the last second are lost',
  ].filter((text) => text !== false)
  if (lost.length === 0) return ok('what is acknowledged is on the disk')
  return bad(`${lost.join('; ')}; set ${lost.length === 1 ? 'it' : 'them'} to on`)
}

function lookAtStandbys(facts: HealthFacts): Omit<Finding, 'name'> {
  const { standbyNames, standbys, synchronousStandbys, synchronousCommit } = facts
  const follow = standbys === 1 ? '1 follows' : `${standbys} follow`
  const isWaiting = standbyNames !== '' && !['local', 'off'].includes(synchronousCommit)
  if (isWaiting) {
    // format: FIRST 2 (a, b), ANY 2 (a, b), or names alone, of which one has to answer
    const needed = Number(/^\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(/i.exec(standbyNames)?.[1] ?? 1)
    const there = synchronousStandbys ?? standbys
    if (there < needed)
      return bad(
        `synchronous_standby_names asks for ${needed}, and ${there} of these is connected: each send waits. Start the standby, or change the setting`,
      )
    return ok(`${follow}: what is acknowledged is there too`)
  }
  if (standbys === 0) return ok('none: when the disk is lost, all since the last backup is lost')
  return ok(`${follow}: the newest messages may be lost when it takes over, unless synchronous_standby_names has it`)
}

function lookAtTls({ isRemote, tls }: HealthFacts): Omit<Finding, 'name'> {
  if (tls !== null) return ok(tls)
  if (!isRemote) return ok('none, on this machine only')
  return bad(
    'none: everybody on the way to the database sees which boxes are used. Set ssl in the database, and write ?sslmode=verify-full into the URL',
  )
}

function lookAtConnections({ connections, relays }: HealthFacts): Omit<Finding, 'name'> {
  const fit = Math.floor(connections / CONNECTIONS)
  const text = `${connections} connections are allowed, and a relay holds up to ${CONNECTIONS}: ${fit} ${fit === 1 ? 'relay fits' : 'relays fit'}, and ${relays} ${relays === 1 ? 'runs' : 'run'}`
  if (fit < Math.max(1, relays)) return bad(`${text}. Raise max_connections, or the limit of the user or database`)
  return ok(text)
}
