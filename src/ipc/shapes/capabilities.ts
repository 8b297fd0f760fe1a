/** The capabilities that the daemon has without any wing, in the order in which they are always shown. */
export const BASE_CAPABILITIES = ['read', 'observe', 'publish'] as const

/** A capability that an app can have; a permission of methods. The wings bring more, so the compiler does not know all names. */
export type Capability = string
