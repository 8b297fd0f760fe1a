/** What people type for a key. */

export const MIN_PREFIX_DIGITS = 4 // sanity: fewer digits of a key are more likely a name
