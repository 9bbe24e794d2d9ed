# Shared by make and check.sh.
export VARVE_PASSPHRASE='the layers of a lake'
unset VARVE_PERSON VARVE_KEY_FILE VARVE_PASSPHRASE_FILE VARVE_PASSPHRASE_COMMAND
export TZ=UTC LC_ALL=C

# describe DIR: everything that a backup keeps of a tree, a line each.
describe() {
	(
		cd "$1"
		find . -mindepth 1 -printf '%P\0' | sort -z |
		while IFS= read -r -d '' path; do
			printf '%q ' "$path"
			stat -c '%F %a %u %g %Y' -- "$path" | tr '\n' ' '
			[ -d "$path" ] || stat -c 'links=%h size=%s' -- "$path" |
			    tr '\n' ' '
			if [ -L "$path" ]; then
				readlink -- "$path"
			elif [ -f "$path" ]; then
				sha256sum <"$path" | cut -c 1-64 | tr '\n' ' '
				getfattr --absolute-names -d -m - -e hex -- "$path" |
				    grep -v '^#' | sha256sum | cut -c 1-16
			else
				stat -c 'device=%t:%T' -- "$path"
			fi
		done
	)
}
