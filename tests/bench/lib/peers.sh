# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# How each tool does what is measured. Sourced by tools/bench.
#
#	NAME_there		whether it is installed
#	NAME_version		its name and version
#	NAME_command ACTION	the command in 'run'; fails where it has none:
#		init		an empty repository at $repository
#		backup		of $source
#		list		the snapshots
#		one TARGET	the file $one of the newest snapshot, to the
#				file TARGET (or the standard output)
#		restore TARGET	the newest snapshot, to the directory TARGET
#		check		that every byte is as it was
#		mount		at $mnt, in the foreground
#	NAME_newest		where the newest snapshot is in the mount
#	NAME_snapshots		where all are, the first one first
#
# 'varve_key' is varve with a key file in place of the passphrase, with the same
# repository.

# use TOOL SET: set the names up for a tool and one of the sources.
use() {
	tool=$1
	set=$2
	repository=$work/${1%_key}-$2
	source=$work/source/$2
	case $set in
	m) one=mix ;;
	k) one=${quick:+x86/configs/x86_64_defconfig} one=${one:-MAINTAINERS} ;;
	*) one=1 ;;
	esac
	export VARVE_STORE=$repository RESTIC_REPOSITORY=$repository \
	    BORG_REPO=$repository BUP_DIR=$repository
	export HOME=$repository.home
	export XDG_STATE_HOME=$HOME XDG_CACHE_HOME=$HOME/cache \
	    XDG_CONFIG_HOME=$HOME/config
	mkdir -p "$HOME"
	unset VARVE_KEY_FILE
	[ "$tool" != varve_key ] || export VARVE_KEY_FILE=$repository.key
}

# --- varve ------------------------------------------------------------------

varve_there() { [ -x "$varve" ]; }
varve_version() { "$varve" --version; }
varve_command() {
	case $1 in
	init) run=("$varve" init -q --recovery-key-file "$repository.rec") ;;
	backup) run=("$varve" backup -q d "$source") ;;
	list) run=("$varve" list d) ;;
	one) run=("$varve" restore -q "d@latest:$one" "$2") ;;
	restore) run=("$varve" restore -q d@latest "$2") ;;
	check) run=("$varve" check -q --read-data) ;;
	mount) run=("$varve" mount -q -f "$mnt") ;;
	*) return 1 ;;
	esac
}
varve_newest() { echo "$mnt/d/latest/"; }
varve_snapshots() { find "$mnt/d/" -mindepth 2 -maxdepth 2 -type d | sort; }

# One key file that may both back up and read.
varve_grant() {
	rm -f "$repository.key"
	"$varve" grant -q writer d --host h --key-file "$repository.key"
	"$varve" grant -q reader d --host h --key-file "$repository.key"
}

varve_key_there() { varve_there; }
varve_key_command() {
	[ "$1" != init ] && varve_command "$@"
}
varve_key_newest() { varve_newest; }
varve_key_snapshots() { varve_snapshots; }

# --- restic -----------------------------------------------------------------

restic_there() { [ -x "$restic" ]; }
restic_version() { "$restic" version | cut -d ' ' -f 1,2; }
restic_command() {
	case $1 in
	init) run=("$restic" init -q) ;;
	backup) run=("$restic" backup -q "$source") ;;
	list) run=("$restic" snapshots -q) ;;
	one) run=("$restic" dump -q latest "$source/$one") ;;
	restore) run=("$restic" restore -q "latest:$source" --target "$2") ;;
	check) run=("$restic" check -q --read-data) ;;
	mount) run=("$restic" mount -q "$mnt") ;;
	*) return 1 ;;
	esac
}
restic_newest() { echo "$mnt/snapshots/latest$source"; }
restic_snapshots() {
	find "$mnt/snapshots" -mindepth 1 -maxdepth 1 -type d |
	    sort | sed "s,\$,$source,"
}

# --- borg -------------------------------------------------------------------

borg_there() { command -v borg >/dev/null; }
borg_version() { borg --version; }
borg_last() { borg list --short --last 1; }
borg_command() {
	case $1 in
	init) run=(borg init -e repokey-blake2) ;;
	backup) run=(borg create -C "zstd,3" "::at-$(date +%s.%N)" "$source") ;;
	list) run=(borg list) ;;
	one) run=(borg extract --stdout "::$(borg_last)" \
	    "${source#/}/$one") ;;
	restore)
		mkdir -p "$2"
		run=(env -C "$2" borg extract --strip-components \
		    "$(tr -cd / <<<"$source" | wc -c)" "::$(borg_last)")
		;;
	check) run=(borg check --verify-data) ;;
	mount) run=(borg mount -f "$repository" "$mnt") ;;
	*) return 1 ;;
	esac
}
borg_newest() {
	find "$mnt" -mindepth 1 -maxdepth 1 | sort | tail -n 1 |
	    sed "s,\$,$source,"
}
borg_snapshots() {
	find "$mnt" -mindepth 1 -maxdepth 1 | sort | sed "s,\$,$source,"
}

# --- bup --------------------------------------------------------------------

bup_there() { command -v bup >/dev/null; }
bup_version() { echo "bup $(bup version)"; }
bup_command() {
	case $1 in
	init) run=(bup init) ;;
	backup) run=(sh -c 'bup index "$1" && bup save -q -n d "$1"' - \
	    "$source") ;;
	list) run=(bup ls d) ;;
	one) run=(bup cat-file "d/latest$source/$one") ;;
	restore) run=(bup restore -q -C "$2" "/d/latest$source/.") ;;
	*) return 1 ;;
	esac
}

# --- squashfs: one image, not encrypted, no second snapshot ------------------

squashfs_there() {
	command -v mksquashfs >/dev/null && command -v squashfuse_ll >/dev/null
}
squashfs_version() {
	mksquashfs -version | sed -n '1s/^mksquashfs version \([^ ]*\).*/squashfs-tools \1/p'
}
squashfs_command() {
	case $1 in
	init) run=(true) ;;
	backup) run=(mksquashfs "$source" "$repository" -comp zstd
	    -no-progress -quiet -noappend) ;;
	one) run=(unsquashfs -cat "$repository" "$one") ;;
	restore) run=(unsquashfs -q -n -d "$2" "$repository") ;;
	mount) run=(squashfuse_ll -f "$repository" "$mnt") ;;
	*) return 1 ;;
	esac
}
squashfs_newest() { echo "$mnt"; }
squashfs_snapshots() { echo "$mnt"; }
