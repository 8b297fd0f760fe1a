/** `persona app ...`: commands about local apps. */
import type { Command } from 'commander'
import type { GrantOptions } from '../daemon/apps.ts'
import type { LinkOptions } from '../daemon/app-links.ts'
import type { PlacesOptions } from '../daemon/cards.ts'
import type { Runner } from './options.ts'

/** An option that is given again adds to its list. */
const listed = (more: string, before?: string): string => (before === undefined ? more : `${before},${more}`)

export function addApp(app: Command, run: Runner): void {
  const can = [
    '--can <list>',
    'allow any of read, observe, publish, channel, message, propose, separated by commas',
    listed,
  ] as const
  const asName = ['--as <name>', 'let it speak to the apps of others under this name, such as org.example.app'] as const
  const span = ['--for <time>', 'allow it for this long, such as 12h or 30d (default: until you revoke it)'] as const
  app
    .command('allow <name>')
    .description('allow a new app and show its token, this once')
    .option(...can)
    .option(...asName)
    .option(...span)
    .action((name: string, options: GrantOptions) =>
      run(async (context) => (await import('../daemon/apps.ts')).allow(context, name, options)),
    )
  app
    .command('list')
    .description('list the apps that have a token')
    .action(() => run(async (context) => (await import('../daemon/apps.ts')).list(context)))
  app
    .command('pending')
    .description('list the apps that ask for permission')
    .action(() => run(async (context) => (await import('../daemon/apps.ts')).pending(context)))
  app
    .command('accept <name>')
    .description('grant an app the part of its request that --can names')
    .option(...can)
    .option(...asName)
    .option(...span)
    .action((name: string, options: GrantOptions) =>
      run(async (context) => (await import('../daemon/apps.ts')).accept(context, name, options)),
    )
  app
    .command('reject <name>')
    .description('reject the request of an app')
    .action((name: string) => run(async (context) => (await import('../daemon/apps.ts')).reject(context, name)))
  app
    .command('revoke <name>')
    .description('revoke the token of an app and discard everything it reported')
    .action((name: string) => run(async (context) => (await import('../daemon/apps.ts')).revoke(context, name)))
  app
    .command('release <name>')
    .description('free the name of a revoked app, with its channels, for the app that you give it next')
    .action((name: string) => run(async (context) => (await import('../daemon/apps.ts')).release(context, name)))
  addLinks(app, run)
  app
    .command('cards')
    .description('list the cards by which apps of others know your devices')
    .action(() => run(async (context) => (await import('../daemon/cards.ts')).cards(context)))
  app
    .command('rejoin <app>')
    .description('put this device back into your card for an app')
    .action((name: string) => run(async (context) => (await import('../daemon/cards.ts')).rejoin(context, name)))
  app
    .command('inbox <app> [url...]')
    .description('name the relays where others leave messages for an app; without any, show them')
    .option('--none', 'let nobody leave messages for it')
    .action((name: string, urls: string[], options: PlacesOptions) =>
      run(async (context) =>
        (await import('../daemon/cards.ts')).places(context, 'inboxes', { app: name, urls }, options),
      ),
    )
  app
    .command('store <app> [url...]')
    .description('name the relays where your card and your messages for an app lie; without any, show them')
    .option('--none', 'let the card lie at no relay')
    .action((name: string, urls: string[], options: PlacesOptions) =>
      run(async (context) =>
        (await import('../daemon/cards.ts')).places(context, 'stores', { app: name, urls }, options),
      ),
    )
}

/** Contacts of one app are proposed in another. */
function addLinks(app: Command, run: Runner): void {
  app
    .command('link <app> [other]')
    .description(
      'link two apps of yours, or change the settings of the first one; without the other: list the apps to link',
    )
    .option('--invite', 'print an invite for an app on another device of yours')
    .option('--accept <invite>', 'use an invite that --invite printed on another device of yours')
    .option(
      '--provide <whom>',
      'the contacts that it provides to the other app: none, all, or names separated by commas',
      listed,
    )
    .option(
      '--receive <how>',
      'take contacts of the other app: no, ask (you are asked, default) or self (without asking)',
    )
    .option('--a-day <number>', 'with --receive self: how many a day at most (default: 20)')
    .action((name: string, other: string | undefined, options: LinkOptions) =>
      run(async (context) => (await import('../daemon/app-links.ts')).link(context, name, other, options)),
    )
  app
    .command('links')
    .description('list the links between your apps')
    .action(() => run(async (context) => (await import('../daemon/app-links.ts')).links(context)))
  app
    .command('unlink <app> <other>')
    .description('end a link between two apps of yours, or refuse one that an app asks for')
    .action((name: string, other: string) =>
      run(async (context) => (await import('../daemon/app-links.ts')).unlink(context, name, other)),
    )
}
