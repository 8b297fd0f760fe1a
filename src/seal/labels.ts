/**
 * The purposes for which something is sealed. A purpose is part of the key schedule, so a seal for one never opens as another: a message
 * that is handed to its reader as a question stays closed.
 */
import {
  LABEL_CHANNEL_EXPORT,
  LABEL_CHANNEL_M1,
  LABEL_CHANNEL_M2,
  LABEL_CHANNEL_USED,
  LABEL_MESSAGE_ENTRY,
  LABEL_MESSAGE_OBJECT,
  LABEL_RELAY_QUESTION,
} from '../core/labels.ts'

export type SealLabel =
  | 'relay-question'
  | 'channel-m1'
  | 'channel-m2'
  | 'channel-used'
  | 'channel-export'
  | 'message-object'
  | 'message-entry'

/** The registry: whoever seals for a new purpose adds it here, and its bytes to core/labels.ts. */
export const SEAL_LABELS: Readonly<Record<SealLabel, Uint8Array>> = {
  'relay-question': LABEL_RELAY_QUESTION,
  'channel-m1': LABEL_CHANNEL_M1,
  'channel-m2': LABEL_CHANNEL_M2,
  'channel-used': LABEL_CHANNEL_USED,
  'channel-export': LABEL_CHANNEL_EXPORT,
  'message-object': LABEL_MESSAGE_OBJECT,
  'message-entry': LABEL_MESSAGE_ENTRY,
}

/** The bytes of a label: `personad/v1/...` and a zero. */
export function labelBytes(label: SealLabel): Uint8Array {
  return SEAL_LABELS[label]
}
