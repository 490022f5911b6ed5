# bash completion for rotate (bash 3.2 and newer), with or without the bash-completion package.
# It knows no command, but asks rotate.
#
# Readline splits words at the characters of COMP_WORDBREAKS, of which = and : may be part of a word of
# ours, and replaces only what stands behind the last of them. So words are put together again first, as
# they stand in the line, and the part that readline keeps is taken off the candidates at the end.

# The words of the line up to the cursor, the last one up to the cursor, in _rotate_words.
_rotate_read_words() {
  local i word gap rest
  _rotate_words=()
  if [[ -z ${COMP_LINE-} ]]; then
    for ((i = 0; i <= COMP_CWORD; i++)); do
      word=${COMP_WORDS[i]-}
      if ((i > 1)) && [[ $word =~ ^[=:]+$ || ${COMP_WORDS[i - 1]} =~ ^[=:]+$ ]]; then
        _rotate_words[${#_rotate_words[@]} - 1]+=$word
      else
        _rotate_words+=("$word")
      fi
    done
    return
  fi
  rest=${COMP_LINE:0:${COMP_POINT-${#COMP_LINE}}}
  for ((i = 0; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    gap=${rest%%"$word"*}
    rest=${rest#*"$word"}
    if [[ -z $gap ]] && ((i > 0)); then
      _rotate_words[${#_rotate_words[@]} - 1]+=$word
    else
      _rotate_words+=("$word")
    fi
  done
  if [[ $rest == [[:space:]]* ]] || ((COMP_CWORD == 0)); then
    _rotate_words+=("${rest#"${rest%%[![:space:]]*}"}")
  else
    _rotate_words[${#_rotate_words[@]} - 1]+=$rest
  fi
}

# The text of the word $1, without quotes, in _rotate_word. Nothing is evaluated.
_rotate_unquote() {
  _rotate_word=$1
  case $_rotate_word in
    \"* | \'*)
      _rotate_word=${_rotate_word#?}
      _rotate_word=${_rotate_word%["\"'"]}
      ;;
    *) _rotate_word=${_rotate_word//\\/} ;;
  esac
}

# Candidates with their descriptions, for a list that is only looked at.
_rotate_describe() {
  local i line width=0
  for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do
    ((${#COMPREPLY[i]} > width)) && width=${#COMPREPLY[i]}
  done
  for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do
    [[ -n ${descriptions[i]} ]] || continue
    printf -v line '%-*s  (%s)' "$width" "${COMPREPLY[i]}" "${descriptions[i]}"
    COMPREPLY[i]=${line:0:${COLUMNS:-80} - 1}
  done
}

_rotate() {
  local program current kept='' quote='' breaks answer line value flag tab=$'\t' i
  local -a _rotate_words before descriptions
  local _rotate_word
  COMPREPLY=()
  _rotate_read_words
  program=${_rotate_words[0]}
  [[ $program == '~/'* ]] && program=$HOME/${program#'~/'}
  before=()
  for ((i = 1; i < ${#_rotate_words[@]} - 1; i++)); do
    _rotate_unquote "${_rotate_words[i]}"
    before+=("$_rotate_word")
  done
  current=${_rotate_words[${#_rotate_words[@]} - 1]}
  [[ $current == [\"\']* ]] && quote=${current:0:1}
  _rotate_unquote "$current"
  current=$_rotate_word
  # What readline takes for the word begins behind these; in quotes nothing is split.
  breaks=${COMP_WORDBREAKS//[!=:]/}
  if [[ -z $quote && -n $breaks ]]; then
    kept=${current%"${current##*[$breaks]}"}
  fi

  answer=$("$program" __complete -- ${before[@]+"${before[@]}"} "$current" 2> /dev/null)
  if [[ $answer == :files ]]; then
    flag=''
    [[ $current == --*=* ]] && flag=${current%%=*}=
    # Readline's own way with files, where it can be asked for and takes the file for a word.
    [[ -z $flag || -n $kept ]] && compopt -o default 2> /dev/null && return
    while IFS= read -r line; do
      [[ -n $line ]] || continue
      printf -v value %q "$line"
      value=$flag$value
      COMPREPLY+=("${value#"$kept"}")
    done <<< "$(compgen -f -- "${current#"$flag"}")"
    return
  fi
  while IFS= read -r line; do
    value=${line%%"$tab"*}
    [[ -n $value ]] || continue
    value=${value#"$kept"}
    if [[ -z $quote ]]; then
      printf -v value %q "$value"
    elif [[ $value == *[\"\'\\\`\$!]* ]]; then
      continue
    fi
    COMPREPLY+=("$value")
    case $line in
      *"$tab"*) descriptions+=("${line#*"$tab"}") ;;
      *) descriptions+=('') ;;
    esac
  done <<< "$answer"
  # 63 is `?`: a list is shown, and nothing is put into the line.
  if [[ ${COMP_TYPE-} == 63 ]] && ((${#COMPREPLY[@]} > 1)); then
    _rotate_describe
  fi
}

# In the order in which they come, where bash can do that.
complete -o nosort -F _rotate rotate 2> /dev/null || complete -F _rotate rotate
