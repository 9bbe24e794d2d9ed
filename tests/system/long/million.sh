#!/bin/sh
# A directory of a million entries. Some minutes, and 5 GB of disk.
exec "$(dirname "$0")/../many.sh" 1000000
