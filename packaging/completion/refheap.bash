# Completion of refheap for bash. The program itself says what could come next ("refheap complete"), so that nothing here
# can grow old. Needs no other completion package.

# A word as the program would get it: without its quotes. Nothing is expanded but a leading ~/.
__refheap_unquoted() {
    local from=$1 to= c quote=
    [[ $from == \~/* ]] && to=$HOME/ from=${from#\~/}
    while [[ $from ]]; do
        c=${from:0:1} from=${from:1}
        if [[ $c == \\ && $quote != \' ]]; then
            to+=${from:0:1} from=${from:1}
        elif [[ $c == "$quote" ]]; then
            quote=
        elif [[ ! $quote && $c == [\"\'] ]]; then
            quote=$c
        else
            to+=$c
        fi
    done
    __refheap_word=$to __refheap_quote=$quote
}

# Bash takes words apart at the characters of COMP_WORDBREAKS, ':' and '=' among them; they belong together here.
__refheap_line() {
    local rest=${COMP_LINE:0:COMP_POINT} trimmed i
    __refheap_words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        trimmed=${rest#"${rest%%[![:blank:]]*}"}
        if [[ $i == 0 || $trimmed != "$rest" ]]; then
            __refheap_words+=("")
        fi
        if ((i == COMP_CWORD)); then
            __refheap_words[${#__refheap_words[@]} - 1]+=$trimmed
        else
            __refheap_words[${#__refheap_words[@]} - 1]+=${COMP_WORDS[i]}
            rest=${trimmed#"${COMP_WORDS[i]}"}
        fi
    done
}

__refheap_files() { # PATTERN WORD
    local file
    compopt -o filenames
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -d -- "$2"; compgen -f -X "!$1" -- "$2" | while IFS= read -r file; do
        [[ -d ${file/#\~\//$HOME/} ]] || printf '%s\n' "$file"
    done)
}

_refheap() {
    local __refheap_word __refheap_quote what word about raw before= breaks= current quote parts=0
    local -a __refheap_words arguments=()
    __refheap_line
    raw=${__refheap_words[${#__refheap_words[@]} - 1]}
    for word in "${__refheap_words[@]:1}"; do
        __refheap_unquoted "$word"
        arguments+=("$__refheap_word")
    done
    __refheap_unquoted "$raw"
    # Bash replaces what stands behind the last break, or behind the quote that is open.
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+==
    if [[ $__refheap_quote ]]; then
        before=${raw%%[\"\']*}
    elif [[ $breaks && $raw == *[$breaks]* ]]; then
        before=${raw%"${raw##*[$breaks]}"}
    fi
    current=$__refheap_word quote=$__refheap_quote
    __refheap_unquoted "$before"
    before=$__refheap_word
    COMPREPLY=()
    # The program that the line names: who types its path is about to run it.
    while IFS=$'\t' read -r what word about; do
        case $what in
        file)
            __refheap_files "$word" "${current#"$about"}"
            ;;
        folder)
            compopt -o filenames
            while IFS= read -r word; do
                COMPREPLY+=("$word")
            done < <(compgen -d -- "${current#"$about"}")
            ;;
        part | word)
            [[ $what == part ]] && ((parts++))
            word=${word#"$before"}
            if [[ $quote == \' ]]; then
                [[ $word == *\'* ]] || COMPREPLY+=("$word")
            elif [[ $quote == \" ]]; then
                [[ $word == *[\"\\\$\`!]* ]] || COMPREPLY+=("$word")
            else
                printf -v word %q "$word"
                COMPREPLY+=("$word")
            fi
            ;;
        esac
    done < <("${COMP_WORDS[0]/#\~\//$HOME/}" complete "${arguments[@]}" 2>/dev/null)
    if ((parts && ${#COMPREPLY[@]} == 1)); then
        compopt -o nospace
    fi
}

complete -F _refheap refheap
