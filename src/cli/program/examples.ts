/** The examples in the help of a command, by its name; the program's own stand under the empty name. */
export const EXAMPLES: Readonly<Partial<Record<string, readonly string[]>>> = {
  '': [
    'persona init --device laptop --tox-profile laptop.tox',
    'persona publish                       # show your table to your friends',
    'persona tox scan bob.tox              # read what your friends show',
    'persona lookup Bob',
    'persona device remove phone --lost    # the phone was stolen',
  ],
  init: ['persona init --device laptop --tox-profile laptop.tox', 'persona init --passphrase'],
  device: [
    'persona device add phone --tox-profile phone.tox',
    'persona device activate phone         # friends should write to the phone',
    'persona device remove phone --lost    # it was stolen: rotate the key too',
  ],
  pair: ['persona pair --listen 192.0.2.7:4455  # if the other does not find this device', 'persona pair --cancel'],
  join: ['persona join TWELVE WORDS --device phone --tox-profile phone.tox', 'persona join --file /media/stick/pair'],
  recovery: ['persona recovery show', 'persona recovery confirm'],
  rotate: [
    'persona rotate --dry-run              # look at the table first',
    'persona rotate --since 2026-01-31',
    'persona rotate --follow               # another device rotated',
  ],
  succeed: [
    'persona succeed --dry-run             # look at the table of the new persona',
    'persona succeed                       # your contacts follow by themselves',
  ],
  recover: ['persona recover --from bob.tox --keep phone'],
  announce: ['persona announce on', 'persona announce                      # put it now, and count the nodes'],
  contact: [
    'persona contact add LINK --name Bob',
    'persona contact verify Bob',
    'persona contact policy Bob ask        # ask before a newer table counts',
  ],
  accept: ['persona pending', 'persona accept Bob'],
  chat: [
    'persona chat invite Bob               # send the line to Bob',
    'persona chat accept INVITE --name Alice',
    'persona chat Bob',
  ],
  channel: [
    'persona channel invite Bob --wait     # send the line to Bob',
    'persona channel accept INVITE --name Alice',
    'persona channel send Bob "Hello"',
    'persona channel read Bob --follow',
  ],
  message: [
    'persona message open                  # your contacts can write to you',
    'echo "Dinner at eight?" | persona message send Bob',
    'persona message send Bob photo.jpg --wait',
    'persona message read --follow --ack',
  ],
  relay: ['persona relay add https://relay.example', 'persona relay add https://relay.example --token-file token'],
  tox: [
    'persona tox rekey laptop.tox phone.tox --device phone',
    'persona publish',
    'persona tox follow bob.tox            # befriend the other devices of contacts',
  ],
  app: ['persona app allow bot --can read,observe --for 30d', 'persona app revoke bot'],
  store: ['persona store salvage ~/salvaged      # the damaged store stays as it is'],
  service: ['persona service install', 'journalctl --user -u personad'],
  completion: ['source <(persona completion bash)     # in ~/.bashrc'],
}
