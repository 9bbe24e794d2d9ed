#!/bin/sh
# All sources are as clang-format 14 leaves them. Usage: format.sh ROOT
set -u
cd "$1" || exit 1
command -v clang-format >/dev/null || {
	echo 'clang-format is not installed'
	exit 77
}
find crypto snapshot fs tools tests -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run -Werror
