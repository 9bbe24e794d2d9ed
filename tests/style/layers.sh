#!/bin/sh
# The layers of the house: includes point down only, and each library is used
# in the one folder that is its home. Usage: layers.sh ROOT
set -u
cd "$1" || exit 1
status=0

bad() {
	echo "$1"
	status=1
}

# forbid FOLDER PATTERN WHY: no file below FOLDER includes what PATTERN matches.
forbid() {
	hits=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" \
	    --include='*.c' --include='*.h' "$1" 2>/dev/null)
	[ -z "$hits" ] || bad "$3:
$hits"
}

forbid crypto 'snapshot/|fs/|tools/|tests/' 'crypto/ looks up'
forbid snapshot 'fs/|tools/|tests/' 'snapshot/ looks up'
forbid fs 'tools/|tests/' 'fs/ looks up'
forbid tools 'tests/' 'tools/ looks at the tests'

# Inside snapshot/: each folder sees itself and those before it.
order='store content tree diff find state access log expire site backup restore check prune replicate'
below=
for folder in $order; do
	above=
	for other in $order; do
		case " $below $folder " in
		*" $other "*) ;;
		*) above="$above|snapshot/$other/" ;;
		esac
	done
	below="$below $folder"
	[ -z "$above" ] || forbid "snapshot/$folder" "${above#|}" \
	    "snapshot/$folder/ looks up"
done
for folder in snapshot/*/; do
	case " $order " in
	*" $(basename "$folder") "*) ;;
	*) bad "$folder has no place in the order of layers" ;;
	esac
done

# only HOME PATTERN: the header belongs to one folder.
only() {
	for folder in crypto snapshot/* fs tools; do
		[ "$folder" = "$1" ] || [ ! -d "$folder" ] ||
		    forbid "$folder" "$2" "$2 outside $1/"
	done
}

only crypto 'openssl/'
only snapshot/state 'sqlite3'
only snapshot/content 'zstd'
only fs 'fuse'
only tools 'jansson'

# The top level holds what the README names, and nothing else.
for entry in *; do
	case $entry in
	README.md | meson.build | crypto | snapshot | fs | tools | tests) ;;
	build | build-*) ;;
	*) bad "unexpected at the top level: $entry" ;;
	esac
done

exit $status
