/** The names under which apps of the owner speak to the apps of others, and what these apps may do now. */
import type { Capability } from '../../ipc/shapes/capabilities.ts'

export interface Speakers {
  /** Whether an app has the name, and a capability. The apps of the command line may do all. */
  mayAs(name: string, capability: Capability): boolean
  /** All names of apps that have it, in their order. */
  namesWith(capability: Capability): Promise<string[]>
}
