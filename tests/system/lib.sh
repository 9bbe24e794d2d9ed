# What every system test starts with: sourced, as '. "$(dirname "$0")/lib.sh"'.
#
#	T		a directory of this test's own; all in it goes when it ends,
#			mounts and processes first
#	varve ...	the program under test ($VARVE)
#	$BIN/...	the helpers built beside it
#
# A test fails by its first command that fails, or by fail(). What a test needs
# of the system must be there: only where there is no /dev/fuse is it skipped.
set -eu
umask 022
LC_ALL=C.UTF-8 TZ=UTC
export LC_ALL TZ

: "${VARVE:?is the varve program to test}" "${BIN:?is where the helpers are}"
here=$(cd "$(dirname "$0")" && pwd)
[ -e /dev/fuse ] || {
	echo 'no /dev/fuse here'
	exit 77
}
[ "$(id -u)" = 0 ] || {
	echo 'the system tests run as root'
	exit 1
}

T=$(mktemp -d "${TMPDIR:-/tmp}/varve-system.XXXXXX")
chmod 755 "$T"
VARVE_STORE=$T/store
VARVE_PASSPHRASE='correct horse'
XDG_STATE_HOME=$T/state
HOME=$T
export VARVE_STORE VARVE_PASSPHRASE XDG_STATE_HOME HOME
unset VARVE_PERSON VARVE_KEY_FILE VARVE_PASSPHRASE_FILE \
    VARVE_PASSPHRASE_COMMAND

# A sanitizer's reports, the mount's daemon's too, which has no terminal.
for s in ASAN UBSAN TSAN LSAN; do
	eval "export ${s}_OPTIONS=\"\${${s}_OPTIONS:-}:log_path=$T/sanitizer\""
done

varve() {
	"$VARVE" "$@"
}

# --- the end ---------------------------------------------------------------

# Mounts below $T, the latest first.
mounts_below() {
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo |
	    sort -r
}

clean_up() {
	status=$?
	trap - EXIT
	set +e
	cd /
	# Whoever runs the tests waits for all that can still print.
	jobs -p >"$T/jobs"
	while read -r job; do
		kill "$job" 2>/dev/null
	done <"$T/jobs"
	for m in $(mounts_below); do
		fusermount3 -u "$m" 2>/dev/null || umount "$m" 2>/dev/null ||
		    umount -l "$m"
	done
	# Until the daemons have ended, and said what they have to say.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pgrep -f "^$VARVE mount .*$T" >/dev/null || break
		sleep 0.2
	done
	if cat "$T"/sanitizer.* 2>/dev/null; then
		status=1
	fi
	for l in $(losetup -n -O NAME,BACK-FILE | awk -v t="$T/" \
	    'index($2, t) == 1 { print $1 }'); do
		losetup -d "$l"
	done
	chmod -R u+rwX "$T" 2>/dev/null
	rm -rf "$T"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# --- saying what is expected -----------------------------------------------

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

# part TEXT: what is being tested, for whoever reads the log.
part() {
	printf '%s %s\n' '--' "$*"
}

# run STATUS COMMAND...: it exits with STATUS. What it printed is in $T/out and
# $T/err.
run() {
	local want=$1 got=0
	shift
	"$@" >"$T/out" 2>"$T/err" || got=$?
	[ "$got" = "$want" ] && return
	cat "$T/out" "$T/err" >&2
	fail "exit status $got, not $want: $*"
}

# out_has TEXT, err_has TEXT: what the last run printed has it.
out_has() {
	grep -qF -e "$1" "$T/out" && return
	cat "$T/out" >&2
	fail "no '$1' in the output"
}

err_has() {
	grep -qF -e "$1" "$T/err" && return
	cat "$T/err" >&2
	fail "no '$1' in the messages"
}

# refused STATUS TEXT COMMAND...: it fails with STATUS, says TEXT in a message
# of varve's, and prints nothing else.
refused() {
	local status=$1 text=$2
	shift 2
	run "$status" "$@"
	err_has "$text"
	grep -q '^varve: ' "$T/err" || fail "not a message: $(cat "$T/err")"
	[ ! -s "$T/out" ] || fail "printed, too: $(cat "$T/out")"
}

# nothing COMMAND...: it succeeds and prints nothing at all.
nothing() {
	"$@" >"$T/out" 2>&1 || {
		cat "$T/out" >&2
		fail "failed: $*"
	}
	[ ! -s "$T/out" ] || {
		head -n 40 "$T/out" >&2
		fail "printed something: $*"
	}
}

# equal A B WHAT: two texts are the same.
equal() {
	[ "$1" = "$2" ] || fail "$3: '$1', not '$2'"
}

# differ A B WHAT: they are not.
differ() {
	[ "$1" != "$2" ] || fail "$3: both '$1'"
}

# within SECONDS COMMAND...: it succeeds by then; it is tried again and again.
within() {
	local left=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || fail "still not so: $*"
		sleep 0.05
	done
}

# --- stores, snapshots, mounts ---------------------------------------------

# new_store: makes $VARVE_STORE, with the recovery key in $T/recovery.
new_store() {
	varve init -q --name alice --recovery-key-file "$T/recovery" \
	    "$VARVE_STORE" >"$T/fingerprint"
}

# use_key DATASET...: from here on, a host's key that may read and write these
# datasets, and makes them. It spares the time that a passphrase takes.
use_key() {
	local d
	for d; do
		varve grant writer "$d" --host tester --key-file "$T/key"
		varve grant reader "$d" --host tester --key-file "$T/key"
	done >"$T/out"
	unset VARVE_PASSPHRASE
	VARVE_KEY_FILE=$T/key
	export VARVE_KEY_FILE
}

# backup DATASET SOURCE [OPTION]...: succeeds, wholly.
backup() {
	run 0 varve backup "$@"
}

# restore WHAT TARGET [OPTION]...
restore() {
	run 0 varve restore -q "$@"
}

# snapshots DATASET: how many there are.
snapshots() {
	varve list --json "$1" | jq '.snapshots | length'
}

# newest DATASET FIELD: of the newest snapshot's record.
newest() {
	varve list --json "$1" | jq -r ".snapshots[-1].$2"
}

# whole: the store has no damage, down to the last byte.
whole() {
	run 0 varve check --read-data
}

# mount_store DIR [OPTION]...: ready when it returns.
mount_store() {
	mkdir -p "$1"
	varve mount "$@"
}

unmount() {
	within 10 fusermount3 -u "$1"
}

# latest MOUNT DATASET: the newest snapshot's directory.
latest() {
	realpath "$1/$2/latest"
}

# roomy DIR: makes DIR a filesystem of its own that takes whatever a source may
# hold: attributes of 60 KB, too.
roomy() {
	mkdir -p "$1"
	mount -t tmpfs -o mode=755 roomy "$1"
	touch "$1/probe"
	if ! setfattr -n user.probe -v 0x00 "$1/probe" 2>/dev/null; then
		# Before Linux 6.6 a tmpfs has no user attributes.
		umount "$1"
		truncate -s 8G "$1.ext4"
		mkfs.ext4 -q -O ea_inode "$1.ext4"
		mount -o loop "$1.ext4" "$1"
		rmdir "$1/lost+found"
		return
	fi
	rm "$1/probe"
}

# --- other users -----------------------------------------------------------

# as_user COMMAND...: as an ordinary user, who has no rights in $T but in $T/u.
as_user() {
	[ -d "$T/u" ] || install -d -o 65534 -g 65534 -m 700 "$T/u"
	env HOME="$T/u" XDG_STATE_HOME="$T/u/state" \
	    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# --- comparing trees -------------------------------------------------------

# metadata DIR: a line an entry, with all that find can tell of it, but the
# count of links of directories, which is the filesystem's own business, and
# their sizes.
metadata() {
	(cd "$1" && find . \( -type d -printf '%P|%y|%m|%U|%G|%T@\0' \) -o \
	    -printf '%P|%y|%m|%U|%G|%T@|%n|%s|%l\0') | sort -z
}

# devices DIR: the numbers of its devices.
devices() {
	(cd "$1" && find . \( -type b -o -type c \) \
	    -exec stat -c '%n %F %t %T' {} +) | sort
}

# linked DIR: the names that are one file, a line a file; not its inode.
linked() {
	(cd "$1" && find . ! -type d -links +1 -printf '%i %p\n') | sort |
	    awk '{ names[$1] = names[$1] " " $2 }
		END { for (i in names) print names[i] }' | sort
}

# acls DIR, xattrs DIR: of all its entries that can have some.
acls() {
	(cd "$1" && find . ! -type l -print0 | sort -z | xargs -0 getfacl -n)
}

xattrs() {
	(cd "$1" && find . -print0 | sort -z |
	    xargs -0 getfattr -h -d -m - -e hex)
}

# same_tree A B: all that can be compared is the same, both ways.
same_tree() {
	nothing rsync -aHAXnc --delete -i "$1/" "$2/"
	nothing rsync -aHAXnc --delete -i "$2/" "$1/"
	metadata "$1" >"$T/metadata.a"
	metadata "$2" >"$T/metadata.b"
	nothing diff -a "$T/metadata.a" "$T/metadata.b"
	equal "$(devices "$1")" "$(devices "$2")" 'devices'
	equal "$(linked "$1")" "$(linked "$2")" 'hard links'
	acls "$1" >"$T/acls.a"
	acls "$2" >"$T/acls.b"
	nothing cmp "$T/acls.a" "$T/acls.b"
	xattrs "$1" >"$T/xattrs.a"
	xattrs "$2" >"$T/xattrs.b"
	nothing cmp "$T/xattrs.a" "$T/xattrs.b"
}
