#!/bin/sh
# The dated tree: names, times, attributes, what is equal and what is not.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src/same/deep" "$src/changing"
for i in $(seq 50); do
	seq "$i" 500 >"$src/same/deep/$i"
done
echo first >"$src/changing/file"
echo constant >"$src/changing/other"
echo linked >"$src/one"
ln "$src/one" "$src/two"

new_store
mount_store "$T/mnt"
nothing ls -A "$T/mnt"

part 'a new dataset and its snapshots appear in a running mount'
backup customers "$src"
within 2 test -d "$T/mnt/customers/latest/same"
first=$(latest "$T/mnt" customers)
sleep 1.1
backup customers "$src"
within 2 test "$(newest customers sequence)" = 2
new_one() {
	[ "$(latest "$T/mnt" customers)" != "$first" ]
}
within 2 new_one
equal_one=$(latest "$T/mnt" customers)
sleep 1.1
echo second >"$src/changing/file"
backup customers "$src"
third() {
	[ "$(latest "$T/mnt" customers)" != "$equal_one" ]
}
within 2 third
third=$(latest "$T/mnt" customers)
backup db/clarity "$src"
within 2 test -d "$T/mnt/db/clarity/latest"

part 'names'
iso=$(newest customers time)
day=${iso%%T*}
clock=${iso#*T}
clock=$(echo "${clock%%[.Z]*}" | tr : -)Z
equal "$third" "$T/mnt/customers/$day/$clock" 'the newest'
equal "$(readlink "$T/mnt/customers/latest")" "$day/$clock" 'latest'
equal "$(readlink "$T/mnt/customers/$day/latest")" "$clock" "the day's latest"
equal "$(ls "$T/mnt")" "customers
db" 'datasets'
equal "$(ls "$T/mnt/db")" clarity 'a folder of datasets'
equal "$(ls "$T/mnt/customers" | tail -n 1)" latest 'beside the days'
find "$T/mnt/customers" -mindepth 2 -maxdepth 2 -type d | grep -cE \
    '/[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{2}-[0-9]{2}-[0-9]{2}Z$' >"$T/n"
equal "$(cat "$T/n")" 3 'snapshots listed'

part 'two snapshots of one second'
backup quick "$src"
backup quick "$src"
equal "$(newest quick sequence)" 2 'snapshots'
within 2 test -d "$T/mnt/quick/latest"
two() {
	[ "$(find "$T/mnt/quick" -mindepth 2 -maxdepth 2 -type d |
	    wc -l)" = 2 ]
}
within 2 two

part 'every name that is printed means the snapshot it stands for'
# Two of one second are no neighbours where a clock is set back.
shared() {
	varve list --json back | jq -e '[.snapshots[].time[:19]] |
	    length != (unique | length)' >"$T/out"
}
backup back "$src"
until shared; do
	second=$(date -u -d "$(newest back time)" +%s)
	sleep 1.2
	backup back "$src"
	run 0 env SHIFT=$((second - $(date +%s))) \
	    LD_PRELOAD="$BIN/libshift.so" "$VARVE" backup back "$src"
	mv "$T/out" "$T/backed.up"
done
# means NAME ID
means() {
	equal "$(varve list --json "$1" | jq -r .snapshot.id)" "$2" "$1"
}
name=$(sed -n 's/^\(back@[^ ]*\) .*/\1/p' "$T/backed.up")
means "$name" "$(newest back id)"
for dataset in quick back; do
	varve list -q "$dataset" | awk '{ print $1 }' >"$T/names"
	varve list --json "$dataset" | jq -r '.snapshots[].id' >"$T/ids"
	paste "$T/names" "$T/ids" >"$T/both"
	while read -r time id; do
		means "$dataset@$time" "$id"
		run 0 varve restore "$dataset@$id" "$T/named" </dev/null
		means "$(sed -n 's/ restored to .*//p' "$T/out")" "$id"
		rm -rf "$T/named"
	done <"$T/both"
	time=$(varve list -q | awk -v d="$dataset" '$NF == d { print $2 }')
	means "$dataset@$time" "$(newest "$dataset" id)"
done

part '@TIME'
id_of() {
	getfattr --only-values --absolute-names -n user.varve.id "$1"
}
at() {
	equal "$(id_of "$T/mnt/customers/@$1")" "$(id_of "$2")" "@$1"
}
seconds=$(date -u -d "$(newest customers time)" +%s)
id=$(newest customers id)
at latest "$third"
at "$day" "$third"
at now "$third"
at "$(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ)" "$third"
at "$(date -u -d "@$((seconds + 3600))" +%Y-%m-%dT%H:%MZ)" "$third"
at "$(TZ=UTC-1 date -d "@$seconds" +%Y-%m-%dT%H:%M:%S)+01:00" "$third"
at "$id" "$third"
at "$(echo "$id" | cut -c1-12)" "$third"
before=$(date -u -d "@$((seconds - 1))" +%Y-%m-%dT%H:%M:%SZ)
at "$before" "$equal_one"
run 2 ls "$T/mnt/customers/@2001-01-01"
err_has 'No such file'
run 2 ls "$T/mnt/customers/@nonsense"
err_has 'No such file'
if ls -a "$T/mnt/customers" | grep -q @; then
	fail '@TIME is listed'
fi
equal "$(cat "$T/mnt/customers/@latest/changing/file")" second 'through @'
equal "$(cat "$T/mnt/customers/@$before/changing/file")" first 'before it'

part 'attributes of a snapshot'
attribute() {
	getfattr --only-values --absolute-names -n "user.varve.$1" "$third"
}
equal "$(attribute id)" "$id" id
equal "$(date -u -d "$(attribute time)" +%s)" "$seconds" time
equal "$(attribute kind)" "$(newest customers kind)" kind
equal "$(attribute host)" "$(newest customers host)" host
equal "$(attribute host)" "$(hostname)" host
nothing getfattr -d -m - "$third"
run 1 getfattr -n user.varve.id "$third/same"

part 'equal things look equal'
ino() {
	stat -c %d:%i "$1"
}
for f in same same/deep same/deep/7 changing/other one; do
	equal "$(ino "$first/$f")" "$(ino "$equal_one/$f")" "$f, nothing changed"
	equal "$(ino "$first/$f")" "$(ino "$third/$f")" "$f, others changed"
done
equal "$(ino "$first")" "$(ino "$equal_one")" 'equal roots'
for f in . changing changing/file; do
	differ "$(ino "$first/$f")" "$(ino "$third/$f")" "$f, changed"
done
nothing diff -r "$first" "$equal_one"
equal "$(diff -rq "$first" "$third" | wc -l)" 1 'files that differ'

part 'diff reads nothing of what is equal'
# The mount's reads are counted where the daemon can't cheat: by the kernel.
echo 3 >/proc/sys/vm/drop_caches
cold() {
	daemon=$(pgrep -f "$VARVE mount $1")
	awk '/^rchar/ { print $2 }' "/proc/$daemon/io"
}
ls -R "$first" "$equal_one" >"$T/names"
a=$(cold "$T/mnt")
nothing diff -r "$first" "$equal_one"
b=$(cold "$T/mnt")
[ $((b - a)) -lt 20000 ] || fail "diff -r read $((b - a)) bytes"

part 'links'
equal "$(stat -c %h "$third/one")" 2 'links of one'
equal "$(ino "$third/one")" "$(ino "$third/two")" 'two names, one file'
equal "$(stat -c %h "$third/changing/other")" 1 'links of other'

part '--no-sharing'
mount_store "$T/apart" --no-sharing
a=$T/apart/${first#"$T/mnt/"}
b=$T/apart/${third#"$T/mnt/"}
for f in same same/deep/7 changing/other; do
	differ "$(ino "$a/$f")" "$(ino "$b/$f")" "$f, not shared"
done
equal "$(ino "$b/one")" "$(ino "$b/two")" 'two names, one file'
nothing diff -r "$a/same" "$b/same"
nothing diff -r --no-dereference "$third" "$b"

part '--dataset'
mount_store "$T/only" --dataset db/clarity
equal "$(ls "$T/only")" db 'what is shown'
run 2 ls "$T/only/customers"
mkdir "$T/fresh"
refused 1 "'none'" varve mount --dataset none "$T/fresh"
