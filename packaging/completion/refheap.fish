# Completion of refheap for fish. The program itself says what could come next ("refheap complete"), so that nothing here
# can grow old.

function __refheap_complete
    # The words as the program would get them. Who types its path is about to run it.
    set -l words (commandline --cut-at-cursor --tokenize --current-process | string replace -r '^~/' "$HOME/")
    set -l current (string unescape -- (commandline --current-token --cut-at-cursor))
    test (count $current) -gt 0; or set current (commandline --current-token --cut-at-cursor | string replace -r '^["\']' '')
    set -l tilde (string match -q -r -- '(^|=)~/' (commandline --current-token); and echo 1; or echo 0)
    set current (string replace -r -- '(^|=)~/' '$1'"$HOME/" $current)
    for line in ($words[1] complete $words[2..-1] "$current" 2>/dev/null)
        set -l fields (string split \t -- $line)
        switch $fields[1]
            case word part
                printf '%s\t%s\n' $fields[2] "$fields[3]"
            case file folder
                set -l typed (string sub -s (math 1 + (string length -- "$fields[3]")) -- "$current")
                for file in $typed*
                    if test -d $file
                        set file $file/
                    else if test $fields[1] = folder; or not string match -q -- $fields[2] $file
                        continue
                    end
                    test $tilde = 1; and set file (string replace -- "$HOME/" '~/' $file)
                    printf '%s%s\n' "$fields[3]" $file
                end
        end
    end
end

complete -c refheap -f -a '(__refheap_complete)'
