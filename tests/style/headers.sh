#!/bin/sh
# Every header compiles alone, and twice. Usage: headers.sh ROOT [CC]
set -u
cd "$1" || exit 1
cc=${2:-cc}
flags=$(pkg-config --cflags fuse3 libcrypto libzstd sqlite3 jansson)
status=0

for header in $(find crypto snapshot fs tools tests -name '*.h' | sort); do
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
	    # shellcheck disable=SC2086
	    $cc -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra \
	        -Werror -fsyntax-only -I. $flags -x c - || {
		echo "does not compile alone: $header"
		status=1
	}
done
exit $status
