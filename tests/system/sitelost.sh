#!/bin/sh
# What is damaged at a site is told of, and keeps nothing else from coming.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
echo one >"$src/file"
two_datasets_and_a_site
pick_log "$T/dr"
echo two >"$src/file"
backup d "$src"
backup other "$src"
cp -a "$T/dr" "$T/dr.before"

# as_before: the site, before it got what is new.
as_before() {
	rm -rf "$T/dr"
	cp -a "$T/dr.before" "$T/dr"
}

# goes_on RECORDS STATUS WHAT: of the dataset that is whole, what is new comes
# to the site, which has RECORDS then; of the other it is said WHAT is to be
# done. STATUS is how 'varve status' ends there.
goes_on() {
	run 4 varve replicate dr-london
	err_has "dataset '"
	err_has "$3"
	equal "$(find "$T/dr" -path '*/log/*' | wc -l)" "$1" \
	    'records at the site'
	run "$2" varve status --store "$T/dr" --refusals 100
	out_has "datasets/$dataset/"
	run 4 varve replicate dr-london
	err_has "dataset '"
}

part 'a log that can not be listed'
for what in file fifo; do
	rm -rf "$log"
	case $what in
	file) echo >"$log" ;;
	fifo) mkfifo "$log" ;;
	esac
	goes_on 2 3 'move away what is in its place'
	as_before
done

part 'a lock that is a directory'
rm "${log%/log}/lock"
mkdir "${log%/log}/lock"
goes_on 3 0 'varve check'
as_before

part 'a dataset that is a file'
rm -rf "${log%/log}"
echo >"${log%/log}"
goes_on 2 3 'move away what is in its place'
as_before

part 'something else in place of a key object'
for make in mkfifo mkdir; do
	# Of two that are new, so that the other has yet to come.
	for n in 1 2; do
		as_admin grant reader d --host "$make$n" \
		    --key-file "$T/key.$make$n"
	done
	for object in "$VARVE_STORE"/keys/*; do
		object=keys/${object##*/}
		[ -e "$T/dr/$object" ] || break
	done
	"$make" "$T/dr/$object"
	replicate dr-london
	err_has "did not take '$object'"
	equal "$(find "$T/dr" -path '*/log/*' | wc -l)" 4 'records at the site'
	run 0 varve status --store "$T/dr" --refusals 100
	out_has "$object"
	as_before
done

part 'what is in place of a key object is said once'
as_admin grant reader d --host refused --key-file "$T/key.refused"
for object in "$VARVE_STORE"/keys/*; do
	object=keys/${object##*/}
	[ -e "$T/dr/$object" ] || break
done
mkdir "$T/dr/$object"
"$VARVE" replicate --watch dr-london >"$T/watch.out" 2>"$T/watch.err" &
watcher=$!
within 20 grep -q "did not take '$object'" "$T/watch.err"
# keys NUMBER: so many has the site.
keys() {
	[ "$(find "$T/dr/keys" -type f | wc -l)" = "$1" ]
}
as_admin grant reader d --host taken --key-file "$T/key.taken"
within 20 keys "$(($(find "$VARVE_STORE/keys" -type f | wc -l) - 1))"
kill -TERM "$watcher"
wait "$watcher" || fail "watch ended with $?: $(cat "$T/watch.err")"
equal "$(grep -c "did not take '$object'" "$T/watch.err")" 1 \
    'times that it is said'
as_before

part 'a record that is missing, and not the newest'
replicate dr-london
echo three >"$src/file"
backup d "$src"
backup other "$src"
replicate dr-london
cp -a "$T/dr" "$T/dr.whole"
rm "$log"/*02-*
echo four >"$src/file"
backup d "$src"
backup other "$src"
for _ in 1 2; do
	run 4 varve replicate dr-london
	err_has "dataset '"
	err_has 'record 2 of this log is missing'
	err_has 'varve repair'
	equal "$(find "$T/dr" -path '*/log/*' | wc -l)" 7 'records at the site'
done
run 0 varve status --store "$T/dr" --refusals 100
out_has 'record 2 of this log is missing'
run 0 varve status --json
equal "$(jq -c '[.sites[].behind_snapshots] | sort' "$T/out")" '[0,1]' \
    'snapshots of which there is no receipt'

# objects: of the site, a line each with its size.
objects() {
	find "$T/dr/datasets" -type f -size +0 -printf '%s %p\n' | sort
}

# records NUMBER: so many has the site.
records() {
	[ "$(find "$T/dr" -path '*/log/*' | wc -l)" = "$1" ]
}

# behind: of each dataset, the snapshots of which there is no receipt.
behind() {
	varve status --json | jq -c '[.sites[].behind_snapshots] | sort'
}

part 'and what is kept without a receipt comes once'
objects >"$T/objects.before"
"$VARVE" replicate --watch --json dr-london >"$T/watch.out" 2>"$T/watch.err" &
watcher=$!
within 20 grep -q 'gives no receipt while record 2' "$T/watch.err"
echo five >"$src/file"
n=7
for d in d other d other; do
	backup "$d" "$src"
	n=$((n + 1))
	within 20 records "$n"
done
equal "$(behind)" '[0,3]' 'snapshots of which there is no receipt'
cp -a "$T"/dr.whole/datasets/"$dataset"/log/*02-* "$log/"
backup other "$src"
has_all() {
	[ "$(behind)" = '[0,0]' ]
}
within 20 has_all
kill -TERM "$watcher"
wait "$watcher" && fail 'the watch ended as if all had been well'
equal "$(grep -c 'gives no receipt' "$T/watch.err")" 1 'times that it is said'
objects >"$T/objects.after"
equal "$(jq '.bytes' "$T/watch.out")" "$(comm -13 "$T/objects.before" \
    "$T/objects.after" | grep -v '02-' | awk '{ n += $1 } END { print n }')" \
    'bytes that were sent'
equal "$(jq '.records, .problems' "$T/watch.out" | tr '\n' ' ')" '5 1 ' \
    'records of which there is a receipt, and problems'

part 'and all is well once it is back'
replicate dr-london
run 0 varve status --json
equal "$(jq -c '[.sites[].behind_snapshots]' "$T/out")" '[0,0]' \
    'snapshots of which there is no receipt'
as_before

part 'repair of what is not the dataset that can not be listed'
here=$VARVE_STORE/datasets/$dataset/log
mv "$here" "$T/log"
echo >"$here"
index=$(cd "$T/dr" && find datasets/*/index -type f ! -path "*/$dataset/*")
: >"$VARVE_STORE/$index"
VARVE_PASSPHRASE=$passphrase run 3 env -u VARVE_KEY_FILE "$VARVE" repair \
    --from dr-london
err_has "$dataset/log"
err_has 'move away'
out_has "repaired: $index"
cmp "$VARVE_STORE/$index" "$T/dr/$index"
VARVE_PASSPHRASE=$passphrase run 3 env -u VARVE_KEY_FILE "$VARVE" repair \
    --from dr-london --json
equal "$(jq -c '[.unlisted, .damaged]' "$T/out")" '[1,0]' 'what was not repaired'
rm "$here"
mv "$T/log" "$here"

# knows_nothing: the site does nothing, and says so.
knows_nothing() {
	refused 1 'site/site.db' varve replicate dr-london
	err_has '--init --lock'
	refused 3 'site/site.db' varve serve "$T/dr" --listen "127.0.0.1:$port"
	refused 3 '--lock' varve serve "$T/dr" --init
}

part 'what the site knows'
port=$(free_port)
rm "$T"/dr/site/site.db*
knows_nothing
: >"$T/dr/site/site.db"
knows_nothing
run 3 varve status --store "$T/dr"
err_has 'site/site.db'
run 0 varve serve "$T/dr" --init --lock 200d
run 0 varve status --store "$T/dr"
out_has 'lock   200 days'

part 'and at a site that is whole'
replicate dr-london
same_objects "$VARVE_STORE" "$T/dr"
