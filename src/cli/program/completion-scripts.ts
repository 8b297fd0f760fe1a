/** The completion scripts of three shells, made from the tree of commands. They never run or expand the words on the line: names arrive as plain lines. */
import { allNodes, type CommandNode, type OptionNode, type Values } from './command-tree.ts'

/** For bash 4 and later: `source <(persona completion bash)`. */
export function bashScript(root: CommandNode): string {
  return `# Completion of persona in bash. In ~/.bashrc: source <(persona completion bash)
${tables(root)}
_persona() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at= takes= home= ended= seen=0 word kind i
  local commands options valued args
  _persona_at ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # Readline splits --option=value into three words.
    [[ $word == '=' ]] && continue
${walk('for kind in $valued')}
  done
  [[ $cur == '=' ]] && cur=
  kind=$takes
  COMPREPLY=()
  if [[ -z $kind && -z $ended && $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
    return
  fi
  if [[ -z $kind && -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
    return
  fi
  if [[ -z $kind ]]; then
    args=($args)
    kind=\${args[seen]}
    ((\${#args[@]} > 0 && seen >= \${#args[@]})) && [[ \${args[-1]} == *... ]] && kind=\${args[-1]}
    kind=\${kind%...}
  fi
  case $kind in
  files | home) compopt -o default ;;
  contacts | devices | apps | channels)
    while IFS= read -r word; do
      printf -v word %q "$word"
      [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done < <(command persona \${home:+--home "$home"} completion names "$kind" -- "\${cur//\\\\/}" 2>/dev/null)
    ;;
  *'|'*) COMPREPLY=($(compgen -W "\${kind//|/ }" -- "$cur")) ;;
  esac
}
complete -F _persona persona
`
}

/** For zsh, after compinit: `source <(persona completion zsh)`. */
export function zshScript(root: CommandNode): string {
  return `#compdef persona
# Completion of persona in zsh. In ~/.zshrc, after compinit: source <(persona completion zsh)
${tables(root)}
_persona() {
  local cur=\${words[CURRENT]} at= takes= home= ended= seen=0 word kind i
  local commands options valued args
  local -a list
  _persona_at ''
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
${walk('for kind in ${=valued}')}
  done
  kind=$takes
  if [[ -z $kind && -z $ended && $cur == --*=* ]]; then
    for word in \${=valued}; do [[ $word == "\${cur%%=*}="* ]] && kind=\${word#*=}; done
    compset -P 1 '*='
  elif [[ -z $kind && -z $ended && $cur == -* ]]; then
    compadd -- \${=options}
    return
  elif [[ -z $kind && -n $commands ]]; then
    compadd -- \${=commands}
    return
  elif [[ -z $kind ]]; then
    list=(\${=args})
    kind=\${list[seen + 1]}
    [[ -z $kind && \${list[-1]} == *... ]] && kind=\${list[-1]}
    kind=\${kind%...}
  fi
  case $kind in
  files | home) _files ;;
  contacts | devices | apps | channels)
    list=("\${(@f)$(command persona \${home:+--home} \${home:+"$home"} completion names "$kind" -- "\${(Q)PREFIX}" 2>/dev/null)}")
    compadd -- \${list:#}
    ;;
  *'|'*) compadd -- \${(s:|:)kind} ;;
  esac
}
compdef _persona persona
`
}

/** Follows the words before the cursor. bash and zsh differ only in how they split a list. */
function walk(eachValued: string): string {
  return `    if [[ -n $takes ]]; then
      [[ $takes == home ]] && home=$word
      takes=
    elif [[ -n $ended ]]; then
      seen=$((seen + 1))
    elif [[ $word == -- ]]; then
      ended=1
    elif [[ $word == -* ]]; then
      ${eachValued}; do [[ $kind == "$word="* ]] && takes=\${kind#*=}; done
    elif [[ " $commands " == *" $word "* ]]; then
      at="\${at:+$at }$word"
      _persona_at "$at"
    else
      seen=$((seen + 1))
    fi`
}

/** One table for bash and zsh: the words that may follow each command. All of it is our own text, so quoting is safe. */
function tables(root: CommandNode): string {
  const rows = allNodes(root).map((node) => {
    const options = node === root ? node.options : [...node.options, ...root.options]
    const valued = options.flatMap(({ names, takes }) =>
      takes === null ? [] : names.map((name) => `${name}=${kindOf(takes)}`),
    )
    const args = node.args.map(({ takes, isVariadic }) => kindOf(takes) + (isVariadic ? '...' : ''))
    const commands = node.commands.map(({ words }) => words.at(-1))
    return `  '${node.words.join(' ')}')
    commands='${commands.join(' ')}'
    options='${options.flatMap(({ names }) => names).join(' ')} --help'
    valued='${valued.join(' ')}'
    args='${args.join(' ')}' ;;`
  })
  return `_persona_at() {
  case $1 in
${rows.join('\n')}
  esac
}`
}

function kindOf(takes: Values): string {
  return typeof takes === 'string' ? takes : takes.join('|')
}

/** For fish: `persona completion fish | source`. */
export function fishScript(root: CommandNode): string {
  const valued = new Set(
    allNodes(root).flatMap(({ options }) =>
      options.filter(({ takes }) => takes !== null).flatMap(({ names }) => names),
    ),
  )
  const paths = allNodes(root).filter(({ commands }) => commands.length > 0)
  const lines = allNodes(root).flatMap((node) => fishLines(node, node === root))
  return `# Completion of persona in fish. In ~/.config/fish/config.fish: persona completion fish | source
function __persona_words --description 'the command on the line, then the number of arguments after it'
    set -l at
    set -l seen 0
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
        else if string match -q -- '-*' $word
            contains -- $word ${[...valued].join(' ')}; and set skip yes
        else if contains -- "$at" ${paths.map(({ words }) => `'${words.join(' ')}'`).join(' ')}
            set at (string trim -- "$at $word")
        else
            set seen (math $seen + 1)
        end
    end
    echo $at
    echo $seen
end
function __persona_is --description 'test for this command with exactly, or at least, this many arguments'
    set -l words (__persona_words)
    test "$words[1]" = "$argv[1]"; or return 1
    test (count $argv) -eq 1; and return 0
    test "$argv[3]" = more; and test $words[2] -ge $argv[2]; and return 0
    test $words[2] -eq $argv[2]
end
function __persona_names
    set -l words (commandline -opc)
    set -l home
    for i in (seq 2 (count $words))
        test "$words[$i]" = --home; and set home --home $words[(math $i + 1)]
    end
    command persona $home completion names $argv[1] -- (commandline -ct | string unescape) 2>/dev/null
end
complete -c persona -f
${lines.join('\n')}
`
}

function fishLines(node: CommandNode, isRoot: boolean): string[] {
  const path = quoteFish(node.words.join(' '))
  const is = (more: string): string => `complete -c persona -n ${quoteFish(`__persona_is ${path}${more}`)}`
  const commands = node.commands.map(
    ({ words, description }) => `${is(' 0')} -a ${words.at(-1)} -d ${quoteFish(description)}`,
  )
  const args = node.args.map(
    ({ takes, isVariadic }, i) => `${is(` ${i}${isVariadic ? ' more' : ''}`)} ${fishValues(takes)}`,
  )
  const options = node.options.map((option) => `${isRoot ? 'complete -c persona' : is('')} ${fishOption(option)}`)
  return [...commands, ...args.filter((line) => !line.endsWith(' ')), ...options]
}

function fishOption({ names, takes, description }: OptionNode): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ')
  return `${flags}${takes === null ? '' : ` -r ${fishValues(takes)}`.trimEnd()} -d ${quoteFish(description)}`
}

function fishValues(takes: Values): string {
  if (takes === 'files' || takes === 'home') return '-F'
  if (takes === 'text') return ''
  return typeof takes === 'string' ? `-a '(__persona_names ${takes})'` : `-a '${takes.join(' ')}'`
}

function quoteFish(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
