#!/bin/bash
# damage.sh [SEED]: objects that are damaged, missing, swapped or foreign are
# found and named; what does not need them goes on working; wrong bytes never
# come back.
. "$(dirname "$0")/lib.sh"

seed=${1:-$(($(date +%s) % 32768))}
echo "seed $seed"
RANDOM=$seed

src=$T/source
mkdir -p "$src/some" "$src/tree/a/b"
for i in $(seq 12); do
	head -c 700000 /dev/urandom >"$src/some/$i"
	seq "$i" 900 >"$src/tree/a/b/$i"
done
new_store
backup d "$src"
# A second pack: what it holds is needed by this file alone.
cp -a "$VARVE_STORE" "$T/before"
head -c 900000 /dev/urandom >"$src/late"
backup d "$src"
cp -a "$VARVE_STORE" "$T/whole"
# A foreign store of the same source.
VARVE_STORE=$T/foreign varve init -q --recovery-key-file "$T/r2" >"$T/out"
run 0 varve backup -s "$T/foreign" d "$src"

heal() {
	rm -rf "$VARVE_STORE"
	cp -a "$T/whole" "$VARVE_STORE"
}

# objects KIND: paths in the store, the biggest first.
objects() {
	(cd "$VARVE_STORE" && find . -path "*/$1/*" -type f -printf '%s %P\n') |
	    sort -rn | cut -d' ' -f2
}

# new_objects KIND: those that the second snapshot added.
new_objects() {
	for o in $(objects "$1"); do
		[ -e "$T/before/$o" ] || echo "$o"
	done
}

# flip OBJECT [OFFSET]: one bit of it, in the middle.
flip() {
	local f=$VARVE_STORE/$1 at byte
	at=${2:-$(($(stat -c %s "$f") / 2))}
	byte=$(dd if="$f" bs=1 skip="$at" count=1 status=none |
	    od -An -tu1 | tr -d ' ')
	printf "\\x$(printf %02x $((byte ^ 16)))" |
	    dd of="$f" bs=1 seek="$at" conv=notrunc status=none
}

# found OBJECT OPTION...: check finds the damage and names the object.
found() {
	local name=${1##*/}
	name=${name##*-}
	shift
	run 3 varve check "$@"
	out_has "$name"
	grep -q '^damaged: ' "$T/out" || fail "no line: $(cat "$T/out")"
}

# readable DIR: each file either has the right bytes or says EIO. Prints how
# many could not be read.
readable() {
	local bad=0 f
	while read -r f; do
		if cmp -s "$src/$f" "$1/$f" 2>"$T/err"; then
			continue
		fi
		cat "$1/$f" >/dev/null 2>"$T/err" &&
		    fail "wrong bytes in $f"
		grep -q 'Input/output error' "$T/err" ||
		    fail "$f: $(cat "$T/err")"
		bad=$((bad + 1))
	done < <(cd "$src" && find . -type f | sort)
	echo $bad
}

# salvaged: a restore brings what can be brought, and says what can't. Prints
# how many files are missing or not as they were; none of wrong bytes.
salvaged() {
	local status=0 bad=0 f
	rm -rf "$T/out.d"
	varve restore d@latest "$T/out.d" >"$T/out" 2>"$T/err" || status=$?
	case $status in
	3 | 4) ;;
	*) fail "exit status $status of a restore: $(cat "$T/err")" ;;
	esac
	grep -q '^varve: cannot restore' "$T/err" || fail "$(cat "$T/err")"
	while read -r f; do
		cmp -s "$src/$f" "$T/out.d/$f" && continue
		if [ -e "$T/out.d/$f" ] && [ "$(stat -c %s "$T/out.d/$f")" = \
		    "$(stat -c %s "$src/$f")" ] &&
		    ! grep -qF "$(basename "$f")" "$T/err"; then
			fail "wrong bytes were restored to $f, unsaid"
		fi
		bad=$((bad + 1))
	done < <(cd "$src" && find . -type f | sort)
	echo $bad
}

# partly WHAT: the newest snapshot is damaged in part, the first one not at all.
partly() {
	local first=$T/mnt/$first_day n
	mount_store "$T/mnt"
	n=$(readable "$T/mnt/d/latest")
	[ "$n" -ge 1 ] || fail "$1: every file can be read"
	[ "$n" -le "${2:-1}" ] || fail "$1: $n files can't be read"
	nothing cmp "$src/some/7" "$first/some/7"
	equal "$(find "$first" -type f | wc -l)" 24 'files of the first'
	unmount "$T/mnt"
	n=$(salvaged)
	[ "$n" -le "${2:-1}" ] || fail "$1: $n files can't be restored"
	restore d@"$first_id" "$T/first"
	equal "$(find "$T/first" -type f | wc -l)" 24 'files of the first'
	nothing cmp "$src/some/7" "$T/first/some/7"
	rm -rf "$T/first"
}

first_id=$(varve list --json d | jq -r '.snapshots[0].id')
mount_store "$T/mnt"
first_day=$(realpath "$T/mnt/d/@$first_id")
first_day=${first_day#"$T/mnt/"}
unmount "$T/mnt"
data=$(new_objects packs | head -n 1)

part 'a data pack: one bit'
flip "$data"
found "$data" --read-data
found "$data" --no-keys
partly 'one bit'
heal

part 'truncated'
truncate -s 400000 "$VARVE_STORE/$data"
found "$data"
found "$data" --read-data
found "$data" --no-keys
partly 'truncated'
truncate -s 0 "$VARVE_STORE/$data"
found "$data"
partly 'emptied'
heal

part 'missing'
rm "$VARVE_STORE/$data"
found "$data"
found "$data" --read-data
partly 'missing'
heal

part 'unreadable, as a directory is'
rm "$VARVE_STORE/$data"
mkdir "$VARVE_STORE/$data"
found "$data"
partly 'a directory'
heal

part 'swapped with another'
other=$(objects packs | grep -v "$data" | head -n 1)
mv "$VARVE_STORE/$data" "$T/swap"
mv "$VARVE_STORE/$other" "$VARVE_STORE/$data"
mv "$T/swap" "$VARVE_STORE/$other"
found "$data" --no-keys
found "$other" --read-data
mount_store "$T/mnt"
n=$(readable "$T/mnt/d/latest")
[ "$n" -ge 1 ] || fail 'every file can be read'
unmount "$T/mnt"
salvaged >"$T/n"
heal

part 'of another store'
cat "$T/foreign/$(cd "$T/foreign" && find . -path '*/packs/*' -type f \
    -printf '%s %P\n' | sort -rn | head -n 1 | cut -d' ' -f2)" \
    >"$T/alien"
chmod u+w "$VARVE_STORE/$data"
cat "$T/alien" >"$VARVE_STORE/$data"
found "$data" --no-keys
found "$data" --read-data
partly 'foreign'
heal
# Under its own name it is in nobody's way.
cp "$T/alien" "$VARVE_STORE/${data%/*/*}/00/$(sha256sum "$T/alien" |
    cut -d' ' -f1)" 2>/dev/null || {
	mkdir "$VARVE_STORE/${data%/*/*}/00"
	cp "$T/alien" "$VARVE_STORE/${data%/*/*}/00/$(sha256sum "$T/alien" |
	    cut -d' ' -f1)"
}
run 0 varve restore -q d@latest "$T/fine"
nothing diff -r "$src" "$T/fine"
rm -r "$T/fine"
heal

part 'the root of another store'
chmod u+w "$VARVE_STORE/varve"
cat "$T/foreign/varve" >"$VARVE_STORE/varve"
refused 1 'this is not the store at this address' varve list d
refused 1 'this is not the store at this address' varve check --no-keys
heal

part 'a metadata pack'
meta=$(new_objects packs | tail -n 1)
differ "$meta" "$data" 'packs'
flip "$meta"
found "$meta" --read-data
mount_store "$T/mnt"
n=$(readable "$T/mnt/$first_day" 2>"$T/log") || true
run 0 ls "$T/mnt/d"
nothing cmp "$src/some/7" "$T/mnt/$first_day/some/7"
unmount "$T/mnt"
heal

part 'an index'
for index in $(new_objects index); do
	flip "$index"
	found "$index"
	found "$index" --no-keys
	heal
	rm "$VARVE_STORE/$index"
	found "$index"
	heal
done

part 'the log'
for record in $(new_objects log); do
	flip "$record"
	found "$record" --no-keys
	run 3 varve check
	run 3 varve list d
	heal
	part 'hidden: this machine has seen it'
	rm "$VARVE_STORE/$record"
	refused 3 'cut back' varve list d
	run 3 varve check
	heal
done

part 'the newest record: those before it can be read'
flip "$(new_objects log)"
run 3 varve list d
out_has "${first_id:0:8}"
run 3 varve restore -q "d@$first_id" "$T/first"
equal "$(find "$T/first" -type f | wc -l)" 24 'files of the first'
nothing cmp "$src/some/7" "$T/first/some/7"
rm -rf "$T/first"
refused 3 'varve check' varve backup d "$src"
heal

part 'an older record: those behind it can be read, and added to'
first=$(objects log | grep '/0*1-')
remembers=$XDG_STATE_HOME
for how in flipped missing; do
	for state in "$remembers" "$T/knows.nothing"; do
		echo "$how, $state"
		rm -rf "$T/trial"
		mkdir "$T/trial"
		[ ! -e "$state" ] || cp -a "$state/." "$T/trial"
		XDG_STATE_HOME=$T/trial
		if [ $how = missing ]; then
			rm "$VARVE_STORE/$first"
		else
			flip "$first"
		fi
		run 3 varve list --json d
		equal "$(jq '.snapshots | length' "$T/out")" 1 'snapshots'
		err_has 'a snapshot of'
		run 3 varve restore -q d@latest "$T/out.r"
		nothing diff -r "$src" "$T/out.r"
		rm -rf "$T/out.r"
		mount_store "$T/mnt"
		equal "$(readable "$T/mnt/d/latest")" 0 'files that can not be read'
		unmount "$T/mnt"
		run 3 varve check
		run 0 varve backup d "$src"
		err_has 'this snapshot is whole'
		run 3 varve list --json d
		equal "$(jq '.snapshots | length' "$T/out")" 2 'snapshots'
		run 3 varve expire --keep-last 1
		err_has "$([ $how = missing ] && echo 'no record 1' || echo damaged)"
		refused 3 'lacks a record' varve hold d@latest --why it
		run 3 varve prune
		err_has 'what is still needed is not known'
		# Brought back, it is as if nothing had been.
		rm -f "$VARVE_STORE/$first"
		cp -a "$T/whole/$first" "$VARVE_STORE/$first"
		whole
		run 0 varve list --json d
		equal "$(jq '.snapshots | length' "$T/out")" 3 'snapshots'
		run 0 varve expire --keep-last 1
		run 0 varve prune
		whole
		heal
	done
done
XDG_STATE_HOME=$remembers

part 'damage of one dataset keeps nobody from the others'
first=$(objects log | grep '/0*1-')
remembers=$XDG_STATE_HOME
XDG_STATE_HOME=$T/e.state
backup e "$src"
varve dataset set e --keep-last 1 >"$T/out"
flip "$first"
run 3 varve list
grep -q ' e$' "$T/out" || fail 'a dataset that is whole is not listed'
err_has 'varve check'
run 3 varve find late
grep -q ' e:' "$T/out" || fail 'nothing is found in a dataset that is whole'
run 3 varve expire --dry-run
grep -q '^e: ' "$T/out" || fail 'a dataset that is whole does not expire'
heal
XDG_STATE_HOME=$remembers

part 'keys'
for key in $(objects keys); do
	flip "$key"
	found "$key" --no-keys
	varve list >"$T/out" 2>"$T/err" || [ $? -le 4 ] || fail 'a crash'
	heal
done

part 'the root'
for at in 0 10 116; do
	flip varve $at
	run 3 varve check --no-keys
	run 3 varve check
	heal
done

part 'any bit of any object'
all=$(cd "$VARVE_STORE" && find . -type f ! -name lock ! -name run \
    ! -name varve -printf '%P\n' | sort)
for round in $(seq 25); do
	# shellcheck disable=SC2086
	set -- $all
	shift $((RANDOM % $#))
	at=$(((RANDOM * 32768 + RANDOM) % $(stat -c %s "$VARVE_STORE/$1")))
	echo "round $round: byte $at of $1"
	flip "$1" $at
	run 3 varve check --no-keys
	status=0
	varve check --read-data >"$T/out" 2>"$T/err" || status=$?
	case $status in
	1 | 3) ;;
	*) fail "exit status $status: $(cat "$T/out" "$T/err")" ;;
	esac
	status=0
	varve restore -q d@latest "$T/out.r" >"$T/out" 2>"$T/err" || status=$?
	case $status in
	0) nothing diff -r "$src" "$T/out.r" ;;
	1 | 3 | 4) ;;
	*) fail "exit status $status: $(cat "$T/out" "$T/err")" ;;
	esac
	rm -rf "$T/out.r"
	heal
done
whole
