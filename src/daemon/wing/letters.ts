/** Invites that travel as messages (docs/messages.md, section 2). One wing carries them, and another one makes and uses them; neither knows the other. */
export interface Letter {
  readonly app: string
  /** PersonaID of the sender. */
  readonly persona: string
  /** The key `sig` of the device that sent it, in upper-case hex. */
  readonly device: string
  readonly invite: string
}

export interface Letters {
  /**
   * Sends an invite to a persona, for an app. It is on disk on return.
   * @returns false where it cannot go: there is no card of the persona for the app, or one side has no inbox
   */
  send: (app: string, persona: string, invite: string) => Promise<boolean>
  /** Takes an invite that has come. The same one may come again. */
  take: (letter: Letter) => Promise<void>
}

/** Letters before a wing carries or reads them. */
export function noLetters(): Letters {
  return { send: () => Promise.resolve(false), take: () => Promise.resolve() }
}
