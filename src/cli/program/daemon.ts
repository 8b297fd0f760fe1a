/** Commands about the daemon: what it does, what it recorded, and how it starts. */
import type { Command } from 'commander'
import type { ServiceCommandOptions } from '../daemon/service-commands.ts'
import type { LogOptions } from '../events/log.ts'
import type { Runner } from './options.ts'

/** `doctor`, `watch`, `log`, `version`. */
export function addDaemon(program: Command, run: Runner): void {
  program
    .command('doctor')
    .description('find problems and say how to fix them; also works without the daemon')
    .action(() => run(async (context) => (await import('../daemon/doctor.ts')).doctor(context)))
  program
    .command('version')
    .description('print the version')
    .action(() => run(async (context) => (await import('../daemon/version.ts')).version(context)))
  program
    .command('watch')
    .description('print events as they happen, until Ctrl-C')
    .option('--after <number>', 'first print the events after this number')
    .action((options: { after?: string }) =>
      run(async (context) => (await import('../events/watch.ts')).watch(context, options)),
    )
  program
    .command('log [name]')
    .description('show what changed, for everyone or for one contact or device')
    .option('--limit <count>', 'show this many of the newest entries (default: 50)')
    .option('--verify', 'check that no entry was changed or removed')
    .action((name: string | undefined, options: LogOptions) =>
      run(async (context) => (await import('../events/log.ts')).log(context, name, options)),
    )
}

/** `config ...`. */
export function addConfig(config: Command, run: Runner): void {
  config
    .command('get [key]')
    .description('print the configuration, or one key of it, such as watch.repair')
    .action((key: string | undefined) =>
      run(async (context) => (await import('../daemon/config.ts')).get(context, key)),
    )
  config
    .command('set <key> <value>')
    .description('set a key; refused if the daemon would not start with it')
    .action((key: string, value: string) =>
      run(async (context) => (await import('../daemon/config.ts')).set(context, key, value)),
    )
  config
    .command('check')
    .description('check whether the daemon would start with the file that is on disk')
    .action(() => run(async (context) => (await import('../daemon/config.ts')).check(context)))
  config
    .command('edit')
    .description('edit the configuration in $VISUAL or $EDITOR, and check it before it is written')
    .action(() => run(async (context) => (await import('../daemon/config.ts')).edit(context)))
}

/** `store ...`. */
export function addStore(store: Command, run: Runner): void {
  store
    .command('salvage <directory>')
    .description('copy what verifies in a damaged store into a new state directory, and say what is lost')
    .action((directory: string) =>
      run(async (context) => (await import('../daemon/salvage.ts')).salvageStore(context, directory)),
    )
}

/** `service ...`. */
export function addService(service: Command, run: Runner): void {
  service
    .command('install')
    .description('install the service, enable it and start it')
    .option('--repair', 'also install the unit that writes your table back into Tox profiles')
    .option('--tox', 'also give the companion access to the network')
    .option('--net', 'also install personad-net and personad-rtc, which reach the network for the daemon')
    .option('--folder <dir...>', 'also let the daemon write in these folders of net.folders, for channels')
    .option('--force', 'replace a unit that persona did not write')
    .action((options: ServiceCommandOptions) =>
      run(async (context) => (await import('../daemon/service-commands.ts')).install(context, options)),
    )
  service
    .command('uninstall')
    .description('stop the service and remove it; state and configuration stay')
    .option('--force', 'remove a unit that persona did not write')
    .action((options: ServiceCommandOptions) =>
      run(async (context) => (await import('../daemon/service-commands.ts')).uninstall(context, options)),
    )
  service
    .command('status')
    .description('show whether the service is installed and running')
    .action(() => run(async (context) => (await import('../daemon/service-commands.ts')).status(context)))
}
