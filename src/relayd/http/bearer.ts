/** The header Authorization. */

/** The token of `Authorization: Bearer TOKEN`. @returns null without one; an empty text for a header of another form */
export function bearerOf(header: string | undefined): string | null {
  if (header === undefined) return null
  return /^Bearer +([\w.~+/=-]+)$/i.exec(header)?.[1] ?? ''
}
