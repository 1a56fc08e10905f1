# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of sendcp's command line in fish.

# Succeeds if the command is one of those named; without a name, if there is none yet.
function __sendcp_command
    set -l words (commandline -opc)
    if test (count $argv) -eq 0
        test (count $words) -eq 1
    else
        contains -- "$words[2]" $argv
    end
end

# In an unmounted filesystem there are no paths to be looked up.
function __sendcp_subvolumes
    if string match -q -- '-*' (commandline -ct)
        return
    else if string match -q -- '--device*' (commandline -opc)
        printf '%s\n' id: uuid:
    else
        __fish_complete_directories (commandline -ct)
    end
end

function __sendcp_sidecars
    __fish_complete_suffix .cp
end

complete -c sendcp -f

complete -c sendcp -n __sendcp_command -a send -d 'Write the send stream of snapshots'
complete -c sendcp -n __sendcp_command -a resume -d 'Resume an interrupted stream'
complete -c sendcp -n __sendcp_command -a list -d 'List what was interrupted'
complete -c sendcp -n __sendcp_command -a show -d 'Show the progress that a checkpoint file records'
complete -c sendcp -n __sendcp_command -a verify -d 'Check whether a stream is complete and correct'
complete -c sendcp -n __sendcp_command -a dump -d 'Print the commands of a stream'
complete -c sendcp -n __sendcp_command -a cat -d 'Write the plain stream from a container'
complete -c sendcp -n __sendcp_command -a info -d 'Show the backends that can be used here'
complete -c sendcp -n __sendcp_command -a help -d 'Show the options of a command'
complete -c sendcp -n __sendcp_command -a version -d 'Print the version'
complete -c sendcp -n __sendcp_command -l version -d 'Print the version'
complete -c sendcp -n '__sendcp_command help' -a 'send resume list show verify dump cat info help version'

set -l on_send -n '__sendcp_command send'
complete -c sendcp $on_send -s f -l output -r -F -d 'Write to a file'
complete -c sendcp $on_send -l no-data -d 'Send where data changed, not the data'
complete -c sendcp $on_send -l proto -x -a '0 1 2' -d 'Stream protocol'
complete -c sendcp $on_send -l compressed-data -d 'Send compressed extents as they are'
complete -c sendcp $on_send -l on-data-error -x -a 'fail zero skip' -d 'Contents that cannot be read'
complete -c sendcp $on_send -l checkpoint -r -F -d 'Keep the checkpoint file as this file'
complete -c sendcp $on_send -l checkpoint-interval -x -a '1M 4M 16M 64M 256M 1G' -d 'Bytes between checkpoints'
complete -c sendcp $on_send -l compress -f -a (string join ' ' (seq 22)) -d 'Compress with zstd'
complete -c sendcp $on_send -l archive -f -a 'tar cpio' -d 'Make an archive'
complete -c sendcp $on_send -l step -d 'Resume from a checkpoint after every command'
complete -c sendcp $on_send -l dry-run -d 'Print the size of the stream'
complete -c sendcp $on_send -l continue -d 'Leave a complete stream of the same request'
complete -c sendcp $on_send -l no-checkpoint -d 'Keep no checkpoint file'
complete -c sendcp $on_send -l restart -d 'Discard what an interrupted send left'

set -l on_resume -n '__sendcp_command resume'
complete -c sendcp $on_resume -s f -l output -r -F -d 'Resume in a file'
complete -c sendcp $on_resume -l at -x -d 'Number of bytes that the receiver has'
complete -c sendcp $on_resume -l have -x -d 'Position that verify --position printed at the receiver'
complete -c sendcp $on_resume -l restart -d 'Start over at byte 0'
complete -c sendcp $on_resume -l no-data -d 'The file has no data'
complete -c sendcp $on_resume -l compressed-data -d 'The file has compressed extents as they are'
complete -c sendcp $on_resume -l on-data-error -x -a 'fail zero skip' -d 'The file has replaced contents'
complete -c sendcp $on_resume -l append -r -F -d 'Resume after the proven part of a file'

set -l on_stream -n '__sendcp_command send resume'
complete -c sendcp $on_stream -a '(__sendcp_subvolumes)'
complete -c sendcp $on_stream -s p -l parent -x -a '(__fish_complete_directories)' -d 'Send the changes since'
complete -c sendcp $on_stream -s c -l clone-src -x -a '(__fish_complete_directories)' -d 'Let extents be cloned from'
complete -c sendcp $on_stream -s e -d 'One stream header and one END for all'
complete -c sendcp $on_stream -l device -r -F -d 'Read an unmounted device or image'
complete -c sendcp $on_stream -l ignore-log -d 'Without the data in the filesystem\'s log'
complete -c sendcp $on_stream -l backend -x -a 'auto module direct' -d 'Backend that makes the stream'
complete -c sendcp $on_stream -l to-command -x -d 'Write to the standard input of this command'
complete -c sendcp $on_stream -l position-command -x -d 'Command that prints what the receiver has'
complete -c sendcp $on_stream -l retry -x -a '30s 10m 2h 1d' -d 'Time without progress, after an interruption'
complete -c sendcp $on_stream -l buffer-size -x -a '1M 4M 16M' -d 'Size of a buffer'
complete -c sendcp $on_stream -l buffers -x -a '2 4 8 16' -d 'Number of buffers between reading and writing'
complete -c sendcp $on_stream -s v -l verbose -d 'Print more'

complete -c sendcp -n '__sendcp_command send resume verify dump cat' -l progress -f -a 'auto always never json' -d 'Show progress'
complete -c sendcp -n '__sendcp_command send resume verify' -l title -d 'Show progress in the process title, too'
complete -c sendcp -n '__sendcp_command send resume verify' -s q -l quiet -d 'Print errors only'
complete -c sendcp -n '__sendcp_command resume verify' -l checkpoint -x -a '(__sendcp_sidecars)' -d 'The checkpoint file'
complete -c sendcp -n '__sendcp_command send resume cat' -l bwlimit -x -a '1M 10M 100M' -d 'Bytes per second at most'
complete -c sendcp -n '__sendcp_command show list verify dump info' -l json -d 'Print JSON'
complete -c sendcp -n '__sendcp_command show' -a '(__sendcp_sidecars)'
complete -c sendcp -n '__sendcp_command verify' -l position -d 'Print up to where it is correct'
complete -c sendcp -n '__sendcp_command verify dump cat' -F
complete -c sendcp -n 'not __sendcp_command help' -s h -l help -d 'Print help'
