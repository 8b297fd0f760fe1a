/** A host and a port as one text. */

/** @param place host: a name or a numeric address, IPv6 without brackets @returns such as `relay.home:8787` or `[::1]:8787` */
export function formatHostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
