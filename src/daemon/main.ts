/** The program `personad`, from its arguments to its exit status. */
import { parseArgs } from 'node:util'
import { quoteWord } from '../ipc/command-word.ts'
import { resolvePaths, type Paths } from '../ipc/paths.ts'
import { configSections, readConfig, reloadableKeys } from './config.ts'
import { stopDaemon, type Daemon } from './daemon.ts'
import { statusLine } from './full-disk.ts'
import { reloadDaemon } from './reload.ts'
import { startPatiently } from './start.ts'
import { WINGS } from './wings.ts'
import { isOwnError } from '../process/describe-error.ts'
import { scheduleGivingBack } from './give-back.ts'
import { superviseProcess } from '../process/supervise.ts'
import { openLog, type Log } from '../process/log.ts'
import { openNotifier } from '../process/service-manager.ts'
import { unblockSigusr1 } from '../process/sigusr1.ts'
import { ownVersion } from '../process/version.ts'

const USAGE = `usage: personad [--home DIR] [--config FILE]

The local daemon that keeps personas. It stays in the foreground, logs to stderr, and ends at SIGTERM or Ctrl-C.
  --home DIR     keep state/, config/ and run/ below DIR (also PERSONAD_HOME)
  --config FILE  read this configuration
  --check-config print what is wrong with the configuration, as JSON, and exit
  --version      print the version
  --help         print this`

// A checkout has no `persona` on the PATH; without "--" npx would take --help and --json for its own.
const COMMAND_LINE = import.meta.url.endsWith('.ts') ? 'npx --no -- persona' : 'persona'

interface Arguments {
  readonly home: string | undefined
  readonly config: string | undefined
  readonly isCheck: boolean
}

/** @returns null if the arguments only ask for a text, or are wrong; the answer is printed already */
function readArguments(): Arguments | null {
  // A reader that has enough, such as head, is no failure; console.log() itself is silent about a full disk.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') return
    console.error(`personad: error: the output could not be written (${error.message})`)
    process.exitCode = 1
  })
  const flag = { type: 'boolean' } as const
  try {
    const text = { type: 'string' } as const
    const options = { home: text, config: text, 'check-config': flag, version: flag, help: flag } as const
    const { values } = parseArgs({ options })
    if (values.help !== true && values.version !== true)
      return { home: values.home, config: values.config, isCheck: values['check-config'] === true }
    console.log(values.help === true ? USAGE : `personad ${ownVersion()}`)
  } catch (error) {
    console.error(`personad: error: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exitCode = 2
  }
  return null
}

/** For `persona config` and `persona doctor`, which never load the daemon. */
async function checkConfig({ home, config }: Arguments): Promise<void> {
  let fault: { code: string; message: string } | null = null
  const sections = configSections(WINGS)
  try {
    const file = config ?? resolvePaths({ home, env: process.env }).configFile
    await readConfig(file, config !== undefined, sections)
  } catch (error) {
    fault = isOwnError(error)
      ? { code: error.code, message: error.message }
      : { code: 'INTERNAL', message: 'the configuration cannot be read; this is a bug in personad' }
    process.exitCode = 1
  }
  console.log(JSON.stringify({ fault, reloadable: reloadableKeys(sections) }))
}

async function main(): Promise<void> {
  const args = readArguments()
  if (args === null) return
  // LevelDB leaves the modes of its files to the umask.
  process.umask(0o077)
  if (args.isCheck) return await checkConfig(args)
  const log = openLog({ level: 'info' })
  const supervisor = superviseProcess({ log })
  try {
    await unblockSigusr1({ log })
    const paths = resolvePaths({ home: args.home, env: process.env })
    const configFile = args.config ?? paths.configFile
    const config = await readConfig(configFile, args.config !== undefined, configSections(WINGS))
    log.setLevel(config.log.level)
    const notifier = await openNotifier({ env: process.env, log })
    const daemon = await startPatiently({
      paths,
      configFile,
      config,
      log,
      supervisor,
      showStatus: (status) => notifier.status(status),
    })
    notifier.startWatchdog(() => true)
    supervisor.serve(
      {
        notifier,
        stop: () => stopDaemon(daemon, paths),
        lock: () => daemon.keeper.custody.lock('signal'),
        reload: () => reloadDaemon(daemon, paths, configFile, args.config !== undefined, log),
      },
      statusLine(paths, daemon.fullDisk),
    )
    logReady(daemon, paths, args.home, log)
    await scheduleGivingBack(log)
  } catch (error) {
    supervisor.fail(error)
  }
}

function logReady(daemon: Daemon, paths: Paths, home: string | undefined, log: Log): void {
  log.info('daemon.ready', {
    message: 'ready',
    version: ownVersion(),
    pid: process.pid,
    store: paths.stateDir,
    appSocket: paths.appSocket,
    adminSocket: paths.adminSocket,
  })
  if (daemon.keeper.hasPersona) return
  const place = home === undefined ? '' : ` --home ${quoteWord(home)}`
  log.info('persona.none', {
    message: `there is no persona yet; create one in another terminal: ${COMMAND_LINE}${place} init --device NAME --tox-profile FILE`,
  })
}

await main()
