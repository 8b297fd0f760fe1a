/** The words of the command line about local apps. */
import type { Command } from 'commander'
import type { GrantOptions } from '../daemon/apps.ts'
import type { Runner } from './options.ts'

/** `app ...`. */
export function addApp(app: Command, run: Runner): void {
  const can = ['--can <list>', 'any of read, observe, publish, with commas between them'] as const
  const span = ['--for <time>', 'such as 12h or 30d; until it is revoked when left out'] as const
  app
    .command('allow <name>')
    .description('allow a new app something, and show its token, this once')
    .option(...can)
    .option(...span)
    .action((name: string, options: GrantOptions) =>
      run(async (context) => (await import('../daemon/apps.ts')).allow(context, name, options)),
    )
  app
    .command('list')
    .description('the apps that have a token')
    .action(() => run(async (context) => (await import('../daemon/apps.ts')).list(context)))
  app
    .command('pending')
    .description('the apps that ask to be allowed something')
    .action(() => run(async (context) => (await import('../daemon/apps.ts')).pending(context)))
  app
    .command('accept <name>')
    .description('allow an app that asks what --can names')
    .option(...can)
    .option(...span)
    .action((name: string, options: GrantOptions) =>
      run(async (context) => (await import('../daemon/apps.ts')).accept(context, name, options)),
    )
  app
    .command('reject <name>')
    .description('refuse what an app asks for')
    .action((name: string) => run(async (context) => (await import('../daemon/apps.ts')).reject(context, name)))
  app
    .command('revoke <name>')
    .description('take back what an app may do, and all that it reported')
    .action((name: string) => run(async (context) => (await import('../daemon/apps.ts')).revoke(context, name)))
}
