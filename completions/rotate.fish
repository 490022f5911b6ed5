# fish completion for rotate (fish 3.1 and newer)
# It knows no command, but asks rotate; fish compares the answers in its own way.

function __rotate_complete
    set -l before (commandline -opc)
    set -l program (string replace -r -- '^~/' "$HOME/" $before[1])
    set -e before[1]
    set -l current (commandline -ct)
    for line in ($program __complete --loose -- $before "$current" 2>/dev/null)
        if test "$line" != :files
            printf '%s\n' $line
            continue
        end
        set -l flag (string match -r -- '^--[^=]+=' "$current")
        for path in (__fish_complete_path (string replace -r -- '^--[^=]+=' '' "$current"))
            printf '%s%s\n' "$flag" $path
        end
    end
end

complete -c rotate -e
# -k: in the order in which they come.
complete -c rotate -f -k -a '(__rotate_complete)'
